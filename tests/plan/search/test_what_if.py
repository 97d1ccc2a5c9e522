"""The constraint that is named is the one that was made scarce."""

import pytest
from tests.plan.search.toys import toy_candidate, toy_demand, toy_worker

from goodput.core.slo import SLO
from goodput.plan.profile.schema import WorkerProfile
from goodput.plan.search.bounds import lowest_limit
from goodput.plan.search.goodput import Task, find
from goodput.plan.search.judge import FleetJudge
from goodput.plan.search.race import Standing
from goodput.plan.search.what_if import binding_constraint, relieved, sped


@pytest.mark.parametrize(
    ("worker", "slo", "constraint"),
    [
        (toy_worker(row_s=0.1e-3), SLO(ttft=0.5, tpot=0.2), "prefill queue"),
        (toy_worker(token_s=0.1e-3), SLO(ttft=3.0, tpot=0.03), "decode step"),
        (
            toy_worker(token_s=0.05e-3, row_s=0.5e-3, base_s=20e-3, kv_tokens=620),
            SLO(ttft=3.0, tpot=0.06),
            "memory",
        ),
    ],
)
def test_what_is_scarce_is_named(worker: WorkerProfile, slo: SLO, constraint: str) -> None:
    candidate, demand = toy_candidate(1, 1, worker=worker), toy_demand()
    limit = lowest_limit(candidate, demand, slo)
    found = find(Task(candidate, demand, slo, 0.0, limit.rate))
    assert found.goodput
    standing = Standing(candidate, found.goodput, limit)
    assert binding_constraint(standing, FleetJudge(slo), demand) == constraint


def test_relief_changes_only_what_it_names() -> None:
    candidate = toy_candidate(1, 1)
    faster = relieved(candidate, "decode step", 2.0)
    before, after = (one.fleet.groups[0].worker for one in (candidate, faster))
    assert after.decode.decode_row_s == before.decode.decode_row_s / 2
    assert after.prefill == before.prefill
    assert after.kv_tokens == before.kv_tokens
    assert faster.fleet.link == candidate.fleet.link


def test_a_faster_machine_is_faster_in_every_step() -> None:
    worker = (
        sped(toy_candidate(mixed=1, worker=toy_worker(base_s=4e-3)), 2.0).fleet.groups[0].worker
    )
    assert worker.prefill.base_s == worker.decode.base_s == worker.mixed.base_s == 2e-3
    assert worker.mixed.prefill_token_s == 0.5e-3
    assert worker.mixed.decode_row_s == 5e-3
