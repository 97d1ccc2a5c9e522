"""What a server's own planner would do with its workers, by a profile instead of its own steps.

The needs and the decisions are the runtime planner's (``control/planner``): one definition serves
the fleet that changes itself and the advice about one that does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from goodput.control.planner.needs import Load, needs_of
from goodput.control.planner.policy import Decision, Observation, Split, at_rest
from goodput.control.planner.traffic import Traffic
from goodput.core.operations_config import PlannerConfig
from goodput.plan.profile.schema import StepLoad, WorkerProfile


@dataclass(frozen=True, slots=True)
class ProfileCosts:
    """A worker's steps by its profile, for prompts and answers of these mean lengths (tokens)."""

    worker: WorkerProfile
    prompt_tokens: float
    answer_tokens: float

    @property
    def prefill_token_s(self) -> float:
        """Of a whole prompt in one step, a token's share."""
        tokens = max(1, round(self.prompt_tokens))
        load = StepLoad(prefill_tokens=tokens, prefill_pairs=tokens**2 / 2)
        return self.worker.step_s(load) / tokens / self.worker.pipeline

    def decode_step_s(self, sequences: float) -> float:
        """Of so many answers in the middle of their length."""
        rows = max(1, round(sequences))
        context = round(rows * (self.prompt_tokens + self.answer_tokens / 2))
        return self.worker.step_s(StepLoad(decode_rows=rows, context_tokens=context))

    def sequences_within(self, tpot: float | None, most: int) -> float:
        """The largest batch (1 to ``most``) whose step takes ``tpot`` seconds at most."""
        if tpot is None:
            return most
        fitting = [rows for rows in range(1, most + 1) if self.decode_step_s(rows) <= tpot]
        return max(fitting, default=1)


def planned(
    traffic: Traffic, workers: Mapping[str, int], costs: ProfileCosts, max_sequences: int, most: int
) -> tuple[Split, list[Decision]]:
    """Where the runtime planner would come to rest with up to ``most`` workers, and on which way.

    Prefill and decode workers beside mixed ones are left as they are: it plans one kind only.
    """
    split = Split(**{role: workers.get(role, 0) for role in ("prefill", "decode", "mixed")})
    if split.mixed and split.workers > split.mixed:
        return split, []
    seen = Observation(
        at=0.0,
        split=split,
        requests=traffic.requests,
        needs=needs_of(traffic, Load(), costs, max_sequences),
        attainment=traffic.attainment,
        target=traffic.target,
    )
    least = 1 if split.mixed else 2
    return at_rest(seen, PlannerConfig(), (least, max(most, split.workers)))
