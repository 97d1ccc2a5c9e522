"""The default policy: the placement that takes the least time from everybody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from goodput.router.cost import answer_cost, first_token_s, handoff_s, prompt_cost
from goodput.router.policy import Placement, Work, WorkerView
from goodput.router.split import Split, best_split

# Differences below this (seconds) are ties: noise of the estimates must not decide over load.
_TIE: Final = 1e-3


class Slack:
    """Compares every mixed worker with the best pair of a prefill and a decode worker.

    With ``conditional`` every worker is also judged as a mixed one: a short prompt may then stay
    with the worker that decodes it, and a decode side that is full may leave answers to the other.
    The pair may also share the prompt, as far as the decode worker's answers have slack.
    Ties go to the placement with fewer sequences, then more free blocks, then by name.
    """

    def __init__(self, *, conditional: bool = False) -> None:
        self._conditional = conditional

    def place(self, work: Work, fleet: Sequence[WorkerView]) -> Placement | None:
        best = min(self._candidates(work, fleet), key=_rank, default=None)
        if best is None:
            return None
        first, second, split = best.first, best.second, best.split
        if split is not None:
            return Placement(first.name, second.name, split.first_token_s, split.at)
        decode = None if first is second else second.name
        return Placement(first.name, decode, first_token_s(first, work))

    def place_decode(self, work: Work, fleet: Sequence[WorkerView]) -> str | None:
        ranked = [
            _Ranked(answer_cost(view, work), view, view) for view in fleet if view.role != "prefill"
        ]
        best = min(ranked, key=_rank, default=None)
        return None if best is None else best.first.name

    def _candidates(self, work: Work, fleet: Sequence[WorkerView]) -> Iterator[_Ranked]:
        prompts = [(prompt_cost(view, work), view) for view in fleet if self._computes(view)]
        answers = {
            view.name: answer_cost(view, work) for view in fleet if self._decodes(view)
        }  # One cost each, for its pair and for both phases there.
        takers = [
            _Ranked(answers[view.name] + handoff_s(view), view, view)
            for view in fleet
            if view.role == "decode"
        ]
        taker = min(takers, key=_rank, default=None)
        for cost, view in prompts:
            if view.role == "mixed" or self._conditional:
                yield _Ranked(cost + answers[view.name], view, view)
            if view.role == "prefill" and taker is not None:
                yield _Ranked(cost + taker.cost, view, taker.second)
                split = best_split(view, taker.second, work) if self._conditional else None
                if split is not None:
                    answer = answers[taker.second.name]
                    yield _Ranked(split.cost + answer, view, taker.second, split)

    def _computes(self, view: WorkerView) -> bool:
        return self._conditional or view.role != "decode"

    def _decodes(self, view: WorkerView) -> bool:
        return self._conditional or view.role != "prefill"


class _Ranked(NamedTuple):
    """A placement: who computes the prompt, who writes the answer, and what it costs in seconds."""

    cost: float
    first: WorkerView
    second: WorkerView
    split: Split | None = None


def _rank(candidate: _Ranked) -> tuple[int, int, int, str]:
    cost, first, second, _ = candidate
    sequences = second.sequences + (first.sequences if first is not second else 0)
    return round(cost / _TIE), sequences, -first.load.free_blocks, first.name
