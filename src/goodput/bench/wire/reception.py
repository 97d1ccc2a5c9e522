"""What one streamed answer says, written into its record as it comes in."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from goodput.bench.wire.answer import BrokenAnswerError
from goodput.bench.wire.chunks import Chunk, decode_chunk, error_message
from goodput.core.record import RequestRecord, TokenStamp

_DONE = b"[DONE]"
_BAD_ENDINGS = ("error", "cancelled", "abort")


def read_event(event: bytes) -> Chunk | None:
    """An event as a chunk, None for ``[DONE]``; raises BrokenAnswerError when it is malformed."""
    try:
        return None if event == _DONE else decode_chunk(event)
    except msgspec.DecodeError as error:
        raise BrokenAnswerError(f"the stream has a malformed event: {error}") from None


class Reception:
    """Fills one record; its :meth:`take` is given to an answer. ``now`` is the run's clock.

    Where somebody wants them, ``said`` gets the pieces of the visible answer, and ``generated``
    all pieces of text, with None for tokens that are no text (a tool call).
    """

    __slots__ = ("_generated", "_now", "_said", "done", "failure", "record")

    def __init__(
        self,
        record: RequestRecord,
        now: Callable[[], float],
        said: list[str] | None = None,
        generated: list[str | None] | None = None,
    ) -> None:
        self.record = record
        self._now = now
        self._said = said
        self.done = False
        self.failure: str | None = None
        self._generated = generated

    def take(self, events: list[bytes]) -> bool:
        """Take in the events of one read; True when the answer has ended."""
        time = self._now()
        for event in events:
            chunk = read_event(event)
            if chunk is None:
                self.done = True
                return True
            if chunk.error is not None:
                self.failure = error_message(chunk.error)
                return True
            self._take_in(chunk, time)
        return False

    def verdict(self) -> str | None:
        """Why the stream that has been read is no good answer; None when it is one."""
        if self.failure is not None:
            return self.failure
        if self.record.finish_reason in _BAD_ENDINGS:
            return f"the server ended the answer with {self.record.finish_reason!r}"
        if not self.done and self.record.finish_reason is None:
            return "the stream ended before the answer did"
        return None

    def _take_in(self, chunk: Chunk, time: float) -> None:
        record = self.record
        if count := chunk.tokens:
            record.token_times.append(TokenStamp(time, count))
            if record.token_source == "chunks":
                record.output_tokens += count
            if self._generated is not None:
                self._generated.append(chunk.generated_text or None)
            if self._said is not None:
                self._said.append(chunk.text)
        for choice in chunk.choices:
            if choice.finish_reason is not None:
                record.finish_reason = choice.finish_reason
        if chunk.goodput is not None:
            record.spans = chunk.goodput.spans()
        if (usage := chunk.usage) is not None:
            record.prompt_tokens = usage.prompt_tokens
            record.cached_tokens = usage.cached_tokens
            # A server that reports zero tokens for an answer that we saw does not count.
            if usage.completion_tokens > 0:
                record.output_tokens = usage.completion_tokens
                record.token_source = "usage"
