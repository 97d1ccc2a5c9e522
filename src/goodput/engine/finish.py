"""When a sequence is done. The only place that knows."""

from __future__ import annotations

from goodput.core.request import FinishReason
from goodput.engine.sequence import Sequence


def finish_of(sequence: Sequence, context_limit: int) -> FinishReason | None:
    """Judge the token that was just appended; sets ``sequence.stop_token`` when it ends the text.

    A stop token counts only after ``min_tokens`` others, just where the sampler stops masking it.
    ``max_tokens`` counts everything generated, that of earlier attempts included. A text that
    stops with its last allowed token has stopped.
    """
    sampling = sequence.request.sampling
    token = sequence.tokens[-1]
    if sequence.num_generated > sampling.min_tokens:
        eos = not sampling.ignore_eos and token in sequence.request.eos_token_ids
        if eos or token in sampling.stop_token_ids:
            sequence.stop_token = token
            return "stop"
    if sequence.num_generated >= sampling.max_tokens or len(sequence.tokens) >= context_limit:
        return "length"
    return None
