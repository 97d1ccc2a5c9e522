"""The request bodies of both endpoints, as OpenAI and (for the extras) vLLM define them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from goodput.core.slo import SLO

NonNegative = Annotated[int, Meta(ge=0)]
Milliseconds = Annotated[float, Meta(gt=0.0, le=86_400_000.0)]
Penalty = Annotated[float, Meta(ge=-2.0, le=2.0)]
StopString = Annotated[str, Meta(min_length=1, max_length=256)]
StopStrings = Annotated[list[StopString], Meta(max_length=16)]
Bias = Annotated[float, Meta(ge=-100.0, le=100.0)]


class StreamOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``include_obfuscation`` is accepted and has no effect."""

    include_usage: bool | None = False
    include_obfuscation: bool | None = None


class SloBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What this request was promised; each bound in milliseconds, null is unbounded."""

    ttft_ms: Milliseconds | None = None
    tpot_ms: Milliseconds | None = None
    e2e_ms: Milliseconds | None = None

    def to_slo(self) -> SLO:
        """The same bounds in seconds."""
        return SLO(
            ttft=_seconds(self.ttft_ms), tpot=_seconds(self.tpot_ms), e2e=_seconds(self.e2e_ms)
        )


class JsonSchemaFormat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``strict`` has no effect: every answer follows the schema."""

    name: str
    schema: dict[str, Any] | None = None
    description: str | None = None
    strict: bool | None = None


class ResponseFormat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """OpenAI's way to constrain an answer; ``json_object`` is any object."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchemaFormat | None = None


class CommonBody(msgspec.Struct, frozen=True, kw_only=True):
    """Fields that chat and plain completions share."""

    model: str
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: Annotated[int, Meta(ge=1)] = 1
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    min_tokens: NonNegative = 0
    temperature: Annotated[float, Meta(ge=0.0, le=2.0)] = 1.0
    top_p: Annotated[float, Meta(gt=0.0, le=1.0)] = 1.0
    top_k: Annotated[int, Meta(ge=-1)] = 0
    min_p: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.0
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    presence_penalty: Penalty = 0.0
    frequency_penalty: Penalty = 0.0
    repetition_penalty: Annotated[float, Meta(gt=0.0, le=100.0)] = 1.0
    logit_bias: Annotated[dict[str, Bias], Meta(max_length=1_024)] = {}
    stop: StopString | StopStrings | None = None
    stop_token_ids: Annotated[list[NonNegative], Meta(max_length=1_024)] = []
    ignore_eos: bool = False
    slo: SloBody | None = None
    user: Annotated[str, Meta(max_length=256)] | None = None
    priority: Annotated[int, Meta(ge=-1_000_000, le=1_000_000)] = 0
    response_format: ResponseFormat | None = None
    guided_json: dict[str, Any] | str | None = None
    guided_regex: str | None = None
    guided_choice: Annotated[list[str], Meta(min_length=1, max_length=1_024)] | None = None
    guided_grammar: str | None = None

    @property
    def stops(self) -> tuple[str, ...]:
        """The stop strings, none of them empty."""
        if self.stop is None:
            return ()
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop)

    @property
    def include_usage(self) -> bool:
        """Whether a stream ends with a chunk that has the token counts."""
        return bool(self.stream_options is not None and self.stream_options.include_usage)


class ChatBody(CommonBody, frozen=True, kw_only=True):
    """``POST /v1/chat/completions``. The messages are checked one by one in prompts.py."""

    messages: Annotated[list[dict[str, Any]], Meta(min_length=1, max_length=4_096)]
    max_completion_tokens: Annotated[int, Meta(ge=1)] | None = None
    logprobs: bool = False
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None


class CompletionBody(CommonBody, frozen=True, kw_only=True):
    """``POST /v1/completions``. ``prompt`` is text or token ids, or a list of either."""

    prompt: str | list[Any]
    best_of: Annotated[int, Meta(ge=1)] | None = None
    logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1e3
