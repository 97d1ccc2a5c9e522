"""How many prompt rows a step may have: as many as others can wait for its end.

A decoding sequence with a TPOT bound is on time while its k-th further token comes no later than k
bounds after its first. What it is ahead of that is slack, and a worker that does both phases spends
the slack on prompts: a whole prompt at once where the answers are far ahead, a step of decodes
alone where one of them is due. Without bounds to go by, ``EngineConfig.saturation_tokens`` rows are
the compromise.

No step computes prompts for much longer than ``LONGEST_STEP_S``: until it ends nothing else happens
at the worker, and a request that was cancelled keeps its blocks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from goodput.core.speeds import Speeds
from goodput.engine.sequence import Sequence

# Of the bound: the rest is for the message's way to the client, and for steps longer than foreseen.
_PROMISED_SHARE: Final = 0.85
# Decodes that take so much of the bound by themselves leave no slack to wait for.
_HOPELESS_SHARE: Final = 0.7
# Blocks of a cancelled request are promised back within 100 ms.
LONGEST_STEP_S: Final = 0.08


@dataclass(slots=True)
class Pace:
    """The decision, by the measured cost of steps."""

    speeds: Speeds = field(default_factory=Speeds)

    def prompt_rows(self, decoding: Iterable[Sequence], now: float, usual: int) -> int:
        """How many prompt rows the next step may have beside ``decoding`` (at least one sequence).

        0: they decode alone. ``usual`` is for sequences without a TPOT bound, for the time before
        the first measurements, and where decodes alone take most of the bound.
        """
        rows = self._rows_within_slack(list(decoding), now, usual)
        return min(rows, self.rows_alone(usual))

    def rows_alone(self, usual: int) -> int:
        """How many prompt rows a step without decodes may have; half of ``usual`` at least.

        With fewer the weights would be read for too little.
        """
        token_s = self.speeds.prefill_token_s
        return max(usual // 2, int(LONGEST_STEP_S / token_s)) if token_s else usual

    def _rows_within_slack(self, sequences: list[Sequence], now: float, usual: int) -> int:
        speeds = self.speeds
        if not (speeds.seen_prefill and speeds.seen_decode and speeds.prefill_token_s):
            return usual
        decode_s = speeds.step_s(len(sequences))
        for sequence in sequences:
            slo = sequence.request.slo
            if slo is None or slo.tpot is None or decode_s > _HOPELESS_SHARE * slo.tpot:
                return usual
        slack, _ = slack_of(sequences, now)
        if slack is None:
            return usual
        return max(0, int((slack - decode_s) / speeds.prefill_token_s))


def slack_of(sequences: Iterable[Sequence], now: float) -> tuple[float | None, float | None]:
    """How long those that decode can wait (seconds), and how often each then needs a token.

    Both None where no decoding sequence has a TPOT bound.
    """
    slack: float | None = None
    pace: float | None = None
    for sequence in sequences:
        slo, first = sequence.request.slo, sequence.timeline.first_token
        if slo is None or slo.tpot is None or first is None:
            continue
        every = _PROMISED_SHARE * slo.tpot
        left = first + every * sequence.num_generated - now
        slack = left if slack is None else min(slack, left)
        pace = every if pace is None else min(pace, every)
    return slack, pace
