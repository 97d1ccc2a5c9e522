"""Length-prefixed msgpack frames over an inherited socket pair, one pair for each worker.

A socket pair needs no name in a file system, nobody else can connect to it, and the kernel closes
it when either process dies: the end of the stream is an exact sign of death.
"""

from __future__ import annotations

import select
import socket
from typing import Final, Protocol

import msgspec

from goodput.workers.messages import FromWorker, ToWorker

MAX_FRAME_BYTES: Final = 64 * 2**20
_HEADER: Final = 4
_READ_SIZE: Final = 1 << 18


class ChannelClosed(Exception):  # noqa: N818 - an event, not a mistake
    """The other process is gone."""


class ChannelCorrupt(Exception):  # noqa: N818
    """The other process sent something that is no message of ours."""


class FrameBuffer:
    """Cuts a byte stream into frames; holds at most one incomplete frame."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """All frames that are complete now. Raises ChannelCorrupt on an oversized frame."""
        self._bytes += data
        frames: list[bytes] = []
        start = 0
        available = len(self._bytes)
        while available - start >= _HEADER:
            length = int.from_bytes(self._bytes[start : start + _HEADER], "little")
            if length > MAX_FRAME_BYTES:
                raise ChannelCorrupt(f"a frame of {length} bytes is beyond {MAX_FRAME_BYTES}")
            end = start + _HEADER + length
            if end > available:
                break
            frames.append(bytes(self._bytes[start + _HEADER : end]))
            start = end
        del self._bytes[:start]
        return frames


def frame(payload: bytes) -> bytes:
    """The payload with its length before it."""
    return len(payload).to_bytes(_HEADER, "little") + payload


class Channel(Protocol):
    """What a worker's loop needs of a channel."""

    def send(self, message: FromWorker) -> None:
        """Write one message. Raises ChannelClosed."""

    def receive(self, timeout_s: float) -> list[ToWorker]:
        """Messages that came; waits no longer than ``timeout_s``. Raises ChannelClosed."""


class WorkerChannel:
    """The worker's end: blocking, and polled between engine steps. Owns the socket.

    workers/host_channel.py has the other end.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(True)
        self._socket = sock
        self._frames = FrameBuffer()
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN | select.POLLHUP)
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder: msgspec.msgpack.Decoder[ToWorker] = msgspec.msgpack.Decoder(ToWorker)

    def send(self, message: FromWorker) -> None:
        """Write one message; blocks while the host is busy. Raises ChannelClosed."""
        try:
            self._socket.sendall(frame(self._encoder.encode(message)))
        except OSError:
            raise ChannelClosed from None

    def receive(self, timeout_s: float) -> list[ToWorker]:
        """Messages that came within ``timeout_s`` (0: only what is there). Raises ChannelClosed."""
        if not self._poll.poll(timeout_s * 1e3):
            return []
        try:
            data = self._socket.recv(_READ_SIZE)
        except OSError:
            raise ChannelClosed from None
        if not data:
            raise ChannelClosed
        return [self._decoder.decode(item) for item in self._frames.feed(data)]
