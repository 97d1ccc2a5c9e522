"""How much work is inside, whether more may come in, and when all of it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from goodput.core.errors import OverloadedError

_DRAIN_RETRY_S = 5.0


class Gate:
    """Counts the sequences in flight (a request with n=3 counts three times).

    Used from one event loop only.
    """

    def __init__(self, max_pending: int) -> None:
        self._max_pending = max_pending
        self._pending = 0
        self._draining = False
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def pending(self) -> int:
        """Sequences that were let in and have not ended."""
        return self._pending

    @property
    def draining(self) -> bool:
        """Whether new requests are refused because the server is about to stop."""
        return self._draining

    def start_draining(self) -> None:
        """Refuse new requests with 503 from now on; those inside go on. There is no way back."""
        self._draining = True

    async def wait_idle(self) -> None:
        """Return when no request is inside (at once if so now); bound it with a timeout."""
        await self._idle.wait()

    def check(self, sequences: int = 1) -> None:
        """Raise OverloadedError if so many sequences could not come in now."""
        if self._draining:
            raise OverloadedError(
                "The server is shutting down and takes no new requests.",
                retry_after_s=_DRAIN_RETRY_S,
                http_status=503,
            )
        if self._pending + sequences > self._max_pending:
            raise OverloadedError(
                f"The server already works on {self._pending} sequences and takes at most "
                f"{self._max_pending}; try again later."
            )

    @contextmanager
    def enter(self, sequences: int) -> Iterator[None]:
        """Let ``sequences`` in for as long as the block runs; raises OverloadedError."""
        self.check(sequences)
        self._pending += sequences
        self._idle.clear()
        try:
            yield
        finally:
            self._pending -= sequences
            if self._pending == 0:
                self._idle.set()
