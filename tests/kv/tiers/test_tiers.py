"""RAM before disk, and reading only where it beats computing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from goodput.core.tiers_config import TiersConfig
from goodput.kv.shared_pool import SharedPool
from goodput.kv.tiers.disk import DiskTier
from goodput.kv.tiers.tiers import Tiers

MIB = 2**20
HALF = MIB // 2
LONG = 1e9

MakeTiers = Callable[..., Tiers]


@pytest.fixture
def pool() -> Iterator[SharedPool]:
    pool = SharedPool.create(16, HALF)
    yield pool
    pool.close()


@pytest.fixture
def make(pool: SharedPool, tmp_path: Path) -> MakeTiers:
    def tiers(ram_mb: int = 1, disk_mb: int = 0) -> Tiers:
        return Tiers(TiersConfig(ram_mb=ram_mb, disk_mb=disk_mb), pool, tmp_path)

    return tiers


def digest(number: int) -> bytes:
    return number.to_bytes(16, "big")


def keep(tiers: Tiers, pool: SharedPool, *numbers: int) -> None:
    """Have block 0 hold each of the contents, and evict it."""
    for number in numbers:
        pool.block(0)[:] = bytes([number]) * HALF
        tiers.keep(digest(number), 0)


def fetch(tiers: Tiers, pool: SharedPool, *numbers: int, computed_s: float = LONG) -> list[int]:
    """Read blocks back into 1, 2, …: the contents that came."""
    blocks = list(range(1, 1 + len(numbers)))
    filled, more = tiers.fetch([digest(n) for n in numbers], blocks, computed_s, LONG)
    assert not more
    for block, number in zip(blocks[:filled], numbers, strict=False):
        assert bytes(pool.block(block)) == bytes([number]) * HALF
    return list(numbers[:filled])


def test_what_was_evicted_comes_back(make: MakeTiers, pool: SharedPool) -> None:
    tiers = make()
    keep(tiers, pool, 1, 2)
    assert fetch(tiers, pool, 1, 2, 3) == [1, 2]
    assert tiers.from_ram.count == 2


def test_ram_is_bounded_and_forgets_what_was_used_longest_ago(
    make: MakeTiers, pool: SharedPool
) -> None:
    tiers = make(ram_mb=1)  # Room for two.
    keep(tiers, pool, 1, 2)
    fetch(tiers, pool, 1)
    keep(tiers, pool, 3)
    assert fetch(tiers, pool, 2) == []
    assert fetch(tiers, pool, 1) == [1]
    assert fetch(tiers, pool, 3) == [3]


def test_what_ram_has_no_room_for_goes_to_disk(make: MakeTiers, pool: SharedPool) -> None:
    tiers = make(ram_mb=1, disk_mb=64)
    keep(tiers, pool, 1, 2, 3, 4)
    assert fetch(tiers, pool, 1, 2, 3, 4) == [1, 2, 3, 4]
    assert tiers.from_ram.count + tiers.from_disk.count == 4


def test_a_disk_alone_serves_while_it_still_writes(make: MakeTiers, pool: SharedPool) -> None:
    tiers = make(ram_mb=0, disk_mb=64)
    keep(tiers, pool, 1, 2, 3)
    assert fetch(tiers, pool, 1, 2, 3) == [1, 2, 3]


def test_a_text_is_read_from_its_beginning_to_the_first_hole(
    make: MakeTiers, pool: SharedPool
) -> None:
    tiers = make(ram_mb=8)
    keep(tiers, pool, 1, 3)
    assert fetch(tiers, pool, 1, 2, 3) == [1]


def test_nothing_is_read_that_is_computed_sooner(make: MakeTiers, pool: SharedPool) -> None:
    tiers = make()
    keep(tiers, pool, 1)
    assert fetch(tiers, pool, 1, computed_s=1e-6) == []
    for _ in range(2000):  # But the doubt fades: one slow read must not rule for ever.
        fetch(tiers, pool, 1, computed_s=1e-6)
    assert tiers.from_ram.seconds < 1e-6 or tiers.from_ram.count > 0


def test_the_time_of_a_step_ends_the_reading(make: MakeTiers, pool: SharedPool) -> None:
    tiers = make()
    keep(tiers, pool, 1, 2)
    assert tiers.fetch([digest(1), digest(2)], [1, 2], LONG, -1.0) == (0, True)


def test_what_is_cached_survives_the_end(make: MakeTiers, pool: SharedPool, tmp_path: Path) -> None:
    tiers = make(ram_mb=1, disk_mb=64)
    keep(tiers, pool, 1, 2)
    pool.block(5)[:] = bytes([9]) * HALF
    tiers.settle([(digest(9), 5)], 60.0)
    assert fetch(make(ram_mb=1, disk_mb=64), pool, 9) == [9]
    assert fetch(make(ram_mb=1, disk_mb=64), pool, 1, 2) == [1, 2]


def test_a_disk_that_refuses_costs_only_what_it_would_have_kept(
    make: MakeTiers,
    pool: SharedPool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(tier: DiskTier, digest: bytes, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(DiskTier, "write", full)
    tiers = make(ram_mb=1, disk_mb=64)
    keep(tiers, pool, 1, 2, 3, 4)
    tiers.settle([], 5.0)
    assert fetch(tiers, pool, 4) == [4]
    assert fetch(tiers, pool, 1) == []
    said = capsys.readouterr().err
    assert said.count("No space left on device") == 1


def test_a_worker_that_ends_does_not_write_beyond_its_time(
    make: MakeTiers, pool: SharedPool
) -> None:
    tiers = make(ram_mb=8, disk_mb=64)
    keep(tiers, pool, 1)
    tiers.settle([], -time.monotonic())
    assert fetch(make(ram_mb=0, disk_mb=64), pool, 1) == []
