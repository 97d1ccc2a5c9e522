"""What a client asks for, after validation and tokenization, and what comes back.

These structs cross process boundaries as msgpack, so they hold plain data only.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal, Protocol

import msgspec

from goodput.core.slo import SLO
from goodput.core.timeline import Timeline

FinishReason = Literal["stop", "length", "cancelled", "error"]


class SamplingParams(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How tokens are chosen. Names and meanings are OpenAI's, or vLLM's where OpenAI has none.

    ``temperature == 0`` is greedy. ``top_k == 0`` and ``top_p == 1`` and ``min_p == 0`` are off.
    ``logprobs`` is the number of alternatives reported per token (0: the chosen token only;
    None: nothing is reported). Stop *strings* are applied by the frontend, which has the text.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    seed: int = 0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    repetition_penalty: float = 1.0
    logit_bias: dict[int, float] = {}
    stop_token_ids: tuple[int, ...] = ()
    max_tokens: int = 16
    min_tokens: int = 0
    ignore_eos: bool = False
    logprobs: int | None = None


class Grammar(msgspec.Struct, frozen=True, array_like=True):
    """What the answer must match, from its first byte to its last.

    ``text`` is a JSON schema, a regular expression, a JSON list of strings, or a grammar in Lark's
    or GBNF's notation.
    """

    kind: Literal["json_schema", "regex", "choice", "lark"]
    text: str


class GenerationRequest(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One sequence to generate. ``prompt`` and ``generated`` are token ids.

    ``generated`` holds tokens that an earlier attempt already sent to the client: a request that
    is resumed on another worker goes on after them, and they count towards ``max_tokens``.
    ``received`` is a :class:`~goodput.core.clock.Clock` stamp in seconds.
    """

    id: str
    prompt: list[int]
    sampling: SamplingParams
    received: float
    generated: list[int] = []
    eos_token_ids: tuple[int, ...] = ()
    slo: SLO | None = None
    tenant: str = "default"
    priority: int = 0
    grammar: Grammar | None = None


class TokenLogprobs(msgspec.Struct, frozen=True, array_like=True):
    """Natural-log probability of the chosen token, and the best alternatives (id, logprob)."""

    logprob: float
    top: list[tuple[int, float]] = []


class TokenDelta(msgspec.Struct, omit_defaults=True):
    """New tokens of one request, as one engine step made them; the last one has a finish reason.

    ``finish_reason == "stop"`` with ``stop_token`` set means that this token ended the text: it is
    in ``token_ids`` and counts as generated, but is not part of the text.
    ``timeline`` and ``cached_tokens`` are set on the last delta.
    """

    request_id: str
    token_ids: list[int]
    logprobs: list[TokenLogprobs] | None = None
    finish_reason: FinishReason | None = None
    stop_token: int | None = None
    cached_tokens: int = 0
    timeline: Timeline | None = None

    def followed_by(self, later: TokenDelta) -> TokenDelta:
        """Both as one; neither is to be used any more."""
        later.token_ids = [*self.token_ids, *later.token_ids]
        if self.logprobs is not None or later.logprobs is not None:
            later.logprobs = [*(self.logprobs or ()), *(later.logprobs or ())]
        return later


class Generator(Protocol):
    """Whatever turns requests into tokens: the fleet of workers, or one engine in a test."""

    def generate(self, request: GenerationRequest) -> AsyncIterator[TokenDelta]:
        """Stream deltas until one has a finish reason.

        Closing the iterator early cancels the work in whatever state it is and returns its memory.
        Raises :class:`~goodput.core.errors.OverloadedError` before the first delta when the
        request is refused, :class:`~goodput.core.errors.WorkerLostError` when no worker can
        finish it.
        """
        ...
