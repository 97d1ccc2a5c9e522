"""What lives when a process begins to serve is left out of its garbage collections."""

import gc

import pytest

from goodput.core.heap import settle_heap


@pytest.fixture
def collector():
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_what_lives_is_left_out_and_what_comes_is_not(collector):
    kept = [[] for _ in range(1000)]
    settle_heap()
    later = []
    tracked = {id(item) for item in gc.get_objects()}
    assert gc.get_freeze_count() >= len(kept)
    assert tracked.isdisjoint(map(id, kept))
    assert id(later) in tracked
