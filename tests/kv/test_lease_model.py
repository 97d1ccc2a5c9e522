"""The lease protocol in every order of events within small bounds, around the real table.

Each broken table below is the real one with one rule taken away. That the exploration finds them
all says that it looks where it should.
"""

from __future__ import annotations

import pytest
from tests.kv.exploration import explore
from tests.kv.lease_world import Limits

from goodput.kv.leases import LeaseState, LeaseTable, Outcome, Transition

ANY = ("grant", "ack", "release", "free", "start", "cancel")
ONE_LEASE = Limits(("p",), ("d",), leases=1, repeats=1)
SMALL = {
    "one lease, one pair": ONE_LEASE,
    "one lease, two holders": Limits(("p",), ("d", "e"), leases=1, repeats=1),
    "workers that are both": Limits(("a", "b"), ("a", "b"), leases=1, repeats=1),
    "a hand-over lost": Limits(
        ("p",), ("d", "e"), leases=1, losses=1, losable=("start", "ack", "cancel")
    ),
    "any message lost": Limits(("p",), ("d", "e"), leases=1, losses=2, losable=ANY, repeats=1),
    "two leases, one death": Limits(("p",), ("d",), leases=2, deaths=1, gone_clients=False),
}
LARGE = {
    "two leases, one pair": Limits(("p",), ("d",), leases=2),
    "two leases, two holders": Limits(("p",), ("d", "e"), leases=2, deaths=1),
    "two leases, workers that are both": Limits(("a", "b"), ("a", "b"), leases=2, deaths=1),
    "two leases, a message lost and one repeated": Limits(
        ("p",), ("d",), leases=2, deaths=1, losses=1, losable=ANY, repeats=1
    ),
}


@pytest.mark.parametrize("name", SMALL)
def test_no_order_of_events_leaks_frees_twice_or_reads_what_is_reused(name: str) -> None:
    finding = explore(SMALL[name])
    print(f"{name}: {finding}")
    assert not finding.failure, str(finding)
    assert finding.states > 150, "the limits allow next to nothing"
    assert finding.rests >= 2, "the world never came to rest"


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", LARGE)
def test_nor_with_two_leases(name: str) -> None:
    finding = explore(LARGE[name])
    print(f"{name}: {finding}")
    assert not finding.failure, str(finding)


class Unchecked(LeaseTable):
    """The exploration has to see a failure by itself."""

    def check_invariants(self) -> None:
        """Blind."""


class FreesBeforeTheDeath(Unchecked):
    """An offer that is not acknowledged is freed at once, its holder left alive."""

    def expire(self, now: float) -> Transition:
        late = [x for x in self._leases.values() if now >= x.deadline]
        return Transition(Outcome.APPLIED, tuple(a for lease in late for a in self._end(lease)))


class NeverFences(Unchecked):
    """An offer has all the time in the world."""

    def expire(self, now: float) -> Transition:
        for lease in self._leases.values():
            if lease.state is LeaseState.OFFERED:
                lease.deadline = float("inf")
        return super().expire(now)


class ForgetsAllOfADeadOwner(Unchecked):
    """An owner's death ends its leases, held ones too."""

    def worker_died(self, worker: str) -> Transition:
        for lease in list(self._leases.values()):
            if lease.owner == worker:
                del self._leases[lease.id]
        return super().worker_died(worker)


class ReservesNothing(Unchecked):
    """A new process is not told of its former life's leases."""

    def worker_started(self, worker: str) -> Transition:
        return Transition(super().worker_started(worker).outcome)


class KeepsWhatTheDeadHeld(Unchecked):
    """A holder's death ends nothing of what others own."""

    def worker_died(self, worker: str) -> Transition:
        held = {k: x for k, x in self._leases.items() if x.holder == worker}
        for lease_id in held:
            del self._leases[lease_id]
        transition = super().worker_died(worker)
        self._leases |= held
        return transition


class TakesAnyoneSWord(Unchecked):
    """A lease ends on the coordinator's decision after an offer, too."""

    def release(self, lease_id: str, holder: str | None) -> Transition:
        lease = self._leases.get(lease_id)
        if lease is not None:
            holder = lease.holder
        return super().release(lease_id, holder)


class FreesTwice(Unchecked):
    """A release that was heard before frees again."""

    def release(self, lease_id: str, holder: str | None) -> Transition:
        lease = self._leases.get(lease_id)
        transition = super().release(lease_id, holder)
        if lease is not None and transition.actions and holder is not None:
            self._leases[lease_id] = lease
        return transition


class NeverExpiresGrants(Unchecked):
    """A grant that nobody is offered stays for ever."""

    def expire(self, now: float) -> Transition:
        kept = {k: x for k, x in self._leases.items() if x.state is LeaseState.GRANTED}
        for lease_id in kept:
            del self._leases[lease_id]
        transition = super().expire(now)
        for lease in kept.values():
            lease.deadline = float("inf")
        self._leases |= kept
        return transition


class OffersTwice(Unchecked):
    """What one holder was offered may be offered to another one."""

    def offer(self, lease_id: str, holder: str, now: float) -> Transition:
        lease = self._leases.get(lease_id)
        if lease is not None and lease.state is LeaseState.OFFERED and lease.holder != holder:
            lease.state, lease.holder = LeaseState.GRANTED, None
        return super().offer(lease_id, holder, now)


BROKEN = {
    FreesBeforeTheDeath: "may be used again",
    ForgetsAllOfADeadOwner: "may be used again",
    ReservesNothing: "may be used again",
    TakesAnyoneSWord: "may be used again",
    OffersTwice: "may be used again",
    FreesTwice: "a second time",
    KeepsWhatTheDeadHeld: "never end",
    NeverExpiresGrants: "never end",
    NeverFences: "never end",
}


@pytest.mark.parametrize("table", BROKEN)
def test_a_rule_taken_away_is_noticed(table: type[LeaseTable]) -> None:
    findings = [explore(limits, table) for limits in SMALL.values()]
    failures = [finding for finding in findings if finding.failure]
    assert any(BROKEN[table] in finding.failure for finding in failures), list(map(str, findings))
    assert all(finding.story for finding in failures)
