"""Episodes on disk: found by their header, whole or absent, damaged ones named."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.arena.toys import Counting, Scripted, after

from goodput.arena.clocks import make_clock
from goodput.arena.episode.record import Episode
from goodput.arena.episode.runner import header_of, play_episode
from goodput.arena.episode.store import EpisodeStore, read_episode
from goodput.core.errors import UsageError


@pytest.fixture
def episode() -> Episode:
    return asyncio.run(play_episode(Counting(), [Scripted(after(0.1))], 5, make_clock()))


def test_what_was_saved_is_found_by_its_header(tmp_path: Path, episode: Episode) -> None:
    store = EpisodeStore(tmp_path / "new")
    header = header_of(Counting(), [Scripted(after(0.1))], 5, make_clock())
    assert store.find(header) is None
    path = store.save(episode)
    assert store.find(header) == episode == read_episode(path)
    assert path.name.startswith("counting-v1.seed5.")
    assert store.all() == [episode]


@pytest.mark.parametrize(
    "change", [{"seed": 6}, {"clock": "paused"}, {"slow_down": 2.0}, {"players": ("other",)}]
)
def test_another_set_up_is_another_episode(
    tmp_path: Path, episode: Episode, change: dict[str, object]
) -> None:
    store = EpisodeStore(tmp_path)
    store.save(episode)
    assert store.find(replace(episode.header, **change)) is None


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda lines: lines[:-1], "not one whole episode"),
        (lambda lines: lines[1:], "not one whole episode"),
        (lambda lines: [], "not one whole episode"),
        (lambda lines: [*lines[:2], b"{", *lines[3:]], "line 3 of"),
        (lambda lines: [*lines[:2], b'{"type":"move"}', *lines[3:]], "line 3 of"),
    ],
)
def test_a_damaged_file_is_named_with_its_line(
    tmp_path: Path, episode: Episode, damage: object, words: str
) -> None:
    path = EpisodeStore(tmp_path).save(episode)
    path.write_bytes(b"\n".join(damage(path.read_bytes().splitlines())))  # type: ignore[operator]
    with pytest.raises(UsageError, match=words) as refused:
        read_episode(path)
    assert path.name in str(refused.value)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, episode: Episode, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = EpisodeStore(tmp_path)
    path = store.save(episode)

    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UsageError, match="No space left"):
        store.save(replace(episode, moves=()))
    monkeypatch.undo()
    assert store.all() == [episode] and list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read the episode"):
        read_episode(tmp_path / "none")
