"""What a worker asks of the operating system: its cores, its parent, its signals."""

from __future__ import annotations

import ctypes
import os
import signal
from typing import Final

from goodput.workers.messages import WorkerConfig

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NAME: Final = 15


def settle(config: WorkerConfig) -> None:
    """Tie this process to its parent and cores. Exits at once when the parent is gone already.

    Interrupts and SIGTERM are ignored: they may reach a whole terminal or container at once, but
    the host decides who ends, and when. (A running worker's loop tells the host of SIGTERM.)
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # The parent may have died before the call above.
    if config.parent_pid and os.getppid() != config.parent_pid:
        os._exit(1)
    libc.prctl(_PR_SET_NAME, f"goodput-{config.name}".encode()[:15], 0, 0, 0)
    if config.cores:
        os.sched_setaffinity(0, config.cores)
    if config.nice:
        os.nice(config.nice)


def resident_bytes() -> int:
    """This process's resident memory."""
    with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - read often
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
