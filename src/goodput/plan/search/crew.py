"""Processes that judge candidates: at most as many as there are cores, and gone at a Ctrl-C."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from types import TracebackType
from typing import TypeVar

# Fewer candidates in all are judged sooner than a process is started.
_WORTH_A_CREW = 150

Job = TypeVar("Job")
Result = TypeVar("Result")


class Crew:
    """Does jobs; starts its processes only for work that is worth it. Close it, or use ``with``.

    What comes out does not depend on the number of processes.
    """

    def __init__(self, processes: int | None = None) -> None:
        self._processes = processes or len(os.sched_getaffinity(0))
        self._pool: ProcessPoolExecutor | None = None

    def prepare(self, candidates: int) -> None:
        """Start the processes if so many candidates are worth it."""
        if self._pool is None and self._processes > 1 and candidates >= _WORTH_A_CREW:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._processes, context, _leave_ctrl_c_to_the_parent)

    def each(self, do: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[Result]:
        """``do`` of each job, in order. ``do`` is a function of a module, so that it travels."""
        return map(do, jobs) if self._pool is None else self._pool.map(do, jobs)

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)


def _leave_ctrl_c_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
