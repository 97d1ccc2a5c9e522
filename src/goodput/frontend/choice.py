"""One answer as it grows: text, log-probabilities, counts and times of one sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from goodput.core.errors import GoodputError
from goodput.core.request import GenerationRequest, TokenDelta, TokenLogprobs
from goodput.core.timeline import Timeline
from goodput.frontend.detokenize import Detokenizer
from goodput.frontend.ports import Tokenizer
from goodput.frontend.stop import StopMatcher


class TokenMark(NamedTuple):
    """A token with its log-probabilities; ``offset`` is where its text starts, in characters."""

    token: int
    offset: int
    logprobs: TokenLogprobs


class Piece(NamedTuple):
    """What one event shows: some text, and the tokens that made it (if they were asked for)."""

    text: str
    marks: Sequence[TokenMark]


class Choice:
    """Turns the deltas of ``request`` into pieces of text.

    After :meth:`feed` has set ``finish_reason`` the text is complete and the caller closes the
    generator: a stop string ends the answer here, before the engine knows of it.
    """

    __slots__ = (
        "_decoded",
        "_detokenizer",
        "_marks",
        "_min_tokens",
        "_shown",
        "_stopper",
        "cached_tokens",
        "finish_reason",
        "first_token",
        "last_token",
        "request",
        "submitted",
        "timeline",
        "tokens",
    )

    def __init__(
        self, request: GenerationRequest, tokenizer: Tokenizer, stops: Sequence[str]
    ) -> None:
        self.request = request
        self.tokens = 0
        self.cached_tokens = 0
        self.finish_reason: Literal["stop", "length"] | None = None
        self.submitted: float | None = None
        self.first_token: float | None = None
        self.last_token: float | None = None
        self.timeline: Timeline | None = None
        self._detokenizer = Detokenizer(tokenizer)
        self._stopper = StopMatcher(stops)
        self._min_tokens = request.sampling.min_tokens
        self._marks: list[TokenMark] = []
        self._decoded = 0  # characters decoded so far, shown or held back
        self._shown = 0

    def feed(self, delta: TokenDelta, now: float) -> list[Piece]:
        """The pieces that this delta allows to be shown, one per token where it can be.

        ``now`` is the clock's time in seconds. Raises GoodputError when the engine gave up.
        """
        if delta.finish_reason == "error" and self.request.grammar is not None:
            raise GoodputError(
                "The engine ended this request before it was complete: its grammar may have become "
                "too costly to follow."
            )
        if delta.finish_reason in ("cancelled", "error"):
            raise GoodputError("The engine ended this request before it was complete.")
        self.cached_tokens = delta.cached_tokens or self.cached_tokens
        self.timeline = delta.timeline or self.timeline
        ids = delta.token_ids
        if ids:
            if self.first_token is None:
                self.first_token = now
            self.last_token = now
        textual = len(ids)
        if ids and delta.stop_token is not None and ids[-1] == delta.stop_token:
            textual -= 1
        pieces: list[Piece] = []
        for position in range(textual):
            self._take(ids[position], delta, position, pieces)
            if self.finish_reason is not None:
                return pieces
        self.tokens += len(ids) - textual
        if delta.finish_reason is not None:
            self._end(pieces)
            if self.finish_reason is None:
                self.finish_reason = "stop" if delta.finish_reason == "stop" else "length"
        return pieces

    def timeline_until(self, finished: float) -> Timeline:
        """The engine's stamps, or our own where a stop string ended the work before it told."""
        known = self.timeline or Timeline(
            received=self.request.received,
            first_token=self.first_token,
            last_token=self.last_token,
        )
        if known.submitted is None:
            known.submitted = self.submitted
        known.finished = finished
        return known

    def _take(self, token: int, delta: TokenDelta, position: int, pieces: list[Piece]) -> None:
        self.tokens += 1
        if delta.logprobs is not None and self.request.sampling.logprobs is not None:
            self._marks.append(TokenMark(token, self._decoded, delta.logprobs[position]))
        self._show(self._detokenizer.push(token), pieces)

    def _show(self, text: str, pieces: list[Piece]) -> None:
        if not text:
            return
        self._decoded += len(text)
        shown = self._stopper.push(text, armed=self.tokens >= self._min_tokens)
        if shown:
            self._shown += len(shown)
        if self._stopper.matched:
            self.finish_reason = "stop"
        self._emit(shown, pieces)

    def _end(self, pieces: list[Piece]) -> None:
        """The engine is done: show all that was held back, unless it ends in a stop string."""
        self._show(self._detokenizer.finish(), pieces)
        if self.finish_reason is None:
            rest = self._stopper.finish()
            self._shown += len(rest)
            self._emit(rest, pieces, last=True)

    def _emit(self, text: str, pieces: list[Piece], *, last: bool = False) -> None:
        if not self._marks:
            if text:
                pieces.append(Piece(text, ()))
            return
        # A token goes with the first text that reaches beyond its start; tokens of text that a
        # stop string cut off are never shown.
        ready = 0
        while ready < len(self._marks) and (last or self._marks[ready].offset < self._shown):
            ready += 1
        if text or ready:
            pieces.append(Piece(text, self._marks[:ready]))
            del self._marks[:ready]
