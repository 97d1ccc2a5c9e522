"""Traces: every format, scales, windows, shared prefixes, jitter, and malformed rows."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from goodput.bench.arrivals.processes import Constant
from goodput.bench.arrivals.special import Recorded
from goodput.bench.workloads import find_workload
from goodput.bench.workloads.base import Natural, PlannedRequest, Timed
from goodput.bench.workloads.traces.replay import Replay, TraceWorkload, parse_window
from goodput.core.errors import UsageError
from goodput.core.record import RequestRecord, write_records

AZURE = (
    "TIMESTAMP,ContextTokens,GeneratedTokens\r\n"
    "2023-11-16 18:15:46.6805900,374,44\r\n"
    "2023-11-16 18:15:50.9951690,396,109\r\n"
    "2023-11-16 18:15:51.6805900,879,0"
)
BURSTGPT = (
    "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
    '5,,1.2,ChatGPT,472,18,490,"Conversation log"\n'
    "45.5,,2.0,GPT-4,1087,230,1317,API log\n"
)
Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def save(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode())
        return path

    return save


def mooncake(*rows: tuple[int, int, int, list[int]]) -> str:
    names = ("timestamp", "input_length", "output_length", "hash_ids")
    return "\n".join(json.dumps(dict(zip(names, row, strict=True))) for row in rows)


def replayed(path: Path, seconds: float = 1000.0, seed: int = 0, **replay: Any) -> list[Timed]:
    """One pass through the trace at its own pace."""
    workload = TraceWorkload(path, Replay(**replay))
    assert workload.natural is not None
    end = min(seconds, workload.natural.seconds)
    return workload.plan(workload.natural.rate, 0.0, end, seed, Recorded())


def length(request: PlannedRequest) -> int:
    return len(request.messages[0].content.replace(".", " .").split())


def test_azure(write: Write) -> None:
    plan = replayed(write("azure.csv", AZURE))
    assert [timed.due for timed in plan] == pytest.approx([0.0, 4.314579, 5.0])
    assert [length(timed.request) for timed in plan] == pytest.approx([374, 396, 879], rel=0.02)
    assert [timed.request.max_tokens for timed in plan] == [44, 109, 1]
    assert {timed.request.kind for timed in plan} == {"trace:azure.csv"}


def test_burstgpt(write: Write) -> None:
    plan = replayed(write("burst.csv", BURSTGPT))
    assert [(timed.due, timed.request.max_tokens) for timed in plan] == [(0.0, 18), (40.5, 230)]
    assert [length(timed.request) for timed in plan] == pytest.approx([472, 1087], rel=0.02)


def test_our_own_records(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    good = {"workload": "chat", "status": "ok", "prompt_tokens": 50, "output_tokens": 9}
    failed = RequestRecord(id="x", workload="chat", scheduled=11.0, status="rejected")
    records = [RequestRecord(id=str(at), scheduled=at, **good) for at in (12.5, 10.0)]  # type: ignore[arg-type]
    write_records(path, [*records, failed])
    plan = replayed(path)
    assert [(timed.due, timed.request.max_tokens) for timed in plan] == [(0.0, 9), (2.5, 9)]


def test_prompts_share_exactly_what_has_the_same_hash_ids(write: Write) -> None:
    path = write(
        "mooncake.jsonl",
        mooncake((0, 1500, 5, [1, 2, 3]), (7, 1500, 5, [1, 2, 4]), (9, 1024, 5, [2, 1])),
    )
    texts = [timed.request.messages[0].content for timed in replayed(path, length_scale=0.125)]
    shared = [len(common(a, b).split()) for a, b in itertools.combinations(texts, 2)]
    # Two blocks of 64 tokens, full stops counted, are about 117 words; else nothing is shared.
    assert 110 <= shared[0] <= 122
    assert max(shared[1:]) <= 1
    assert texts[0].split()[: shared[0]] == texts[1].split()[: shared[0]]


def common(one: str, other: str) -> str:
    pairs = zip(one, other, strict=False)
    return "".join(a for a, _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def test_requests_of_a_tick_are_spread_over_it_by_the_seed(write: Write) -> None:
    rows = [(3000 * tick, 512, 5, [10 * tick + place]) for tick in range(20) for place in range(9)]
    path = write("ticks.jsonl", mooncake(*rows))
    plan = replayed(path)
    assert len(plan) == 180
    dues = [timed.due for timed in plan]
    assert dues == sorted(dues) and len(set(dues)) == 180
    for tick in range(20):
        inside = [due for due in dues if 3.0 * tick <= due < 3.0 * (tick + 1)]
        assert len(inside) == 9 and max(inside) - min(inside) > 1.0
    assert dues == [timed.due for timed in replayed(path)]
    assert dues != [timed.due for timed in replayed(path, seed=1)]


def test_exact_stamps_are_left_alone(write: Write) -> None:
    path = write("exact.jsonl", mooncake((0, 5, 5, [1]), (3000, 5, 5, [2]), (4001, 5, 5, [3])))
    assert [timed.due for timed in replayed(path)] == pytest.approx([0.0, 3.0, 4.001])


def test_scales(write: Write) -> None:
    path = write("azure.csv", AZURE)
    plan = replayed(path, time_scale=2.0, length_scale=0.1)
    assert [timed.due for timed in plan] == pytest.approx([0.0, 8.629158, 10.0])
    assert [timed.request.max_tokens for timed in plan] == [4, 11, 1]
    assert length(plan[0].request) == pytest.approx(37, abs=2)


def test_a_window_is_a_part_of_the_trace(write: Write) -> None:
    path = write("azure.csv", AZURE)
    plan = replayed(path, window=(4.0, 6.0))
    assert [timed.due for timed in plan] == pytest.approx([0.314579, 1.0])
    with pytest.raises(UsageError, match="none of the requests"):
        TraceWorkload(path, Replay(window=(100.0, 200.0)))


def test_the_natural_pace_is_the_mean_and_another_rate_stretches_it(write: Write) -> None:
    workload = TraceWorkload(write("azure.csv", AZURE))
    assert workload.natural == Natural(3 / 7.5, 7.5)
    plan = workload.plan(0.8, 1.0, 1.0 + 3.75, 0, Recorded())
    assert [timed.due for timed in plan] == pytest.approx([1.0, 1 + 4.314579 / 2, 3.5])
    other = workload.plan(3.0, 0.0, 1.0, 0, Constant())
    assert [timed.due for timed in other] == pytest.approx([0, 1 / 3, 2 / 3])
    assert [timed.request.max_tokens for timed in other] == [44, 109, 1]


def test_a_trace_that_is_too_short_starts_over_with_other_words(write: Write) -> None:
    workload = TraceWorkload(write("azure.csv", AZURE))
    plan = workload.plan(0.4, 0.0, 20.0, 0, Recorded())
    assert [timed.due for timed in plan][3:6] == pytest.approx([7.5, 11.814579, 12.5])
    assert plan[0].request.max_tokens == plan[3].request.max_tokens
    assert plan[0].request.messages != plan[3].request.messages
    assert workload.request(0, 3) == plan[3].request


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("a.csv", AZURE + "\r\n2023-11-16 18:15:52,1", "line 5 of .*a.csv .* 2 fields, not 3"),
        ("a.csv", AZURE.replace("396", "many"), "line 3 of .*invalid literal"),
        ("a.csv", AZURE.replace("396", "0"), "line 3 of .*prompt has 0 tokens"),
        ("a.csv", AZURE.replace("2023-11-16 18:15:50", "yesterday"), "line 3 of .*isoformat"),
        ("b.csv", BURSTGPT.replace("45.5", "-1"), "line 3 of .*time is -1"),
        ("c.csv", "time,length\n1,2\n", r"its first line is neither JSON nor a header"),
        ("d.jsonl", mooncake((0, 600, 5, [1])), "line 1 of .*2 blocks, but there are 1 ids"),
        ("d.jsonl", mooncake((0, 5, 5, [1])) + '\n{"timestamp": 3', "line 2 of .*malformed"),
        ("d.jsonl", mooncake((0, 5, 5, [1])) + '\n{"timestamp": 3}', "line 2 of .*input_length"),
        ("e.jsonl", '{"prompt": "hi"}', "is no trace: its first line has neither"),
        ("e.jsonl", '{"prompt": ', "line 1 of .*malformed"),
        ("f.jsonl", '{"id":"a","workload":"w","scheduled":1,"status":"ok"}', "0 tokens"),
        ("g.csv", AZURE.splitlines()[0], "has no requests"),
        ("h.csv", "", "is no trace"),
    ],
)
def test_what_is_malformed_is_named_with_its_line(
    write: Write, name: str, text: str, complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        TraceWorkload(write(name, text))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not text"):
        find_workload(f"trace:{tmp_path / 'binary'}")
    with pytest.raises(UsageError, match="cannot read the trace"):
        find_workload(f"trace:{tmp_path / 'absent'}")


def test_windows_as_people_write_them() -> None:
    assert parse_window("0s..60s") == (0.0, 60.0)
    assert parse_window("1m..2m") == (60.0, 120.0)
    for text in ("", "60s", "60s..0s", "1s..1s", "a..b"):
        with pytest.raises(UsageError, match="--window"):
            parse_window(text)
    for scale in (0.0, -1.0, float("nan")):
        with pytest.raises(UsageError, match="--time-scale must be a positive number"):
            Replay(time_scale=scale)
