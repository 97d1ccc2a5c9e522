"""The runtime planner's decisions, by a profile."""

from __future__ import annotations

import pytest
from tests.plan.search.toys import toy_profile

from goodput.control.planner.policy import Split
from goodput.control.planner.traffic import Traffic
from goodput.plan.profile.schema import Line, WorkerProfile
from goodput.plan.replan import ProfileCosts, planned

WORKER = WorkerProfile(
    prefill=Line(base_s=0.01, prefill_token_s=1e-3, prefill_pair_s=1e-6),
    decode=Line(base_s=0.01, decode_row_s=1e-3, context_token_s=1e-5),
    mixed=Line(base_s=0.01),
    kv_tokens=10_000,
)
COSTS = ProfileCosts(WORKER, prompt_tokens=100, answer_tokens=20)


def traffic(rate: float, prompt: float, answer: float) -> Traffic:
    return Traffic(
        requests=100,
        request_rate=rate,
        prompt_token_rate=rate * prompt,
        answer_tokens=answer,
        tpot=0.05,
    )


def test_costs_are_those_of_the_profile_at_the_mean_lengths() -> None:
    # 10 ms, 100 ms of rows and 5,000 pairs of a microsecond: 115 ms for a hundred tokens.
    assert COSTS.prefill_token_s == pytest.approx(1.15e-3)
    # Each answer reads 110 tokens in the middle of its life: 1.1 ms.
    assert COSTS.decode_step_s(4) == pytest.approx(0.01 + 4 * 2.1e-3)
    assert COSTS.sequences_within(0.0311, 64) == 10
    assert COSTS.sequences_within(0.001, 64) == 1
    assert COSTS.sequences_within(None, 64) == 64


def test_it_comes_to_rest_where_the_needs_are() -> None:
    # 20 prompts of 115 ms a second need 2.3 workers.
    heavy = traffic(20, 100, 2)
    split, decisions = planned(heavy, {"prefill": 1, "decode": 3}, COSTS, 64, 4)
    assert split == Split(prefill=3, decode=1)
    assert [(step.action, step.role) for step in decisions] == [("flip", "prefill")] * 2
    assert planned(heavy, {"prefill": 3, "decode": 1}, COSTS, 64, 4) == (split, [])


def test_a_mixture_of_kinds_and_a_quiet_server_are_left() -> None:
    both = {"prefill": 1, "decode": 1, "mixed": 1}
    assert planned(traffic(20, 100, 2), both, COSTS, 64, 9) == (Split(1, 1, 1), [])
    split, decisions = planned(traffic(0.01, 100, 2), {"mixed": 3}, COSTS, 64, 3)
    assert split == Split(mixed=1) and [step.action for step in decisions] == ["remove"] * 2


def test_the_parallelism_of_the_worker_counts() -> None:
    (worker, *_) = toy_profile().workers
    assert ProfileCosts(worker, 100, 20).prefill_token_s > 0
