"""Server-sent events, parsed in one pass over the bytes, wherever the network split them."""

from __future__ import annotations

_BOM = b"\xef\xbb\xbf"


class EventTooLargeError(Exception):
    """A server that never ends an event would otherwise fill the memory."""


class SSEParser:
    """Turns bytes into the ``data`` of complete events.

    Lines end in LF, CR or CRLF; several ``data`` lines of an event are joined by LF; comments
    (keep-alives) and other fields are ignored; an event without its blank line is not an event.
    """

    def __init__(self, max_event_bytes: int = 16_777_216) -> None:
        self._max_event_bytes = max_event_bytes
        self._partial: list[bytes] = []
        self._data: list[bytes] = []
        self._held = 0
        self._after_cr = False
        self._at_start = True

    def feed(self, data: bytes) -> list[bytes]:
        """The data of every event that ``data`` completes, in order.

        Raises EventTooLargeError when one event is longer than the limit.
        """
        if not data:
            return []
        if self._after_cr and data.startswith(b"\n"):
            data = data[1:]
        self._after_cr = data.endswith(b"\r")
        events: list[bytes] = []
        # Only LF and CR end a line of bytes; str.splitlines would also split at other characters.
        for piece in data.splitlines(keepends=True):
            line = piece.rstrip(b"\r\n")
            if len(line) == len(piece):
                self._hold(piece)
                self._partial.append(piece)
                break
            if self._partial:
                self._partial.append(line)
                line = b"".join(self._partial)
                self._held -= len(line) - len(self._partial[-1])
                self._partial.clear()
            if (event := self._line(line)) is not None:
                events.append(event)
        return events

    def _line(self, line: bytes) -> bytes | None:
        """Take in one whole line; the event's data when the line ends an event that has any."""
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        if not line:
            if not self._data:
                return None
            event = b"\n".join(self._data)
            self._data.clear()
            self._held = 0
            return event
        name, _, value = line.partition(b":")
        if name == b"data":
            value = value.removeprefix(b" ")
            self._hold(value)
            self._data.append(value)
        return None

    def _hold(self, piece: bytes) -> None:
        self._held += len(piece)
        if self._held > self._max_event_bytes:
            raise EventTooLargeError(f"a stream event is longer than {self._max_event_bytes} bytes")
