"""The lease protocol among workers that die at any moment, with messages under way.

The model has what the table cannot see: real reference counts at the owners, the leases that each
holder is really reading, and queues of messages in both directions. Whatever happens, no block
that a live process may read is ever free at its owner, and in the end nothing is left.
"""

from __future__ import annotations

from collections import deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from goodput.kv.leases import Action, Fence, Free, LeaseTable, Outcome

OWNERS, HOLDERS = ("p0", "p1"), ("d0", "d1")


class Worker:
    """One slot: alive or not, what it keeps for leases, what it reads, and its two queues."""

    def __init__(self) -> None:
        self.alive = True
        self.kept: set[str] = set()
        self.reading: set[str] = set()
        self.inbox: deque[tuple[str, str]] = deque()
        self.outbox: deque[tuple[str, str]] = deque()


class LeaseMachine(RuleBasedStateMachine):
    """Each rule is one step of one process, of the network, or of fate."""

    def __init__(self) -> None:
        super().__init__()
        self.table = LeaseTable(ack_timeout_s=3.0, grant_timeout_s=20.0)
        self.workers = {name: Worker() for name in OWNERS + HOLDERS}
        self.owner_of: dict[str, str] = {}
        self.freed: set[str] = set()
        self.to_kill: set[str] = set()
        self.now = 0.0
        self.count = 0

    @rule(owner=st.sampled_from(OWNERS))
    def prompt_done(self, owner: str) -> None:
        worker = self.workers[owner]
        if worker.alive:
            lease_id = f"l{self.count}"
            self.count += 1
            self.owner_of[lease_id] = owner
            worker.kept.add(lease_id)
            worker.outbox.append(("grant", lease_id))

    @rule(holder=st.sampled_from(HOLDERS), back=st.integers(0, 3))
    def offer(self, holder: str, back: int) -> None:
        """The coordinator offers one of the last leases, sensibly or not."""
        lease_id = f"l{self.count - back}"
        if self.table.offer(lease_id, holder, self.now).outcome is Outcome.APPLIED:
            self.workers[holder].inbox.append(("start", lease_id))

    @rule(back=st.integers(0, 3))
    def give_up(self, back: int) -> None:
        """The client went away before an offer, or the coordinator mistakes it for so."""
        self.apply(self.table.release(f"l{self.count - back}", None).actions)

    @rule(name=st.sampled_from(OWNERS + HOLDERS))
    def work(self, name: str) -> None:
        """A worker handles its next message."""
        worker = self.workers[name]
        if worker.alive and worker.inbox:
            kind, lease_id = worker.inbox.popleft()
            if kind == "free":
                assert lease_id in worker.kept, "freed twice"
                worker.kept.remove(lease_id)
            else:
                self.assert_kept(lease_id)
                worker.reading.add(lease_id)
                worker.outbox.append(("ack", lease_id))

    @rule(name=st.sampled_from(HOLDERS))
    def finish(self, name: str) -> None:
        worker = self.workers[name]
        if worker.alive and worker.reading:
            lease_id = min(worker.reading)
            worker.reading.remove(lease_id)
            worker.outbox.append(("release", lease_id))

    @rule(name=st.sampled_from(OWNERS + HOLDERS), twice=st.booleans())
    def deliver(self, name: str, twice: bool) -> None:
        """The coordinator handles the next message of a worker, perhaps a second time too."""
        outbox = self.workers[name].outbox
        if outbox:
            kind, lease_id = outbox.popleft()
            for _ in range(1 + (twice and kind != "grant")):
                if kind == "grant":
                    self.table.grant(lease_id, name, [0], self.now)
                elif kind == "ack":
                    self.table.acknowledge(lease_id, name)
                else:
                    self.apply(self.table.release(lease_id, name).actions)

    @rule(owner=st.sampled_from(OWNERS), holder=st.sampled_from(HOLDERS))
    def hand_over(self, owner: str, holder: str) -> None:
        """The way of every day in one rule, so that deaths meet leases in every state."""
        self.start(owner)
        self.start(holder)
        self.prompt_done(owner)
        while self.workers[owner].outbox:
            self.deliver(owner, twice=False)
        self.offer(holder, back=1)
        while self.workers[holder].inbox:
            self.work(holder)

    @rule(name=st.sampled_from(OWNERS + HOLDERS), told=st.booleans())
    def die(self, name: str, told: bool) -> None:
        """SIGKILL; its last messages arrive before the news of its death, or never."""
        worker = self.workers[name]
        if worker.alive:
            while told and worker.outbox:
                self.deliver(name, False)
            self.workers[name] = Worker()
            self.workers[name].alive = False
            self.to_kill.discard(name)
            self.apply(self.table.worker_died(name).actions)

    @rule(name=st.sampled_from(OWNERS + HOLDERS))
    def start(self, name: str) -> None:
        if not self.workers[name].alive:
            worker = self.workers[name] = Worker()
            actions = self.table.worker_started(name).actions
            worker.kept = {x.lease_id for x in actions if not isinstance(x, Fence)}

    @rule(seconds=st.floats(0, 8))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.apply(self.table.expire(self.now).actions)

    def apply(self, actions: tuple[Action, ...]) -> None:
        for action in actions:
            if isinstance(action, Free):
                assert action.owner == self.owner_of[action.lease_id]
                assert action.lease_id not in self.freed, "freed twice"
                self.freed.add(action.lease_id)
                self.workers[action.owner].inbox.append(("free", action.lease_id))
            else:
                assert isinstance(action, Fence)
                self.to_kill.add(action.worker)

    def assert_kept(self, lease_id: str) -> None:
        owner = self.workers[self.owner_of[lease_id]]
        assert not owner.alive or lease_id in owner.kept, f"{lease_id} is read while it is free"

    @invariant()
    def nobody_reads_what_is_free(self) -> None:
        self.table.check_invariants()
        for holder in HOLDERS:
            for lease_id in self.workers[holder].reading:
                self.assert_kept(lease_id)

    def teardown(self) -> None:
        """Let everything end: no lease is live and no owner keeps anything."""
        for _ in range(4):
            for name in (*OWNERS, *HOLDERS):
                if name in self.to_kill:
                    self.die(name, told=False)
                self.start(name)
                worker = self.workers[name]
                while worker.outbox:
                    self.deliver(name, twice=False)
                while worker.inbox or worker.reading:
                    self.work(name)
                    self.finish(name)
            self.pass_time(30.0)
        self.nobody_reads_what_is_free()
        assert len(self.table) == 0
        assert not any(worker.kept or worker.reading for worker in self.workers.values())


LeaseMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
TestLeaseMachine = LeaseMachine.TestCase
