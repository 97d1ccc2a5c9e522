"""The runtime's benchmark: what it makes of its windows, and a short run of it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runtime import Case
from runtime_load import Stream, Window

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "runtime.py"


def _stream(sent, first, ended, engine_ms=None):
    events = [b"[DONE]"]
    if engine_ms is not None:
        spans = {"queued_prefill": engine_ms[0], "prefill": engine_ms[1], "decode": 900.0}
        events.insert(0, json.dumps({"goodput": {"spans_ms": spans}}).encode())
    return Stream(due=sent - 0.001, sent=sent, first=first, ended=ended, events=events)


@pytest.mark.parametrize(("step_ms", "first_ms", "token_ms"), [(0.0, 30.0, 12.0), (5.0, 3.0, 7.0)])
def test_what_is_added_is_what_the_client_saw_less_the_engine(step_ms, first_ms, token_ms):
    answers = [_stream(10.0, 10.030, 10.150, (20.0, 7.0)) for _ in range(3)]
    lost = Stream(due=10.0, sent=10.0, error="refused")
    cpu_s = {"frontend": 0.44, "workers": 0.22, "client": 0.11}
    case = Case(None, step_ms, [Window(4.0, 11, 1.0, [*answers, lost], cpu_s)])
    figures = case.figures()
    assert figures["first_token_p50_ms"] == pytest.approx(first_ms, abs=1e-3)
    assert figures["token_p50_ms"] == pytest.approx(token_ms, abs=1e-3)
    assert (figures["requests_per_s"], figures["tokens_per_s"], figures["failed"]) == (4, 33, 1)
    assert figures["frontend_us_per_token"] == pytest.approx(0.44 / 33 * 1e6, abs=0.01)


def test_a_short_run_answers_everything(tmp_path):
    file = tmp_path / "results.json"
    arguments = ["--rate", "8", "--seconds", "1", "--repeats", "1", "--tokens", "5"]
    command = [sys.executable, str(PROGRAM), *arguments, "--only", "2 + 2, 5", "--json", str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    results = json.loads(file.read_text())
    (row,) = results["cases"].values()
    assert row["failed"] == 0 and row["tokens_per_s"] > 0
    # The kernel counts a process's time in steps of 10 ms: one of the three may have used none.
    assert sum(row[f"{kind}_cores"] for kind in ("frontend", "workers", "client")) > 0
    assert results["floor_us"]["event"] > 0
