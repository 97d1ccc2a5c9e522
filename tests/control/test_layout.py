"""Which worker gets which cores and which blocks."""

from __future__ import annotations

from goodput.control.layout import plan_slots
from goodput.core.config import DeploymentConfig, EngineConfig, WorkerCounts


def plan(cores: list[int], threads: int = 1, **counts: int) -> list[tuple[str, object]]:
    config = DeploymentConfig(workers=WorkerCounts(**counts), engine=EngineConfig(threads=threads))
    return [(slot.name, slot.cores) for slot in plan_slots(config, cores)]


def test_each_worker_gets_its_own_core_where_there_are_enough() -> None:
    assert plan([3, 5], prefill=1, decode=1) == [("prefill-0", (3,)), ("decode-0", (5,))]
    pairs = plan([0, 1, 2, 3], threads=2, prefill=1, decode=1)
    assert pairs == [("prefill-0", (0, 1)), ("decode-0", (2, 3))]


def test_nobody_is_pinned_where_there_are_too_few() -> None:
    assert [cores for _, cores in plan([0, 1], prefill=2, decode=1)] == [None] * 3
    assert [cores for _, cores in plan([0, 1], threads=2, prefill=1, decode=1)] == [None] * 2


def test_block_ranges_follow_each_other() -> None:
    config = DeploymentConfig(
        workers=WorkerCounts(prefill=2, decode=1), engine=EngineConfig(kv_tokens=100, block_size=16)
    )
    ranges = [(slot.first_block, slot.num_blocks) for slot in plan_slots(config, [0])]
    assert ranges == [(0, 6), (6, 6), (12, 6)]
