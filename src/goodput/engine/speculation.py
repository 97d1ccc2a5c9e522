"""How many drafts of which sequences a step computes: only as many as its slack makes cheap.

A step with few rows waits for the weights to come from memory, so further rows cost little. On the
CPU backend each costs about an eighth of a step with one row, up to eight rows (docs/performance.md
has the measurement). A draft is worth it when the chance that it is right, over its cost, clearly
beats the tokens per time that the step has without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from goodput.core.config import EngineConfig
from goodput.engine.drafter import Drafter
from goodput.engine.executor import StepPlan
from goodput.engine.sequence import Sequence as EngineSequence


def add_drafts(plan: StepPlan, config: EngineConfig, context_limit: int) -> None:
    """Give chunks of ``plan``, which all decode one token, drafts for which there is slack.

    Room for their keys and values is the caller's business.
    """
    most_rows = min(config.speculative_rows, config.token_budget)
    if not config.speculative_tokens or len(plan.chunks) >= most_rows:
        return
    proposals, candidates = [], []
    for chunk in plan.chunks:
        sequence = chunk.sequence
        if sequence.drafter is None:
            sequence.drafter = Drafter()
        most = min(config.speculative_tokens, tokens_left(sequence, context_limit) - 1)
        proposal = sequence.drafter.propose(sequence.tokens, most) if most > 0 else []
        proposals.append(_before_a_stop(proposal, sequence))
        candidates.append(Candidate(len(proposals[-1]), *sequence.drafter.chances()))
    shares = share_out(candidates, len(plan.chunks), most_rows, config.row_cost)
    for chunk, proposal, share in zip(plan.chunks, proposals, shares, strict=True):
        chunk.drafts = tuple(proposal[:share])


def tokens_left(sequence: EngineSequence, context_limit: int) -> int:
    """How many tokens the sequence can still get; at least one while it runs."""
    left = sequence.request.sampling.max_tokens - sequence.num_generated
    return min(left, context_limit - len(sequence.tokens))


def _before_a_stop(proposal: list[int], sequence: EngineSequence) -> list[int]:
    """Up to the first token that may end the text: nothing is verified behind an end."""
    stops = {*sequence.request.eos_token_ids, *sequence.request.sampling.stop_token_ids}
    if stops.isdisjoint(proposal):
        return proposal
    return proposal[: next(i for i, token in enumerate(proposal) if token in stops)]


_MARGIN: Final = 1.25
"""How much better than no draft it must look: the likeliest-looking ones are also overrated ones,
and the others in the batch wait for it in any case."""


@dataclass(slots=True)
class Candidate:
    """A decoding sequence's proposal.

    ``most``: drafts that it may have at the most. ``first``: the chance that the first of them is
    right; ``next``: that of each later one if all before it are right.
    """

    most: int
    first: float
    next: float


def share_out(
    candidates: Sequence[Candidate], rows: int, most_rows: int, row_cost: float
) -> list[int]:
    """How many drafts each candidate gets in a step that has ``rows`` rows without any.

    ``row_cost`` is the time of one more row over that of a step with one row.

    The likeliest draft comes first, whosever it is. No step gets more than ``most_rows`` rows by
    drafts, which bounds how long they can hold up other sequences.
    """
    counts = [0] * len(candidates)
    chances = [candidate.first for candidate in candidates]
    tokens = float(rows)  # expected from this step
    while rows < most_rows:
        open_ = [i for i, candidate in enumerate(candidates) if counts[i] < candidate.most]
        best = max(open_, key=chances.__getitem__, default=None)
        seconds = 1.0 + row_cost * (rows - 1)
        if best is None or chances[best] * seconds <= _MARGIN * row_cost * tokens:
            break
        tokens += chances[best]
        chances[best] *= candidates[best].next
        counts[best] += 1
        rows += 1
    return counts
