"""The prefix index against the plain definition, and its bound."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from goodput.kv.hashing import block_hashes
from goodput.router.prefix_index import PrefixIndex
from goodput.router.router import Router

HASHES = block_hashes(range(160), 16)


def test_a_hole_ends_the_run() -> None:
    index = PrefixIndex()
    index.update("a", [HASHES[0], HASHES[2]], [])
    index.update("b", HASHES[:3], [])
    assert index.cached_blocks(HASHES) == {"a": 1, "b": 3}
    index.update("b", [], [HASHES[0]])
    assert index.cached_blocks(HASHES) == {"a": 1}


def test_a_dead_worker_is_forgotten_and_may_come_back() -> None:
    index = PrefixIndex()
    index.update("a", HASHES[:2], [])
    index.update("b", HASHES[:1], [])
    index.forget("a")
    assert index.cached_blocks(HASHES) == {"b": 1}
    assert len(index) == 1
    index.update("a", HASHES[:1], [])
    assert index.cached_blocks(HASHES) == {"a": 1, "b": 1}


def test_beyond_its_bound_the_oldest_go_first() -> None:
    index = PrefixIndex(max_hashes=4)
    index.update("a", HASHES[:4], [])
    index.update("b", HASHES[:1], [])  # the first hash is fresh again
    index.update("a", [HASHES[8]], [])
    assert len(index) == 4
    assert index.cached_blocks(HASHES) == {"a": 1, "b": 1}


events = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from(["stored", "removed", "forget"]),
        st.sampled_from(HASHES[:5]),
    )
)


@given(events)
def test_equals_a_set_per_worker(history: list[tuple[str, str, bytes]]) -> None:
    index = PrefixIndex()
    model: dict[str, set[bytes]] = {"a": set(), "b": set(), "c": set()}
    for worker, event, digest in history:
        if event == "stored":
            index.update(worker, [digest], [])
            model[worker].add(digest)
        elif event == "removed":
            index.update(worker, [], [digest])
            model[worker].discard(digest)
        else:
            index.forget(worker)
            model[worker].clear()
    depths = index.cached_blocks(HASHES)
    for worker, held in model.items():
        run = next((i for i, digest in enumerate(HASHES) if digest not in held), len(HASHES))
        assert depths.get(worker, 0) == run
    assert len(index) == len(set().union(*model.values()))


def test_the_router_counts_cached_tokens_in_full_blocks() -> None:
    router = Router(block_size=16)
    router.learn("p", HASHES[:2], [])
    work = router.work(range(40), max_new_tokens=20)
    assert work.cached_tokens == {"p": 32}
    assert work.uncached("p") == 8
    assert work.uncached("other") == 40
    assert work.blocks == 2
    # Even a fully cached prompt has its last token computed.
    assert router.work(range(32), max_new_tokens=1).uncached("p") == 1
