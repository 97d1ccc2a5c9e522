"""How many prompt rows a step may have while answers are being written: as many as they can wait.

A decoding sequence with a TPOT bound is on time while its k-th further token comes no later than k
bounds after its first. What it is ahead of that is slack, and a worker that does both phases spends
the slack on prompts: a whole prompt at once where the answers are far ahead, a step of decodes
alone where one of them is due. Without bounds to go by, ``EngineConfig.saturation_tokens`` rows are
the compromise.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from goodput.engine.sequence import Sequence

_EWMA_WEIGHT: Final = 0.2
# Of the bound: the rest is for the message's way to the client, and for steps longer than foreseen.
_PROMISED_SHARE: Final = 0.85
# Decodes that take so much of the bound by themselves leave no slack to wait for.
_HOPELESS_SHARE: Final = 0.7


@dataclass(slots=True)
class Pace:
    """The measured cost of steps, in seconds, and the decision. None until something was measured.

    ``decode_s``: a step of decodes alone; ``row_s``: a further prompt row. Exponentially weighted
    means, started by the first observation.
    """

    decode_s: float | None = None
    row_s: float | None = None

    def observe(self, prompt_rows: int, decode_rows: int, seconds: float) -> None:
        """Take in a step; one that did both is charged to its prompts after its decodes."""
        if prompt_rows:
            decode = min(self.decode_s or 0.0, seconds / 2) if decode_rows else 0.0
            self.row_s = _mean(self.row_s, (seconds - decode) / prompt_rows)
        elif decode_rows:
            self.decode_s = _mean(self.decode_s, seconds)

    def prompt_rows(self, decoding: Iterable[Sequence], now: float, usual: int) -> int:
        """How many prompt rows the next step may have beside ``decoding`` (at least one sequence).

        0: they decode alone. ``usual`` is for sequences without a TPOT bound, for the time before
        the first measurements, and where decodes alone take most of the bound.
        """
        if self.decode_s is None or not self.row_s:
            return usual
        slack = float("inf")
        for sequence in decoding:
            slo, first = sequence.request.slo, sequence.timeline.first_token
            if slo is None or slo.tpot is None or self.decode_s > _HOPELESS_SHARE * slo.tpot:
                return usual
            if first is not None:
                due = first + _PROMISED_SHARE * slo.tpot * sequence.num_generated
                slack = min(slack, due - now)
        if slack == float("inf"):
            return usual
        return max(0, int((slack - self.decode_s) / self.row_s))


def _mean(before: float | None, sample: float) -> float:
    return sample if before is None else before + _EWMA_WEIGHT * (sample - before)
