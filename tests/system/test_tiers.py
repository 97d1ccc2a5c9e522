"""Real workers whose memory is too small for their texts, and a disk that outlives them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from goodput.core.tiers_config import TiersConfig

TEXTS = [list(range(number, number + 400)) for number in range(0, 500, 100)]
# Of 25 blocks of 16 tokens all but the last, whose last token is computed in any case.
CACHED = 384


async def ask_all(kit: Any, fleet: Any, name: str) -> list[int]:
    """Ask for all texts, one after the other; how many tokens of each were not computed."""
    cached = []
    for number, text in enumerate(TEXTS):
        answer = await kit.ask(fleet, kit.request(f"{name}-{number}", text, 5))
        assert answer.tokens == kit.expected(text, 5)
        cached.append(answer.last.cached_tokens)
    return cached


@pytest.mark.parametrize("counts", [(1, 1, 0), (0, 0, 1)])
async def test_returning_texts_are_read_back(
    kit: Any, tmp_path: Path, counts: tuple[int, int, int]
) -> None:
    tiers = TiersConfig(ram_mb=1, disk_mb=8, folder=str(tmp_path))
    fleet = await kit.fleet(counts, kv_tokens=1024, tiers=tiers)
    assert await ask_all(kit, fleet, "first") == [0] * len(TEXTS)
    assert await ask_all(kit, fleet, "again") == [CACHED] * len(TEXTS)
    await kit.assert_whole(fleet)


async def test_a_restart_loses_nothing_that_was_cached(kit: Any, tmp_path: Path) -> None:
    tiers = TiersConfig(ram_mb=1, disk_mb=8, folder=str(tmp_path))
    first = await kit.fleet((1, 1, 0), kv_tokens=1024, tiers=tiers)
    await ask_all(kit, first, "first")
    await first.stop()
    second = await kit.fleet((1, 1, 0), kv_tokens=1024, tiers=tiers)
    assert await ask_all(kit, second, "second") == [CACHED] * len(TEXTS)


async def test_two_workers_share_what_is_on_disk(kit: Any, tmp_path: Path) -> None:
    tiers = TiersConfig(disk_mb=8, folder=str(tmp_path))
    first = await kit.fleet((0, 0, 1), kv_tokens=1024, tiers=tiers)
    await ask_all(kit, first, "first")
    await first.stop()
    both = await kit.fleet((0, 0, 2), kv_tokens=1024, tiers=tiers)
    assert await ask_all(kit, both, "second") == [CACHED] * len(TEXTS)


async def test_a_killed_worker_leaves_a_disk_that_is_right(kit: Any, tmp_path: Path) -> None:
    tiers = TiersConfig(disk_mb=8, folder=str(tmp_path))
    fleet = await kit.fleet((0, 0, 1), kv_tokens=1024, tiers=tiers)
    await ask_all(kit, fleet, "first")
    fleet.registry["mixed-0"].kill()
    await kit.assert_whole(fleet)
    assert max(await ask_all(kit, fleet, "second")) == CACHED
    await kit.assert_whole(fleet)
