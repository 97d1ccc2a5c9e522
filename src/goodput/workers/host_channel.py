"""The host's end of a worker's channel; apart, for workers do not import asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import msgspec

from goodput.workers.channel import ChannelCorrupt, FrameBuffer, frame
from goodput.workers.messages import FromWorker, ToWorker


class HostChannel(asyncio.Protocol):
    """The host's end of one worker's channel, driven by the event loop.

    ``on_message`` is called for each message in order; ``on_bad`` once, with a sentence, when the
    worker sends nonsense (the caller kills it). Nothing is called after :meth:`close`.
    """

    def __init__(
        self, on_message: Callable[[FromWorker], None], on_bad: Callable[[str], None]
    ) -> None:
        self._on_message = on_message
        self._on_bad = on_bad
        self._frames = FrameBuffer()
        self._transport: asyncio.WriteTransport | None = None
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)
        self.closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods, but not the base class.
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        if self.closed:
            return
        try:
            messages = [self._decoder.decode(item) for item in self._frames.feed(data)]
        except (ChannelCorrupt, msgspec.MsgspecError) as error:
            self.close()
            self._on_bad(str(error))
            return
        for message in messages:
            if self._transport is None:  # A message before this one made us close.
                return
            self._on_message(message)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self._transport = None

    def send(self, message: ToWorker) -> None:
        """Queue one message. Silently dropped once the worker is gone: its death is an event
        of its own, which undoes all that was sent."""
        if self._transport is not None and not self.closed:
            self._transport.write(frame(self._encoder.encode(message)))

    def close(self) -> None:
        """Stop reading and writing; the worker sees the end of the stream and exits."""
        self.closed = True
        if self._transport is not None:
            # abort, not close: a frozen worker would never take what is still queued.
            self._transport.abort()
            self._transport = None
