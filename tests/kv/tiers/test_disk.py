"""Blocks on disk: whole or not there, within the bound, shared by whoever uses the folder."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from goodput.kv.tiers.disk import DiskTier

SIZE = 1000


def digest(number: int) -> bytes:
    return number.to_bytes(16, "big")


def content(number: int) -> bytes:
    return bytes([number % 251]) * SIZE


def read(tier: DiskTier, number: int) -> bytes | None:
    room = memoryview(bytearray(SIZE))
    return bytes(room) if tier.read_into(digest(number), room) else None


def files(folder: Path) -> list[Path]:
    return list(folder.rglob("*.kv"))


def test_what_one_life_wrote_another_reads(tmp_path: Path) -> None:
    DiskTier(tmp_path, 10**6).write(digest(1), content(1))
    later = DiskTier(tmp_path, 10**6)
    assert digest(1) in later
    assert read(later, 1) == content(1)
    assert read(later, 2) is None


@pytest.mark.parametrize("damage", ["cut", "longer", "flipped", "renamed", "empty"])
def test_a_damaged_block_is_not_there_and_is_removed(tmp_path: Path, damage: str) -> None:
    tier = DiskTier(tmp_path, 10**6)
    tier.write(digest(1), content(1))
    (path,) = files(tmp_path)
    whole = path.read_bytes()
    match damage:
        case "cut":
            path.write_bytes(whole[:-1])
        case "longer":
            path.write_bytes(whole + b"x")
        case "flipped":
            path.write_bytes(whole[:500] + bytes([whole[500] ^ 1]) + whole[501:])
        case "renamed":  # Another block's bytes under this name.
            tier.write(digest(2), content(2))
            path.write_bytes(next(x for x in files(tmp_path) if x != path).read_bytes())
        case "empty":
            path.write_bytes(b"")
    assert read(tier, 1) is None
    assert digest(1) not in tier


def test_the_folder_stays_within_its_bound_and_keeps_what_was_used_last(tmp_path: Path) -> None:
    tier = DiskTier(tmp_path, 20 * SIZE)
    for number in range(60):
        tier.write(digest(number), content(number))
        if 5 in range(number):
            read(tier, 5)
        assert sum(path.stat().st_size for path in files(tmp_path)) <= 21 * SIZE
        time.sleep(0.002)  # Times of use differ.
    assert read(tier, 5) == content(5)
    assert read(tier, 59) == content(59)
    assert read(tier, 0) is None


def test_what_a_crash_left_is_removed_later(tmp_path: Path) -> None:
    tier = DiskTier(tmp_path, 10**6)
    tier.write(digest(1), content(1))
    (whole,) = files(tmp_path)
    left, fresh = whole.with_suffix(".123"), whole.with_suffix(".124")
    left.write_bytes(b"half a blo")
    fresh.write_bytes(b"being written")
    os.utime(left, (time.time() - 3600, time.time() - 3600))
    DiskTier(tmp_path, 10**6)
    assert not left.exists()
    assert fresh.exists()
    assert read(tier, 1) == content(1)


def test_a_smaller_bound_holds_from_the_start(tmp_path: Path) -> None:
    tier = DiskTier(tmp_path, 10**6)
    for number in range(10):
        tier.write(digest(number), content(number))
    DiskTier(tmp_path, 3 * SIZE + 200)
    assert len(files(tmp_path)) == 3


def test_a_text_is_nobody_elses_to_read(tmp_path: Path) -> None:
    folder = tmp_path / "kv"
    DiskTier(folder, 10**6)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
