"""Stop strings, matched across the borders of tokens and chunks."""

from __future__ import annotations

from collections.abc import Sequence


class StopMatcher:
    """Passes text on, except what might still become a stop string, and cuts at the first match.

    The first match is the one that ends first (the longest of those that end together), so the
    result is the same however the text is cut into pieces.
    """

    __slots__ = ("_held", "_longest", "_stops", "matched")

    def __init__(self, stops: Sequence[str]) -> None:
        """``stops`` has no empty string; an empty list matches nothing."""
        self._stops = tuple(stops)
        self._longest = max(map(len, self._stops), default=0)
        self._held = ""
        self.matched = False

    def push(self, text: str, *, armed: bool = True) -> str:
        """Take new text, return what may be shown now.

        While not ``armed`` (before ``min_tokens``) a complete stop string is ordinary text; one
        that began then and ends later counts. After a match nothing more may be pushed.
        """
        if not self._stops:
            return text
        buffer = self._held + text
        if armed:
            cut = self._find(buffer, len(self._held))
            if cut is not None:
                self.matched = True
                self._held = ""
                return buffer[:cut]
        keep = self._unfinished(buffer)
        self._held = buffer[len(buffer) - keep :]
        return buffer[: len(buffer) - keep]

    def finish(self) -> str:
        """The text that was held back, now that nothing follows it."""
        held, self._held = self._held, ""
        return held

    def _find(self, buffer: str, old: int) -> int | None:
        """Start of the first stop in ``buffer`` that ends beyond its first ``old`` characters."""
        best: tuple[int, int] | None = None
        for stop in self._stops:
            start = buffer.find(stop, max(0, old - len(stop) + 1))
            if start >= 0:
                candidate = (start + len(stop), start)
                best = candidate if best is None else min(best, candidate)
        return None if best is None else best[1]

    def _unfinished(self, buffer: str) -> int:
        """Length of the longest end of ``buffer`` that a stop string could go on from."""
        for length in range(min(self._longest - 1, len(buffer)), 0, -1):
            tail = buffer[len(buffer) - length :]
            if any(len(stop) > length and stop.startswith(tail) for stop in self._stops):
                return length
        return 0
