"""What answers look like on the wire: JSON of whole answers and events of streams.

A stream's event is glued from bytes that were made once per request, so that a token costs one
small JSON string and no walk over a whole object.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from goodput.frontend.choice import Piece, TokenMark
from goodput.frontend.logprobs import chat_logprobs, completion_logprobs
from goodput.frontend.ports import Tokenizer

DONE = b"data: [DONE]\n\n"


@dataclass(slots=True, frozen=True)
class FinishedChoice:
    """One complete answer."""

    text: str
    marks: Sequence[TokenMark]
    finish_reason: str


class Shape(ABC):
    """Writes the answers of one request. All methods return complete JSON or SSE events."""

    whole_name: str
    chunk_name: str

    def __init__(
        self,
        *,
        request_id: str,
        model: str,
        created: int,
        tokenizer: Tokenizer,
        logprobs: bool,
        include_usage: bool,
    ) -> None:
        """``created`` is in Unix seconds; ``logprobs`` whether the request asked for them."""
        self._head = {"id": request_id, "created": created, "model": model}
        self._tokenizer = tokenizer
        self._logprobs = logprobs
        head = orjson.dumps({"object": self.chunk_name, **self._head})
        self._before = b"data: " + head[:-1] + b',"choices":['
        self._after = b'],"usage":null}\n\n' if include_usage else b"]}\n\n"

    def opening(self, index: int) -> bytes:
        """What precedes the first text of a choice."""
        return b""

    def chunk(self, index: int, piece: Piece) -> bytes:
        """The event of one piece of text."""
        logprobs = orjson.dumps(self.logprobs(piece.marks)) if piece.marks else b"null"
        return b'%b{"index":%d,%b,"logprobs":%b,"finish_reason":null}%b' % (
            self._before,
            index,
            self.text_field(orjson.dumps(piece.text)),
            logprobs,
            self._after,
        )

    def closing(self, index: int, reason: str, goodput: Mapping[str, Any] | None) -> bytes:
        """The event that tells why a choice ended; with our timings when it is the last one."""
        after = self._after
        if goodput is not None:
            after = b'],"goodput":%b}\n\n' % orjson.dumps(goodput)
        return b'%b{"index":%d,%b,"logprobs":null,"finish_reason":"%b"}%b' % (
            self._before,
            index,
            self.text_field(None),
            reason.encode(),
            after,
        )

    def usage(self, usage: Mapping[str, Any], goodput: Mapping[str, Any]) -> bytes:
        """The event without choices that has the token counts and our timings."""
        return b'%b],"usage":%b,"goodput":%b}\n\n' % (
            self._before,
            orjson.dumps(usage),
            orjson.dumps(goodput),
        )

    def whole(
        self,
        choices: Sequence[FinishedChoice],
        usage: Mapping[str, Any],
        goodput: Mapping[str, Any],
    ) -> bytes:
        """The body of an answer that is not streamed."""
        return orjson.dumps(
            {
                "object": self.whole_name,
                **self._head,
                "choices": [
                    {
                        "index": index,
                        **self.answer_fields(choice.text),
                        "logprobs": self.logprobs(choice.marks) if self._logprobs else None,
                        "finish_reason": choice.finish_reason,
                    }
                    for index, choice in enumerate(choices)
                ],
                "usage": usage,
                "goodput": goodput,
            }
        )

    @abstractmethod
    def text_field(self, text: bytes | None) -> bytes:
        """The part of a streamed choice with ``text`` (a JSON string), or with none."""

    @abstractmethod
    def answer_fields(self, text: str) -> dict[str, Any]:
        """The part of a whole choice with the text."""

    @abstractmethod
    def logprobs(self, marks: Sequence[TokenMark]) -> dict[str, Any]:
        """The log-probabilities of some tokens."""


class ChatShape(Shape):
    """``/v1/chat/completions``"""

    whole_name = "chat.completion"
    chunk_name = "chat.completion.chunk"

    def opening(self, index: int) -> bytes:
        return (
            b'%b{"index":%d,"delta":{"role":"assistant","content":""},"logprobs":null,'
            b'"finish_reason":null}%b' % (self._before, index, self._after)
        )

    def text_field(self, text: bytes | None) -> bytes:
        return b'"delta":{}' if text is None else b'"delta":{"content":%b}' % text

    def answer_fields(self, text: str) -> dict[str, Any]:
        return {"message": {"role": "assistant", "content": text, "refusal": None}}

    def logprobs(self, marks: Sequence[TokenMark]) -> dict[str, Any]:
        return chat_logprobs(marks, self._tokenizer)


class CompletionShape(Shape):
    """``/v1/completions``"""

    whole_name = "text_completion"
    chunk_name = "text_completion"

    def text_field(self, text: bytes | None) -> bytes:
        return b'"text":%b' % (text or b'""')

    def answer_fields(self, text: str) -> dict[str, Any]:
        return {"text": text}

    def logprobs(self, marks: Sequence[TokenMark]) -> dict[str, Any]:
        return completion_logprobs(marks, self._tokenizer)
