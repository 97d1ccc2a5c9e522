"""The lease protocol, event by event."""

from __future__ import annotations

import pytest

from goodput.kv.invariants import InvariantError
from goodput.kv.leases import Action, Fence, Free, LeaseState, LeaseTable, Outcome, Quarantine


@pytest.fixture
def table() -> LeaseTable:
    return LeaseTable(ack_timeout_s=5.0, grant_timeout_s=60.0)


def advance(table: LeaseTable, *, to: LeaseState, lease_id: str = "x") -> None:
    """Bring a lease of p for d to a state; offered at time 0."""
    assert table.grant(lease_id, "p", [1, 2], 0.0).outcome is Outcome.APPLIED
    if to is not LeaseState.GRANTED:
        assert table.offer(lease_id, "d", 0.0).outcome is Outcome.APPLIED
    if to is LeaseState.HELD:
        assert table.acknowledge(lease_id, "d").outcome is Outcome.APPLIED
    if to is LeaseState.FENCING:
        assert table.expire(5.0).actions == (Fence("d"),)
    lease = table.get(lease_id)
    assert lease is not None and lease.state is to


def test_the_way_of_every_day(table: LeaseTable) -> None:
    advance(table, to=LeaseState.HELD)
    assert table.expire(1e9).actions == ()
    assert table.release("x", "d").actions == (Free("p", "x"),)
    assert len(table) == 0


def test_an_offer_without_word_kills_before_it_frees(table: LeaseTable) -> None:
    advance(table, to=LeaseState.OFFERED)
    assert table.expire(4.9).actions == ()
    assert table.expire(5.0).actions == (Fence("d"),)
    assert table.expire(9.0).actions == ()
    assert table.acknowledge("x", "d").outcome is Outcome.LATE
    assert table.worker_died("d").actions == (Free("p", "x"),)


def test_one_fence_for_all_offers_of_a_worker(table: LeaseTable) -> None:
    advance(table, to=LeaseState.OFFERED, lease_id="x")
    advance(table, to=LeaseState.OFFERED, lease_id="y")
    assert table.expire(5.0).actions == (Fence("d"),)
    table.grant("z", "p", [3], 5.0)
    assert table.offer("z", "d", 5.0).outcome is Outcome.REFUSED
    assert set(table.worker_died("d").actions) == {Free("p", "x"), Free("p", "y")}


def test_a_fenced_holder_may_still_say_that_it_stopped(table: LeaseTable) -> None:
    advance(table, to=LeaseState.FENCING)
    assert table.release("x", "d").actions == (Free("p", "x"),)
    assert table.worker_died("d").actions == ()


def test_a_lease_that_nobody_was_offered_expires(table: LeaseTable) -> None:
    advance(table, to=LeaseState.GRANTED)
    assert table.expire(59.0).actions == ()
    assert table.expire(60.0).actions == (Free("p", "x"),)
    assert table.offer("x", "d", 61.0).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("state", [LeaseState.OFFERED, LeaseState.HELD, LeaseState.FENCING])
def test_the_owners_death_frees_nothing_that_may_be_read(
    table: LeaseTable, state: LeaseState
) -> None:
    advance(table, to=state)
    assert table.worker_died("p").actions == ()
    assert table.worker_started("p").actions == (Quarantine("p", (1, 2), "x"),)
    assert table.release("x", "d").actions == (Free("p", "x"),)


def test_a_second_life_that_dies_is_quarantined_again(table: LeaseTable) -> None:
    advance(table, to=LeaseState.HELD)
    for _ in range(2):
        table.worker_died("p")
        assert table.worker_started("p").actions == (Quarantine("p", (1, 2), "x"),)


def test_what_ends_while_the_owner_is_dead_is_not_quarantined(table: LeaseTable) -> None:
    advance(table, to=LeaseState.HELD)
    table.worker_died("p")
    assert table.release("x", "d").actions == ()
    assert table.worker_started("p").actions == ()


def test_both_die(table: LeaseTable) -> None:
    advance(table, to=LeaseState.HELD)
    assert table.worker_died("p").actions == ()
    assert table.worker_died("d").actions == ()
    assert len(table) == 0


def test_the_owners_death_forgets_what_nobody_was_offered(table: LeaseTable) -> None:
    advance(table, to=LeaseState.GRANTED)
    assert table.worker_died("p").actions == ()
    assert table.offer("x", "d", 0.0).outcome is Outcome.UNKNOWN
    assert table.worker_started("p").actions == ()


def test_the_coordinator_may_release_only_before_an_offer(table: LeaseTable) -> None:
    advance(table, to=LeaseState.GRANTED, lease_id="x")
    assert table.release("x", None).actions == (Free("p", "x"),)
    advance(table, to=LeaseState.OFFERED, lease_id="y")
    assert table.release("y", None).outcome is Outcome.REFUSED
    assert table.release("y", "e").outcome is Outcome.REFUSED
    assert len(table) == 1


def test_events_that_come_twice_change_nothing(table: LeaseTable) -> None:
    advance(table, to=LeaseState.HELD)
    outcomes = [
        table.grant("x", "p", [9], 0.0),
        table.offer("x", "d", 0.0),
        table.acknowledge("x", "d"),
    ]
    assert [x.outcome for x in outcomes] == [Outcome.DUPLICATE] * 3
    assert all(x.actions == () for x in outcomes)
    table.worker_died("d")
    assert table.worker_died("d").outcome is Outcome.DUPLICATE


def test_events_for_unknown_leases_change_nothing(table: LeaseTable) -> None:
    unknown = [table.offer("?", "d", 0), table.acknowledge("?", "d"), table.release("?", "d")]
    assert [x.outcome for x in unknown] == [Outcome.UNKNOWN] * 3


def test_refusals(table: LeaseTable) -> None:
    table.worker_died("dead")
    assert table.grant("a", "dead", [1], 0).outcome is Outcome.REFUSED
    advance(table, to=LeaseState.GRANTED)
    assert table.offer("x", "dead", 0).outcome is Outcome.REFUSED
    assert table.offer("x", "p", 0).outcome is Outcome.REFUSED
    table.offer("x", "d", 0)
    assert table.offer("x", "e", 0).outcome is Outcome.REFUSED
    assert table.acknowledge("x", "e").outcome is Outcome.REFUSED
    assert table.worker_started("p").outcome is Outcome.REFUSED
    nothing: tuple[Action, ...] = ()
    assert table.worker_started("new").actions == nothing


def test_a_broken_table_is_found(table: LeaseTable) -> None:
    advance(table, to=LeaseState.HELD)
    lease = table.get("x")
    assert lease is not None
    lease.holder = None
    with pytest.raises(InvariantError, match="lease x of p"):
        table.check_invariants()
