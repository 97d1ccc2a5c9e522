"""Peers' processes: real ones, which answer, chatter, die and hang."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from peers.line_process import LineProcess

PEERS = str(Path(__file__).parents[2] / "benchmarks" / "peers")


@pytest.fixture
def start(tmp_path):
    """Start a program of these lines, which finds what peers find."""
    started = []

    def start(lines: str, **settings) -> LineProcess:
        script = tmp_path / "peer.py"
        script.write_text(f"import sys; sys.path.insert(0, {PEERS!r})\n{lines}")
        started.append(LineProcess([sys.executable, str(script)], **settings))
        return started[-1]

    yield start
    for process in started:
        process.close()


STEPS = """
from step_server import serve_steps
def make_step(variant, rows, sequences, before):
    print("chatter of a library")
    calls = []
    def step():
        calls.append(1)
        # The first call only warms up; the others take 0.15 s and 0.25 s, so there are two.
        return {1: 0.9, 2: 0.15, 3: 0.25}[len(calls)] if variant == "a" else float(len(calls))
    return step
serve_steps("1.2", ["a", "b"], make_step)
"""


def test_a_step_is_warmed_up_and_timed_long_enough(start):
    process = start(STEPS)
    assert process.greeting == {"version": "1.2", "variants": ["a", "b"]}
    request = {"variant": "a", "rows": 1, "sequences": 2, "before": 3}
    assert process.ask(request)["seconds"] == pytest.approx(0.2)
    # Another request makes another step, with calls of its own.
    assert process.ask({**request, "rows": 2})["seconds"] == pytest.approx(0.2)
    # A first step of a second counts; the same step again is not warmed up again.
    slow = {**request, "variant": "b"}
    assert [process.ask(slow)["seconds"] for _ in range(2)] == [1.0, 2.0]


def test_only_the_latest_step_is_kept(start):
    process = start(
        "import weakref\n"
        "from step_server import serve_steps\n"
        "class Step:\n"
        "    living = 0\n"
        "    def __init__(self, **request):\n"
        "        assert Step.living == 0, 'the former step is still there'\n"
        "        Step.living = 1\n"
        "    def __del__(self): Step.living = 0\n"
        "    def __call__(self): return 1.0\n"
        "serve_steps('1', ['a'], Step)\n"
    )
    assert process.ask({"variant": "a"}) == process.ask({"variant": "b"}) == {"seconds": 1.0}


def test_it_runs_on_its_cores_and_ours_are_as_before(start):
    before = os.sched_getaffinity(0)
    core = max(before)
    process = start(
        "import json, os\nprint(json.dumps({'cores': sorted(os.sched_getaffinity(0))}))",
        cores=[core],
    )
    assert process.greeting == {"cores": [core]}
    assert os.sched_getaffinity(0) == before


def test_its_last_words_are_told(start):
    process = start("print('{}', flush=True)\nsys.stdin.readline()\nsys.exit('no such weights')")
    with pytest.raises(RuntimeError, match=r"peer\.py ended with 1: no such weights"):
        process.ask({})
    with pytest.raises(RuntimeError, match="no such weights"):
        process.ask({})


def test_one_that_cannot_start(start):
    with pytest.raises(RuntimeError, match="ModuleNotFoundError"):
        start("import a_library_that_is_not_there")
