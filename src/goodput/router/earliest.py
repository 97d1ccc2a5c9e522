"""The default policy: the placement with the earliest predicted first token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from goodput.router.policy import Placement, Work, WorkerView

# How many decode steps a full worker is taken to need before a place becomes free.
_STEPS_UNTIL_ROOM: Final = 32
# Differences below this (seconds) are ties: noise of the estimates must not decide over load.
_TIE: Final = 1e-3


class EarliestFirstToken:
    """Queue and uncached tokens at the prefill side, plus waiting where the decode side is full.

    Ties go to the pair with fewer sequences, then more free blocks, then by name.
    """

    def place(self, work: Work, fleet: Sequence[WorkerView]) -> Placement | None:
        best: tuple[tuple[int, int, int, str], Placement] | None = None
        decode = self._decode_choice(work, [view for view in fleet if view.role == "decode"])
        for view in fleet:
            if view.role == "decode" or (view.role == "prefill" and decode is None):
                continue
            mixed = view.role == "mixed"
            target = view if mixed or decode is None else decode
            seconds = prefill_time(view, work) + decode_wait(target, work)
            placement = Placement(view.name, None if mixed else target.name, seconds)
            rank = (
                round(seconds / _TIE),
                view.sequences + (0 if mixed else target.sequences),
                -view.load.free_blocks,
                view.name,
            )
            if best is None or rank < best[0]:
                best = (rank, placement)
        return None if best is None else best[1]

    def place_decode(self, work: Work, fleet: Sequence[WorkerView]) -> str | None:
        choice = self._decode_choice(work, [view for view in fleet if view.role != "prefill"])
        return None if choice is None else choice.name

    def _decode_choice(self, work: Work, views: Sequence[WorkerView]) -> WorkerView | None:
        return min(
            views,
            key=lambda view: (
                decode_wait(view, work),
                view.sequences,
                -view.load.free_blocks,
                view.name,
            ),
            default=None,
        )


def prefill_time(view: WorkerView, work: Work) -> float:
    """Seconds until ``view`` would have computed the queue before this work, and the work."""
    tokens = view.queued_tokens + work.uncached(view.name)
    seconds = tokens * view.seconds_per_prefill_token
    if view.role == "mixed" and view.sequences:
        # Each of its chunks shares a step with the decoding sequences.
        seconds += -(-tokens // view.token_budget) * view.decode_step_s
    return seconds


def decode_wait(view: WorkerView, work: Work) -> float:
    """Seconds that the sequence would wait for a place or for blocks; 0 where there is room."""
    over = max(0, view.sequences + 1 - view.max_sequences)
    # Blocks of a prompt stay where it was computed; the decode side needs the rest.
    if work.blocks > view.load.free_blocks and view.sequences:
        over = max(over, 1)
    rounds = -(-over // view.max_sequences)
    return rounds * _STEPS_UNTIL_ROOM * view.decode_step_s
