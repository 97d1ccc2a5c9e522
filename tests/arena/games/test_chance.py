"""Streams of random numbers, and the names of states."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodput.arena.games.chance import branch, draw, mixed, shuffled
from goodput.arena.games.digest import digest_of

parts = st.recursive(
    st.none() | st.integers() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4).map(tuple),
    max_leaves=8,
)


def test_the_mixer_is_splitmix64s() -> None:
    # The first outputs of splitmix64 started at 0, whose state steps by the golden ratio.
    stride = 0x9E3779B97F4A7C15
    assert mixed(stride) == 0xE220A8397B1DCDAF
    assert mixed(2 * stride) == 0x6E789E6AA1B965F4


@given(st.integers(), st.integers(0, 10**6), st.integers(1, 2**32))
def test_draws_are_within_the_bound_and_repeat(seed: int, counter: int, bound: int) -> None:
    assert 0 <= draw(seed, counter, bound) < bound
    assert draw(seed, counter, bound) == draw(seed, counter, bound)


@pytest.mark.parametrize("seeds_vary", [True, False])
def test_draws_are_even(seeds_vary: bool) -> None:
    counts = Counter(
        draw(index, 0, 10) if seeds_vary else draw(0, index, 10) for index in range(10_000)
    )
    # Chi-square with nine degrees of freedom: above 33.7 once in ten thousand.
    assert sum((count - 1000) ** 2 / 1000 for count in counts.values()) < 33.7


def test_branches_are_streams_of_their_own() -> None:
    streams = {
        tuple(draw(seed, index, 1 << 32) for index in range(4))
        for seed in (7, branch(7, 0), branch(7, 1), branch(8, 0))
    }
    assert len(streams) == 4


def test_shuffling_keeps_the_items_and_reaches_every_order() -> None:
    orders = Counter(shuffled(seed, 0, "abc") for seed in range(600))
    assert set(map("".join, orders)) == {"abc", "acb", "bac", "bca", "cab", "cba"}
    assert min(orders.values()) > 60


@given(parts, parts)
def test_digests_are_equal_where_parts_are(first: Any, second: Any) -> None:
    assert (digest_of(first) == digest_of(second)) == (first == second)


def test_digests_tell_types_and_nesting_apart() -> None:
    alike = [("1",), (1,), (b"1",), ((1,),), (1, ()), ((), 1), (12, 3), (1, 23), (None,), ()]
    assert len({digest_of(*parts) for parts in alike}) == len(alike)
    assert len(digest_of()) == 16
    assert digest_of(("tetris", 7)) == "11833ab22490b048"


def test_a_digest_refuses_what_it_cannot_encode() -> None:
    with pytest.raises(TypeError, match="float"):
        digest_of(1.5)  # type: ignore[arg-type]
