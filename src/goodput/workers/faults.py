"""Deaths and delays on order, for tests of the protocols. Without a Fault nothing here acts."""

from __future__ import annotations

import os
import random
import signal
from collections import deque
from typing import Final

from goodput.core.clock import Clock
from goodput.core.errors import UsageError
from goodput.workers.channel import Channel
from goodput.workers.messages import Fault, FromWorker, ToWorker

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
        if fault is not None and fault.how == "delay":
            fault = None
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


class DelayedChannel:
    """A channel that holds one message in five back for up to ``seconds``, and all after it.

    So the order stays, as it does on the socket below, while a worker and its host act on older
    news of each other than usual. What is held back when the process ends is lost.
    """

    def __init__(self, inner: Channel, seconds: float, clock: Clock) -> None:
        self._inner = inner
        self._seconds = seconds
        self._clock = clock
        self._dice = random.Random(os.getpid())
        self._incoming: deque[tuple[float, ToWorker]] = deque()
        self._outgoing: deque[tuple[float, FromWorker]] = deque()

    def send(self, message: FromWorker) -> None:
        """Queue the message; it is written by one of the next calls."""
        self._outgoing.append((self._due(), message))
        self._write_due()

    def receive(self, timeout_s: float) -> list[ToWorker]:
        """What is due of all that came. Raises ChannelClosed."""
        heads = [queue[0][0] for queue in (self._incoming, self._outgoing) if queue]
        wait_s = min([self._clock.now() + timeout_s, *heads]) - self._clock.now()
        for message in self._inner.receive(max(0.0, wait_s)):
            self._incoming.append((self._due(), message))
        self._write_due()
        now = self._clock.now()
        due: list[ToWorker] = []
        while self._incoming and self._incoming[0][0] <= now:
            due.append(self._incoming.popleft()[1])
        return due

    def _write_due(self) -> None:
        now = self._clock.now()
        while self._outgoing and self._outgoing[0][0] <= now:
            self._inner.send(self._outgoing.popleft()[1])

    def _due(self) -> float:
        late = self._dice.random() < 0.2
        return self._clock.now() + (self._dice.uniform(0.0, self._seconds) if late else 0.0)
