"""Deaths on order, for tests of the hand-off protocol. Without a Fault nothing here acts."""

from __future__ import annotations

import os
import signal
from typing import Final

from goodput.core.errors import UsageError
from goodput.workers.messages import Fault

POINTS: Final = (
    "start",  # before the engine is loaded
    "on_submit",  # a prompt came, the engine has not seen it
    "before_step",  # there is work, nothing of this step is computed
    "before_handoff",  # the prompt is computed, its hand-off is not reported
    "after_handoff",  # the hand-off is reported, the blocks are held for the lease
    "before_free",  # a lease may be freed, the blocks are still held
    "before_ack",  # blocks are offered, nothing is done with them
    "after_ack",  # the lease is acknowledged, no token is decoded
    "after_decode",  # a token was decoded and reported
    "before_release",  # a decode ended, the lease's release is not reported
    "after_release",  # the release is reported
    "on_cancel",  # a cancellation came, the engine has not seen it
)


class FaultTrigger:
    """Acts on the ``fault.after``-th pass (from 0) of the point ``fault.at``."""

    def __init__(self, fault: Fault | None) -> None:
        if fault is not None and (fault.at not in POINTS or fault.how not in ("kill", "stop")):
            raise UsageError(f"no such fault: {fault.how} at {fault.at!r}")
        self._point = None if fault is None else fault.at
        self._left = 0 if fault is None else fault.after
        self._signal = signal.SIGSTOP if fault and fault.how == "stop" else signal.SIGKILL

    def at(self, point: str) -> None:
        """Pass a point; this may not return."""
        if point != self._point:
            return
        if self._left == 0:
            self._point = None
            os.kill(os.getpid(), self._signal)
        self._left -= 1
