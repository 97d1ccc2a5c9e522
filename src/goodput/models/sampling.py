"""From one row of logits to one token, the same whatever else is in the batch.

The order of steps is vLLM's: minimum length, logit bias, penalties, a grammar's mask, temperature,
min-p, top-k, top-p. Reported logprobs are of the raw logits, before all of these (vLLM's default),
so they do not depend on how a token was chosen.

Randomness has no state: the uniform number of a token is a hash of (seed, index of the token), and
picks it from the cumulative weights of the candidates in the order of their ids. So a seed gives
the same text in any batch, after any preemption, and on a worker that resumes the request.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from goodput.core.request import SamplingParams, TokenLogprobs
from goodput.models.logits import adjusted

FloatRow = npt.NDArray[np.float32]
BoolRow = npt.NDArray[np.bool_]
IdArray = npt.NDArray[np.intp]

_MASK64 = (1 << 64) - 1
_GREEDY_BELOW = 1e-5
"""A temperature under this is greedy (as in vLLM): dividing by it would overflow float32."""
_SPAN = 256
_FEW = 8
"""One allowed token of so many is where gathering them is cheaper than masking the others."""


def sample(
    logits: FloatRow,
    sequence_tokens: Sequence[int],
    num_prompt: int,
    params: SamplingParams,
    eos_token_ids: Sequence[int] = (),
    allowed: BoolRow | None = None,
) -> tuple[int, TokenLogprobs | None]:
    """The next token after ``sequence_tokens``, and its logprobs when ``params`` asks for them.

    ``logits`` is float32 [vocab], finite, and not changed. ``sequence_tokens`` is the prompt
    (``num_prompt`` tokens) and everything generated so far. Greedy takes the lowest id among equal
    logits.

    ``allowed`` (at least one true; ids beyond its end are not allowed) is what a grammar leaves. It
    is stronger than ``params.min_tokens``, and temperature and what follows see nothing else.
    """
    index = len(sequence_tokens) - num_prompt
    scores = adjusted(logits, sequence_tokens, num_prompt, params, eos_token_ids)
    ids: IdArray | None = None
    if allowed is not None:
        too_short = index < params.min_tokens
        if too_short and not np.isfinite(scores[: allowed.size][allowed]).any():
            free = msgspec.structs.replace(params, min_tokens=0)
            scores = adjusted(logits, sequence_tokens, num_prompt, free, eos_token_ids)
        scores, ids = _restricted(scores, allowed)
    if params.temperature < _GREEDY_BELOW:
        token = int(scores.argmax())
    else:
        token = draw(scores, params, uniform(params.seed, index))
    if ids is not None:
        token = int(ids[token])
    if params.logprobs is None:
        return token, None
    return token, token_logprobs(logits, token, params.logprobs)


def _restricted(scores: FloatRow, allowed: BoolRow) -> tuple[FloatRow, IdArray | None]:
    """The allowed scores with their ids where they are few, else all, the others at -inf.

    Which of the two depends on ``allowed`` alone, so the same text is drawn everywhere.
    """
    scores = scores[: allowed.size]
    if np.count_nonzero(allowed) * _FEW <= allowed.size:
        ids = np.flatnonzero(allowed)
        return scores[ids], ids
    return np.where(allowed, scores, np.float32(-np.inf)), None


def uniform(seed: int, index: int) -> float:
    """A number in [0, 1) from 53 bits of splitmix64 over (seed, index)."""
    state = _mix((seed & _MASK64) + 0x9E3779B97F4A7C15)
    return (_mix(state + (index + 1) * 0x9E3779B97F4A7C15) >> 11) * 2.0**-53


def token_logprobs(logits: FloatRow, token: int, alternatives: int) -> TokenLogprobs:
    """Log-softmax of ``logits`` at ``token``, and the best ``alternatives`` (id, logprob).

    Best first, the lower id first among equals.
    """
    highest = logits.max()
    log_total = float(highest) + float(np.log(np.exp(logits - highest).sum(dtype=np.float64)))
    top: list[tuple[int, float]] = []
    if alternatives > 0:
        best = _largest(logits, min(alternatives, logits.size))
        best = best[np.argsort(-logits[best], kind="stable")]
        top = [(int(i), float(logits[i]) - log_total) for i in best]
    return TokenLogprobs(logprob=float(logits[token]) - log_total, top=top)


def draw(scores: FloatRow, params: SamplingParams, at: float) -> int:
    """The token at the fraction ``at`` of the candidates' total weight.

    Top-k comes before min-p here, which leaves the same candidates and computes fewer exponentials.
    """
    ids: IdArray | None = None  # Of the candidates, ascending; None stands for all of them.
    if 0 < params.top_k < scores.size:
        ids = _largest(scores, params.top_k)
        scores = scores[ids]
    weights = np.exp((scores - scores.max()) / np.float32(params.temperature))
    if params.min_p > 0.0:
        kept = np.flatnonzero(weights >= min(params.min_p, 1.0))
        ids, weights = _narrowed(ids, kept), weights[kept]
    if params.top_p < 1.0:
        kept = _nucleus(weights, params.top_p)
        ids, weights = _narrowed(ids, kept), weights[kept]
    position = _pick(weights, at)
    return position if ids is None else int(ids[position])


def _narrowed(ids: IdArray | None, kept: IdArray) -> IdArray:
    return kept if ids is None else ids[kept]


def _pick(weights: FloatRow, at: float) -> int:
    """The first position whose cumulative weight is above ``at`` of the total.

    Sums in two levels, because a cumulative sum over a whole vocabulary is slow. A weight of zero
    is never picked.
    """
    sums = np.add.reduceat(weights, np.arange(0, weights.size, _SPAN), dtype=np.float64)
    cumulative = sums.cumsum()
    target = at * cumulative[-1]
    span = min(int(cumulative.searchsorted(target, side="right")), int(sums.nonzero()[0][-1]))
    start = span * _SPAN
    inside = weights[start : start + _SPAN]
    before = cumulative[span - 1] if span else 0.0
    offset = int(inside.cumsum(dtype=np.float64).searchsorted(target - before, side="right"))
    # Rounding can put the target at the very end of the span.
    return start + min(offset, int(inside.nonzero()[0][-1]))


def _nucleus(weights: FloatRow, top_p: float) -> IdArray:
    """Positions of the fewest weights that together reach ``top_p`` of the total, at least one."""
    total = float(weights.sum(dtype=np.float64))
    # All weights below this bound sum to less than (1 - top_p) of the total, so none of them is in
    # the nucleus; what is left to sort is short. Half of it, to be safe from rounding.
    likely = weights[weights >= 0.5 * (1.0 - top_p) * total / weights.size]
    likely = np.sort(likely)[::-1]
    reached = likely.cumsum(dtype=np.float64).searchsorted(top_p * total, side="left")
    return _at_least(weights, likely[min(int(reached), likely.size - 1)], int(reached) + 1)


def _largest(values: FloatRow, count: int) -> IdArray:
    """Positions of the ``count`` (1 .. size) largest values, ascending."""
    place = values.size - count
    return _at_least(values, np.partition(values, place)[place], count)


def _at_least(values: FloatRow, bound: np.float32, count: int) -> IdArray:
    """At most ``count`` positions of values >= ``bound``, ascending; of equals the first ones."""
    above = np.flatnonzero(values > bound)
    equal = np.flatnonzero(values == bound)[: max(count - above.size, 0)]
    return np.sort(np.concatenate((above, equal)))


def _mix(state: int) -> int:
    state &= _MASK64
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK64
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK64
    return state ^ (state >> 31)
