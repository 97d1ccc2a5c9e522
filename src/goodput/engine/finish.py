"""When a sequence is done. The only place that knows."""

from __future__ import annotations

from goodput.core.request import FinishReason
from goodput.engine.sequence import Sequence

NO_TOKEN = -1
"""Sampled where nothing may follow: the sequence's grammar got stuck. Ends it with "error"."""


def finish_of(sequence: Sequence, context_limit: int) -> FinishReason | None:
    """Judge the token that was just appended; sets ``sequence.stop_token`` when it ends the text.

    A stop token counts only after ``min_tokens`` others, just where the sampler stops masking it.
    ``max_tokens`` counts everything generated, that of earlier attempts included. A text that
    stops with its last allowed token has stopped. Under a grammar an end token always counts: the
    sampler gives one before ``min_tokens`` only where nothing else may follow.
    """
    sampling = sequence.request.sampling
    token = sequence.tokens[-1]
    if token == NO_TOKEN:
        return "error"
    eos = not sampling.ignore_eos and token in sequence.request.eos_token_ids
    long_enough = sequence.num_generated > sampling.min_tokens
    if long_enough:
        stops = eos or token in sampling.stop_token_ids
    else:
        stops = eos and sequence.request.grammar is not None
    if stops:
        sequence.stop_token = token
        return "stop"
    if sequence.num_generated >= sampling.max_tokens or len(sequence.tokens) >= context_limit:
        return "length"
    return None
