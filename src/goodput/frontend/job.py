"""A validated HTTP request: the sequences to generate, and how to show them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import msgspec

from goodput.core.config import LimitsConfig
from goodput.core.errors import ContextLengthError, InvalidRequestError
from goodput.core.request import GenerationRequest, Grammar, SamplingParams
from goodput.core.slo import SLO
from goodput.frontend.bodies import ChatBody, CommonBody, CompletionBody
from goodput.frontend.ports import Tokenizer

_SEEDS = 2**63
_DEFAULT_COMPLETION_TOKENS = 16  # OpenAI's default of /v1/completions; chat has none


@dataclass(slots=True)
class Job:
    """One HTTP request. ``requests[i]`` becomes the choice with index i, ``n`` per prompt."""

    id: str
    received: float
    requests: list[GenerationRequest]
    n: int
    stops: tuple[str, ...]
    stream: bool
    include_usage: bool
    slo: SLO | None

    @property
    def prompt_tokens(self) -> int:
        """Tokens of all prompts, each counted once however many answers it gets."""
        return sum(len(request.prompt) for request in self.requests[:: self.n])


def build_job(
    body: CommonBody,
    prompts: list[list[int]],
    *,
    grammar: Grammar | None,
    request_id: str,
    received: float,
    tenant: str,
    tokenizer: Tokenizer,
    context_length: int,
    limits: LimitsConfig,
) -> Job:
    """Combine a checked body with its token ids; raises InvalidRequestError with the field."""
    if body.n > limits.max_n:
        raise InvalidRequestError(
            f"The field 'n' is {body.n}, more than this server's {limits.max_n}.", param="n"
        )
    if isinstance(body, CompletionBody) and body.best_of not in (None, body.n):
        raise InvalidRequestError(
            "The field 'best_of' is only supported when it equals n.", param="best_of"
        )
    slo = None if body.slo is None else body.slo.to_slo()
    first_seed = secrets.randbelow(_SEEDS) if body.seed is None else body.seed
    common = _sampling(body, tokenizer)
    single = len(prompts) * body.n == 1
    requests: list[GenerationRequest] = []
    for prompt in prompts:
        max_tokens = _max_tokens(body, len(prompt), context_length)
        for number in range(body.n):
            requests.append(
                GenerationRequest(
                    id=request_id if single else f"{request_id}-{len(requests)}",
                    prompt=prompt,
                    sampling=msgspec.structs.replace(
                        common, seed=(first_seed + number) % _SEEDS, max_tokens=max_tokens
                    ),
                    received=received,
                    eos_token_ids=tuple(tokenizer.eos_token_ids),
                    slo=slo,
                    tenant=tenant,
                    priority=body.priority,
                    grammar=grammar,
                )
            )
    return Job(
        id=request_id,
        received=received,
        requests=requests,
        n=body.n,
        stops=body.stops,
        stream=body.stream,
        include_usage=body.include_usage,
        slo=slo,
    )


def _sampling(body: CommonBody, tokenizer: Tokenizer) -> SamplingParams:
    """The sampling fields that all sequences of the request share."""
    for token in body.stop_token_ids:
        if token >= tokenizer.vocab_size:
            raise InvalidRequestError(
                f"The field 'stop_token_ids' has {token}, beyond the model's "
                f"{tokenizer.vocab_size} tokens.",
                param="stop_token_ids",
            )
    return SamplingParams(
        temperature=body.temperature,
        top_p=body.top_p,
        top_k=max(0, body.top_k),  # vLLM's -1 also means off
        min_p=body.min_p,
        presence_penalty=body.presence_penalty,
        frequency_penalty=body.frequency_penalty,
        repetition_penalty=body.repetition_penalty,
        logit_bias=_logit_bias(body.logit_bias, tokenizer.vocab_size),
        stop_token_ids=tuple(body.stop_token_ids),
        min_tokens=body.min_tokens,
        ignore_eos=body.ignore_eos,
        logprobs=_logprobs(body),
    )


def _logprobs(body: CommonBody) -> int | None:
    if isinstance(body, CompletionBody):
        return body.logprobs
    if not isinstance(body, ChatBody):
        return None
    if body.logprobs:
        return body.top_logprobs or 0
    if body.top_logprobs:
        raise InvalidRequestError(
            "The field 'top_logprobs' needs logprobs to be true.", param="top_logprobs"
        )
    return None


def _logit_bias(biases: dict[str, float], vocab_size: int) -> dict[int, float]:
    result: dict[int, float] = {}
    for key, bias in biases.items():
        # int() would also take "1_0", " 7" and other scripts' digits.
        if not (key.isascii() and key.isdigit() and len(key) < 10 and int(key) < vocab_size):
            raise InvalidRequestError(
                f"The field 'logit_bias' has the key '{key[:40]}', which is not a token id "
                f"in 0..{vocab_size - 1}.",
                param="logit_bias",
            )
        result[int(key)] = bias
    return result


def _max_tokens(body: CommonBody, prompt: int, context: int) -> int:
    """The bound on the answer's tokens, by the request or by what the context leaves."""
    chat = isinstance(body, ChatBody)
    param = "messages" if chat else "prompt"
    room = context - prompt
    if room < 1:
        raise ContextLengthError(
            f"The prompt has {prompt} tokens, but the model's context is {context} tokens "
            "and must also hold the answer.",
            param=param,
        )
    wanted = body.max_tokens
    if isinstance(body, ChatBody) and body.max_completion_tokens is not None:
        wanted = body.max_completion_tokens
    if wanted is not None and wanted > room:
        raise ContextLengthError(
            f"The prompt has {prompt} tokens and the answer may have {wanted}, together "
            f"{prompt + wanted}, but the model's context is {context} tokens.",
            param=param,
        )
    most = wanted if wanted is not None else room if chat else min(room, _DEFAULT_COMPLETION_TOKENS)
    if body.min_tokens > most:
        raise InvalidRequestError(
            f"The field 'min_tokens' is {body.min_tokens}, more than the {most} tokens that the "
            "answer may have.",
            param="min_tokens",
        )
    return most
