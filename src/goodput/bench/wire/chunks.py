"""What a stream of (chat) completion chunks says, as far as a measurement needs it."""

from __future__ import annotations

from typing import Any

import msgspec

from goodput.core.timeline import Spans


class Delta(msgspec.Struct):
    """New pieces of an answer; whichever field carries them, they are generated tokens."""

    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[Any] | None = None

    def carries_tokens(self) -> bool:
        """Whether anything generated is inside (a role alone is not)."""
        return bool(
            self.content
            or self.reasoning_content
            or self.reasoning
            or self.refusal
            or self.tool_calls
        )

    @property
    def text(self) -> str:
        """What was generated as text, whoever it is meant for."""
        return self.content or self.reasoning_content or self.reasoning or self.refusal or ""


class Choice(msgspec.Struct):
    """One answer's part of a chunk: ``delta`` of a chat, ``text`` of a completion; ``token_ids``
    are there when the server reports them."""

    delta: Delta = msgspec.field(default_factory=Delta)
    text: str | None = None
    finish_reason: str | None = None
    token_ids: list[int] | None = None


class PromptDetails(msgspec.Struct):
    cached_tokens: int | None = None


class Usage(msgspec.Struct):
    """Token counts by the server's own tokenizer."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: PromptDetails | None = None

    @property
    def cached_tokens(self) -> int:
        """Prompt tokens that the server took from its prefix cache."""
        details = self.prompt_tokens_details
        return 0 if details is None else details.cached_tokens or 0


class Extension(msgspec.Struct):
    """Goodput's own addition to a chunk: the server's spans in milliseconds, by name."""

    spans_ms: dict[str, float] = {}

    def spans(self) -> Spans | None:
        """The spans in seconds; names that this version does not know are left out."""
        known = {
            name: milliseconds / 1e3
            for name, milliseconds in self.spans_ms.items()
            if name in Spans.__struct_fields__
        }
        return Spans(**known) if known else None


class Chunk(msgspec.Struct):
    """One event of the stream."""

    choices: list[Choice] = []
    usage: Usage | None = None
    error: Any = None
    goodput: Extension | None = None

    @property
    def tokens(self) -> int:
        """Generated tokens in this chunk: 0, the number that the server states, or 1."""
        count = 0
        for choice in self.choices:
            if choice.text or choice.delta.carries_tokens():
                count += len(choice.token_ids) if choice.token_ids else 1
        return count

    @property
    def text(self) -> str:
        """The answer's visible text in this chunk (first choice)."""
        if not self.choices:
            return ""
        return self.choices[0].text or self.choices[0].delta.content or ""

    @property
    def generated_text(self) -> str:
        """All text that was generated in this chunk, the reasoning included."""
        return "".join(choice.text or choice.delta.text for choice in self.choices)


decode_chunk = msgspec.json.Decoder(Chunk).decode


def error_message(error: Any) -> str:
    """The sentence inside an OpenAI-shaped error, or the whole of any other shape, as text."""
    if isinstance(error, dict):
        inner = error.get("error", error)
        if isinstance(inner, dict):
            inner = inner.get("message") or inner.get("detail") or inner
        return str(inner)
    return str(error)


def body_message(body: bytes) -> str:
    """The sentence inside an error response's body, whatever its format."""
    try:
        return error_message(msgspec.json.decode(body))
    except msgspec.DecodeError:
        return body.decode("utf-8", "replace").strip()
