"""The simple policies, by name, and what all policies have in common."""

from __future__ import annotations

from collections import Counter
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.router.made import view, work

from goodput.core.router_config import PolicyName, RouterConfig
from goodput.router.policies import make_policy
from goodput.router.policy import Placement, RoutingPolicy, Work, WorkerView

NAMES: tuple[PolicyName, ...] = get_args(PolicyName)


def policy(name: PolicyName) -> RoutingPolicy:
    return make_policy(RouterConfig(policy=name))


def path(placement: Placement | None) -> tuple[str, str | None] | None:
    return None if placement is None else (placement.prefill, placement.decode)


def test_least_loaded_looks_at_queues_and_not_at_caches() -> None:
    fleet = [
        view("prefill-0", queued_tokens=10),
        view("prefill-1", queued_tokens=20),
        view("decode-0", sequences=2),
        view("decode-1", sequences=1),
    ]
    job = work(1000, cached={"prefill-1": 992})
    assert path(policy("least-loaded").place(job, fleet)) == ("prefill-0", "decode-1")
    # Seconds count, not tokens.
    fleet[0].speeds.prefill_token_s = 1.0
    assert path(policy("least-loaded").place(job, fleet)) == ("prefill-1", "decode-1")


def test_prefix_goes_to_the_cache_however_busy() -> None:
    fleet = [view("mixed-0"), view("mixed-1", queued_tokens=9000), view("mixed-2")]
    job = work(100, cached={"mixed-1": 16})
    assert path(policy("prefix").place(job, fleet)) == ("mixed-1", None)
    assert path(policy("prefix").place(work(), fleet)) == ("mixed-0", None)


def test_round_robin_visits_all_and_survives_changes_of_the_fleet() -> None:
    rounds = policy("round-robin")
    fleet = [view("mixed-0"), view("mixed-1"), view("mixed-2")]

    def visit(views: list[WorkerView]) -> str:
        placement = rounds.place(work(), views)
        assert placement is not None
        return placement.prefill

    assert [visit(fleet) for _ in range(4)] == ["mixed-0", "mixed-1", "mixed-2", "mixed-0"]
    assert [visit(fleet[::2]) for _ in range(2)] == ["mixed-2", "mixed-0"]
    assert visit(fleet) == "mixed-1"


def test_round_robin_pairs_decode_workers_in_turn_too() -> None:
    rounds = policy("round-robin")
    fleet = [view("prefill-0"), view("decode-0"), view("decode-1")]
    decodes = [path(rounds.place(work(), fleet)) for _ in range(3)]
    assert decodes == [("prefill-0", f"decode-{n}") for n in (0, 1, 0)]


def test_random_is_even_and_repeatable() -> None:
    fleet = [view("mixed-0", queued_tokens=900), view("mixed-1"), view("mixed-2")]
    runs = [
        [path(chooser.place(work(), fleet)) for _ in range(600)]
        for chooser in (policy("random"), policy("random"))
    ]
    assert runs[0] == runs[1]
    assert all(150 < count < 250 for count in Counter(runs[0]).values())


views = st.builds(
    view,
    st.sampled_from([f"{role}-{n}" for role in ("prefill", "decode", "mixed") for n in (0, 1)]),
    queued_tokens=st.integers(0, 5000),
    sequences=st.integers(0, 10),
)


@pytest.mark.parametrize("name", NAMES)
@given(fleet=st.lists(views, unique_by=lambda v: v.name), tokens=st.integers(1, 2000))
def test_every_policy_finds_a_path_where_there_is_one(
    name: PolicyName, fleet: list[WorkerView], tokens: int
) -> None:
    roles = {v.name: v.role for v in fleet}
    whole = "mixed" in roles.values() or {"prefill", "decode"} <= set(roles.values())
    placement = policy(name).place(work(tokens), fleet)
    assert (placement is not None) == whole
    if placement is not None:
        ends = (roles[placement.prefill], placement.decode and roles[placement.decode])
        assert ends in (("prefill", "decode"), ("mixed", None))
    target = policy(name).place_decode(work(tokens), fleet)
    assert (target is None) == (set(roles.values()) <= {"prefill"})
    assert target is None or roles[target] != "prefill"


def test_a_work_has_always_a_token_to_compute() -> None:
    assert Work(32, 1, {"a": 32}).uncached("a") == 1
