"""The small parts of a worker: marks in the pool, faults, and the program's door."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from goodput.core.errors import UsageError
from goodput.kv.shared_pool import SharedPool
from goodput.workers.faults import FaultTrigger
from goodput.workers.kv_marks import BYTES_PER_TOKEN, KvMarks
from goodput.workers.messages import Fault


def test_marks_lie_in_the_shared_memory_and_nowhere_else() -> None:
    pool = SharedPool.create(4, 2 * BYTES_PER_TOKEN)
    other = SharedPool.attach(os.dup(pool.fd), 4, 2 * BYTES_PER_TOKEN)
    marks, seen = KvMarks(pool, 2), KvMarks(other, 2)
    for number, place in enumerate(marks):
        marks[place] = -1 - number
    assert [seen[place] for place in seen] == [-1, -2, -3, -4, -5, -6, -7, -8]
    assert len(seen) == 8
    for mapped in (pool, other):
        mapped.close()


def test_an_unknown_fault_is_refused() -> None:
    for fault in (Fault(at="nowhere"), Fault(at="start", how="gently")):
        with pytest.raises(UsageError):
            FaultTrigger(fault)


def test_the_program_says_that_it_is_not_for_hands() -> None:
    command = [sys.executable, "-m", "goodput.workers.main"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr == "this program is started by `goodput serve`, not by hand\n"


def test_a_worker_does_not_load_what_it_does_not_need() -> None:
    """Start-up and memory of a modelled worker; torch belongs to the model's executor."""
    check = (
        "import sys, goodput.workers.build, goodput.workers.loop, goodput.workers.main;"
        "print([m for m in ('torch', 'numpy', 'asyncio', 'fastapi') if m in sys.modules])"
    )
    command = [sys.executable, "-c", check]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"
