"""Block hashes: chained, stable, incremental."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodput.kv.hashing import BlockHashes, block_hashes

tokens_strategy = st.lists(st.integers(0, 2**32 - 1), max_size=40)


def test_only_full_blocks_have_a_hash() -> None:
    assert len(block_hashes(range(11), 4)) == 2


def test_an_early_token_changes_all_later_hashes() -> None:
    one, other = block_hashes([1, 2, 3, 4, 5, 6], 2), block_hashes([1, 9, 3, 4, 5, 6], 2)
    assert all(a != b for a, b in zip(one, other, strict=True))


def test_the_same_block_after_another_prefix_differs() -> None:
    first, second = block_hashes([7, 7, 7, 7], 2)
    assert first != second


def test_salts_separate() -> None:
    assert block_hashes([1, 2], 2, "a") != block_hashes([1, 2], 2, "b")


def test_stable_in_another_process() -> None:
    program = "from goodput.kv.hashing import block_hashes as b; print(b(range(32), 16)[-1].hex())"
    other = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert other == block_hashes(range(32), 16)[-1].hex()
    # Pinned, because workers of two releases may share a router.
    assert other == "b290c9983270159a0823e7ff993446dd"


@given(tokens_strategy, tokens_strategy, st.integers(1, 5))
def test_growing_gives_the_hashes_of_the_whole(a: list[int], b: list[int], size: int) -> None:
    text = list(a)
    hashes = BlockHashes(text, size)
    before = hashes.first(len(hashes))
    text += b
    assert hashes.first(len(hashes)) == block_hashes(a + b, size)
    assert hashes.first(len(before)) == before
    assert len(set(hashes.first(len(hashes)))) == len(hashes) == len(text) // size


@given(st.lists(st.integers(0, 19), max_size=40), st.integers(1, 3))
def test_in_whatever_order_they_are_asked_for(order: list[int], size: int) -> None:
    tokens = list(range(20 * size + size - 1))
    expected, hashes = block_hashes(tokens, size), BlockHashes(tokens, size)
    assert [hashes[index] for index in order] == [expected[index] for index in order]
    assert hashes.made == len(set(order))


@pytest.mark.parametrize("index", [-1, 2])
def test_what_is_not_full_has_none(index: int) -> None:
    with pytest.raises(IndexError):
        BlockHashes(range(11), 4)[index]
