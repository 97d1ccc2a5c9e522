"""The prefix index against the plain definition, and its bound."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from goodput.kv.hashing import BlockHash, block_hashes
from goodput.router.prefix_index import Matches, PrefixIndex

HASHES = block_hashes(range(160), 16)


def depths(matches: Matches, *workers: str) -> dict[str, int]:
    return {worker: blocks for worker in workers or "abc" if (blocks := matches.blocks(worker))}


def test_a_hole_ends_the_run() -> None:
    index = PrefixIndex(100)
    index.update("a", [HASHES[0], HASHES[2]], [])
    index.update("b", HASHES[:3], [])
    assert depths(index.matches(HASHES)) == {"a": 1, "b": 3}
    index.update("b", [], [HASHES[0]])
    assert depths(index.matches(HASHES)) == {"a": 1}


@given(st.dictionaries(st.sampled_from("abcde"), st.integers(0, 60), min_size=1))
def test_long_runs_end_where_they_end(blocks: dict[str, int]) -> None:
    hashes = block_hashes(range(1000), 16)
    index = PrefixIndex(1000)
    for worker, count in blocks.items():
        index.update(worker, hashes[:count], [])
    for asked in (hashes, hashes[:30]):
        wanted = {w: min(count, len(asked)) for w, count in blocks.items() if count}
        assert depths(index.matches(asked), *"abcde") == wanted


def test_the_deepest_come_first() -> None:
    index = PrefixIndex(100)
    for worker, blocks in (("a", 2), ("b", 5), ("c", 2), ("d", 1)):
        index.update(worker, HASHES[:blocks], [])
    matches = index.matches(HASHES)
    assert matches.deepest(3) == ["b", "a", "c"]
    assert matches.deepest(9) == ["b", "a", "c", "d"]
    assert index.matches(HASHES[9:]).deepest(3) == []
    assert index.matches([]).deepest(3) == []


def test_a_dead_worker_is_forgotten_and_may_come_back() -> None:
    index = PrefixIndex(100)
    index.update("a", HASHES[:2], [])
    index.update("b", HASHES[:1], [])
    index.forget("a")
    index.forget("a")
    assert depths(index.matches(HASHES)) == {"b": 1}
    assert len(index) == 1
    index.update("a", HASHES[:1], [])
    assert depths(index.matches(HASHES)) == {"a": 1, "b": 1}


def test_beyond_its_bound_the_oldest_go_first_except_those_asked_for() -> None:
    index = PrefixIndex(8)
    index.update("a", HASHES[:7], [])
    index.update("b", HASHES[:1], [])
    assert depths(index.matches(HASHES[:2])) == {"a": 2, "b": 1}  # asked for: used
    index.update("a", [HASHES[8]], [])
    assert len(index) == 8
    assert index.held("a") == {*HASHES[:2], *HASHES[3:7], HASHES[8]}
    index.update("a", [HASHES[9]], [])
    assert index.held("a") == {*HASHES[:2], *HASHES[4:7], HASHES[8], HASHES[9]}


def test_what_is_told_twice_counts_once() -> None:
    index = PrefixIndex(100)
    index.update("a", [HASHES[0], HASHES[0]], [HASHES[1], HASHES[1]])
    index.update("a", [HASHES[0]], [])
    assert len(index) == 1
    index.update("a", [], [HASHES[0], HASHES[0]])
    assert len(index) == 0
    assert HASHES[0] not in index


events = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from(["stored", "removed", "forget", "asked"]),
        st.sampled_from(HASHES[:5]),
    )
)


@given(events, st.integers(1, 20))
def test_equals_a_set_per_worker_within_the_bound(
    history: list[tuple[str, str, BlockHash]], bound: int
) -> None:
    index = PrefixIndex(bound)
    model: dict[str, set[BlockHash]] = {"a": set(), "b": set(), "c": set()}
    for worker, event, digest in history:
        if event == "stored":
            index.update(worker, [digest], [])
            model[worker].add(digest)
        elif event == "removed":
            index.update(worker, [], [digest])
            model[worker].discard(digest)
        elif event == "asked":
            index.matches(HASHES[: HASHES.index(digest)])
        else:
            index.forget(worker)
            model[worker].clear()
        assert len(index) == sum(len(index.held(name)) for name in model) <= bound
        for name, held in model.items():
            # What was dropped for room is only missing, never made up.
            assert index.held(name) <= held
            model[name] = set(index.held(name))
    found = index.matches(HASHES)
    for worker, held in model.items():
        run = next((i for i, digest in enumerate(HASHES) if digest not in held), len(HASHES))
        assert found.blocks(worker) == run
    deepest = found.deepest(3)
    assert sorted(deepest) == sorted(name for name in model if found.blocks(name))
    assert [found.blocks(name) for name in deepest] == sorted(
        (found.blocks(name) for name in deepest), reverse=True
    )


@given(events)
def test_without_pressure_nothing_is_missing(history: list[tuple[str, str, BlockHash]]) -> None:
    index = PrefixIndex(1000)
    model: dict[str, set[BlockHash]] = {"a": set(), "b": set(), "c": set()}
    for worker, event, digest in history:
        if event == "stored":
            index.update(worker, [digest], [])
            model[worker].add(digest)
        elif event == "removed":
            index.update(worker, [], [digest])
            model[worker].discard(digest)
    assert {name: set(index.held(name)) for name in model} == model
