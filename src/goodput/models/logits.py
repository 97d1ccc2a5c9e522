"""Changes to the logits that come before any choice: minimum length, bias and penalties."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from goodput.core.request import SamplingParams

FloatRow = npt.NDArray[np.float32]


def adjusted(
    logits: FloatRow,
    sequence_tokens: Sequence[int],
    num_prompt: int,
    params: SamplingParams,
    eos_token_ids: Iterable[int],
) -> FloatRow:
    """``logits`` with everything of ``params`` that is not random; never changes its argument.

    Returns ``logits`` itself when nothing is to be changed. Token ids outside of the vocabulary
    are ignored.
    """
    generated = len(sequence_tokens) - num_prompt
    too_short = generated < params.min_tokens
    penalized = (
        params.presence_penalty != 0.0
        or params.frequency_penalty != 0.0
        or params.repetition_penalty != 1.0
    )
    if not (too_short or penalized or params.logit_bias):
        return logits
    scores = logits.copy()
    if too_short:
        _forbid_stops(scores, params, eos_token_ids)
    for token, bias in params.logit_bias.items():
        if 0 <= token < scores.size:
            scores[token] += np.float32(bias)
    if penalized:
        _penalize(scores, sequence_tokens, num_prompt, params)
    return scores


def _forbid_stops(scores: FloatRow, params: SamplingParams, eos_token_ids: Iterable[int]) -> None:
    """No token may end the text before ``min_tokens``; one that would not end it is allowed."""
    stops = set(params.stop_token_ids)
    if not params.ignore_eos:
        stops.update(eos_token_ids)
    scores[[token for token in stops if 0 <= token < scores.size]] = -np.inf


def _penalize(
    scores: FloatRow, sequence_tokens: Sequence[int], num_prompt: int, params: SamplingParams
) -> None:
    """Repetition over the prompt and the answer, then frequency and presence over the answer."""
    tokens = np.asarray(sequence_tokens, dtype=np.int64)
    if params.repetition_penalty != 1.0:
        seen = _in_vocabulary(np.unique(tokens), scores.size)
        factor = np.float32(params.repetition_penalty)
        values = scores[seen]
        scores[seen] = np.where(values > 0, values / factor, values * factor)
    if params.presence_penalty != 0.0 or params.frequency_penalty != 0.0:
        answer = _in_vocabulary(tokens[num_prompt:], scores.size)
        seen, counts = np.unique(answer, return_counts=True)
        penalty = params.frequency_penalty * counts + params.presence_penalty
        scores[seen] -= penalty.astype(np.float32)


def _in_vocabulary(tokens: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.int64]:
    return tokens[(tokens >= 0) & (tokens < size)]
