"""The request's body, bounded while it arrives, and the client's leaving, noticed at once."""

from __future__ import annotations

import asyncio
from types import TracebackType

from starlette.types import Receive, Scope

from goodput.frontend.failures import BodyTooLargeError, SlowBodyError

BODY_TIMEOUT_S = 30.0
_DRAIN_BYTES = 16 * 2**20
_DRAIN_TIMEOUT_S = 2.0


class ClientGone(Exception):  # noqa: N818 - no fault of ours, and nobody left to tell
    """The client closed the connection before it had its answer."""


async def read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The whole body, at most ``limit`` bytes.

    Raises BodyTooLargeError as soon as it is known (by Content-Length or by counting),
    SlowBodyError after BODY_TIMEOUT_S, and ClientGone.
    """
    headers = dict(scope["headers"])
    declared = headers.get(b"content-length", b"")
    oversized = declared.isdigit() and int(declared[:18]) > limit
    if oversized and headers.get(b"expect", b"").lower() == b"100-continue":
        raise _too_large(limit)  # the client asked before it sent: nothing to read away
    body = bytearray()
    more = not oversized
    too_large = oversized
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > limit:
                    too_large = True
                    break
    except TimeoutError:
        raise SlowBodyError(
            f"The request body did not arrive within {BODY_TIMEOUT_S:.0f} seconds."
        ) from None
    if too_large:
        body.clear()
        if more or oversized:
            await _read_away(receive)
        raise _too_large(limit)
    return bytes(body)


async def _read_away(receive: Receive) -> None:
    """Drop a little more of the body: a client still writing would miss an answer otherwise.

    (Closing a socket with unread bytes resets it, and the reset overtakes the answer.)
    """
    dropped = 0
    try:
        async with asyncio.timeout(_DRAIN_TIMEOUT_S):
            while dropped < _DRAIN_BYTES:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone
                dropped += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
    except TimeoutError:
        return


def _too_large(limit: int) -> BodyTooLargeError:
    return BodyTooLargeError(f"The request body is larger than {limit} bytes.")


class CancelOnDisconnect:
    """``async with``: the block is cancelled when the client leaves, and ClientGone is raised.

    Enter it after the body was read. Call :meth:`completed` before the last bytes are sent:
    servers report a disconnect after a complete response too.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._gone = False
        self._completed = False
        self._watch: asyncio.Task[None] | None = None
        self._block: asyncio.Task[object] | None = None

    def completed(self) -> None:
        """From here on a disconnect changes nothing."""
        self._completed = True

    async def __aenter__(self) -> CancelOnDisconnect:
        self._block = asyncio.current_task()
        self._watch = asyncio.create_task(self._wait())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._watch is not None:
            self._watch.cancel()
        if self._gone and self._block is not None:
            others = self._block.uncancel()
            if kind is None or (issubclass(kind, asyncio.CancelledError) and not others):
                raise ClientGone from None

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if not self._completed and self._block is not None:
            self._gone = True
            self._block.cancel()
