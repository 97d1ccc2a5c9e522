"""The block pool: hand-made cases for each rule, and random use against a model of it."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from goodput.kv.block_pool import BlockPool
from goodput.kv.invariants import InvariantError


def full(pool: BlockPool, *digests: bytes) -> list[int]:
    """Allocate, register and keep one block for each digest."""
    blocks = pool.allocate(len(digests))
    assert blocks is not None
    for block, digest in zip(blocks, digests, strict=True):
        pool.register(block, digest)
    return blocks


def test_allocation_is_all_or_nothing() -> None:
    pool = BlockPool(10, 4, 16)
    assert pool.allocate(5) is None
    assert pool.available == 4
    blocks = pool.allocate(4)
    assert blocks is not None and sorted(blocks) == [10, 11, 12, 13]
    assert pool.allocate(0) == []
    pool.check_invariants([blocks])


def test_a_released_full_block_is_found_again() -> None:
    pool = BlockPool(0, 4, 16)
    blocks = full(pool, b"a", b"b")
    pool.release(blocks)
    assert pool.available == 4
    assert pool.match_prefix([b"a", b"b", b"c"]) == blocks
    pool.ref(blocks)
    assert pool.available == 2
    pool.check_invariants([blocks])


def test_a_match_ends_at_the_first_gap() -> None:
    pool = BlockPool(0, 4, 16)
    first, _ = full(pool, b"a", b"c")
    assert pool.match_prefix([b"a", b"b", b"c"]) == [first]
    assert pool.match_prefix([b"x", b"a"]) == []


def test_the_least_recently_used_tail_is_evicted_first() -> None:
    pool = BlockPool(0, 4, 16)
    old, new = full(pool, b"a", b"b"), full(pool, b"c", b"d")
    pool.release(old)
    pool.release(new)
    pool.allocate(1)
    assert pool.match_prefix([b"a", b"b"]) == old[:1]
    pool.ref(old[:1])
    pool.release(old[:1])
    pool.allocate(2)
    assert pool.match_prefix([b"a"]) == old[:1]
    assert pool.match_prefix([b"c"]) == []


def test_a_second_block_with_the_same_text_is_not_cached() -> None:
    pool = BlockPool(0, 3, 16)
    one, two = full(pool, b"a"), full(pool, b"a")
    pool.release(two)
    assert pool.match_prefix([b"a"]) == one
    pool.check_invariants([one])


def test_nothing_is_cached_when_the_cache_is_off() -> None:
    pool = BlockPool(0, 3, 16, prefix_cache=False)
    blocks = full(pool, b"a")
    assert pool.match_prefix([b"a"]) == []
    pool.release(blocks)
    pool.check_invariants([])


def test_events_are_the_net_change() -> None:
    pool = BlockPool(0, 2, 16)
    a, b = full(pool, b"a"), full(pool, b"b")
    events = pool.drain_events()
    assert (events.stored, events.removed) == ([b"a", b"b"], [])
    pool.release(a)
    pool.release(b)
    other = full(pool, b"c")
    pool.release(other)
    pool.allocate(2)
    events = pool.drain_events()
    assert (events.stored, events.removed) == ([], [b"a", b"b"])
    assert not pool.drain_events()


def test_claimed_blocks_are_never_handed_out() -> None:
    pool = BlockPool(0, 4, 16)
    pool.claim([1, 2])
    pool.claim([1])
    assert pool.available == 2
    others = pool.allocate(2)
    assert others is not None and sorted(others) == [0, 3]
    pool.check_invariants([[1, 2], [1], others])
    pool.release([1, 2])
    assert pool.allocate(2) is None


@pytest.mark.parametrize("misuse", ["release", "ref", "register", "foreign"])
def test_misuse_is_named(misuse: str) -> None:
    pool = BlockPool(4, 2, 16)
    with pytest.raises(InvariantError, match="block"):
        if misuse == "release":
            pool.release([4])
        elif misuse == "ref":
            pool.ref([4])
        elif misuse == "register":
            pool.register(4, b"a")
        else:
            pool.release([0])


@pytest.mark.parametrize("claims", [[], [[0], [0]], [[0, 1]]])
def test_a_wrong_claim_is_found(claims: list[list[int]]) -> None:
    pool = BlockPool(0, 2, 16)
    assert pool.allocate(1) == [0]
    with pytest.raises(InvariantError, match="references"):
        pool.check_invariants(claims)


def test_foreign_blocks_in_a_claim_are_ignored() -> None:
    pool = BlockPool(4, 2, 16)
    pool.check_invariants([[0, 1, 99]])
    assert pool.owns(5) and not pool.owns(6) and not pool.owns(3)


class PoolMachine(RuleBasedStateMachine):
    """Owners come, share, register and go; the router's view follows the events."""

    @initialize(size=st.integers(1, 8), first=st.integers(0, 3), cache=st.booleans())
    def start(self, size: int, first: int, cache: bool) -> None:
        self.pool = BlockPool(first, size, 4, cache)
        self.owners: list[list[int]] = []
        self.content: dict[int, bytes] = {}
        self.router: set[bytes] = set()

    @rule(count=st.integers(0, 4))
    def allocate(self, count: int) -> None:
        held = {block for blocks in self.owners for block in blocks}
        available = self.pool.available
        blocks = self.pool.allocate(count)
        assert (blocks is None) == (count > available)
        if blocks is not None:
            assert not held & set(blocks)
            for block in blocks:
                self.content.pop(block, None)
            self.owners.append(blocks)

    @rule(data=st.data(), digest=st.sampled_from([b"a", b"b", b"c", b"d"]))
    def register(self, data: st.DataObject, digest: bytes) -> None:
        held = sorted({b for blocks in self.owners for b in blocks} - self.content.keys())
        if held:
            block = data.draw(st.sampled_from(held))
            self.content[block] = digest
            self.pool.register(block, digest)

    @rule(digests=st.lists(st.sampled_from([b"a", b"b", b"c", b"d"]), max_size=4))
    def share(self, digests: list[bytes]) -> None:
        blocks = self.pool.match_prefix(digests)
        for block, digest in zip(blocks, digests, strict=False):
            assert self.content[block] == digest
        self.pool.ref(blocks)
        self.owners.append(blocks)

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        if self.owners:
            self.pool.release(self.owners.pop(data.draw(st.integers(0, len(self.owners) - 1))))

    @rule()
    def drain(self) -> None:
        events = self.pool.drain_events()
        assert not set(events.stored) & self.router
        assert set(events.removed) <= self.router
        self.router |= set(events.stored)
        self.router -= set(events.removed)
        for digest in (b"a", b"b", b"c", b"d"):
            assert bool(self.pool.match_prefix([digest])) == (digest in self.router)

    @invariant()
    def whole(self) -> None:
        if hasattr(self, "pool"):
            self.pool.check_invariants(self.owners)
            held = Counter(block for blocks in self.owners for block in blocks)
            assert self.pool.available == self.pool.num_blocks - len(held)


PoolMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestPoolMachine = PoolMachine.TestCase
