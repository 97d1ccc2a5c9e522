"""Films of real episodes: what is on them, how long they are, and that they can be opened."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from goodput.arena.clocks import make_clock
from goodput.arena.episode.record import Episode, Move
from goodput.arena.episode.runner import play_episode
from goodput.arena.films.caption import captioned, move_spans
from goodput.arena.films.files import write_film
from goodput.arena.films.frames import FRAME_RATE, LONGEST_S, film
from goodput.arena.games.registry import make_game
from goodput.arena.games.rules import Rules
from goodput.arena.players.parse import parse_player
from goodput.core.errors import UsageError


def played(game: str) -> tuple[Rules[Any], Episode]:
    rules = make_game(game)
    players = [parse_player("random") for _ in range(rules.spec.seats)]
    return rules, asyncio.run(play_episode(rules, players, 3, make_clock("virtual")))


def move(**changes: Any) -> Move:
    facts: dict[str, Any] = {
        "seat": 0,
        "asked_frame": 10,
        "frame": 17,
        "action": 1,
        "wanted": "left",
        "fate": "applied",
        "late": True,
        "rung": "choice",
        "latency_s": 0.1167,
        "ttft_s": None,
        "prompt_tokens": 0,
        "output_tokens": 0,
        "calls": 1,
        "error": None,
        "digest": "",
    }
    return Move(**(facts | changes))


def test_a_move_says_what_how_fast_and_how_late() -> None:
    words = [text for text, _ in move_spans(move())]
    assert words == ["left", "117 ms", "7 frames late"]
    assert [text for text, _ in move_spans(move(late=False))][-1] == "on time"
    refused = [text for text, _ in move_spans(move(action=None, fate="illegal", late=False))]
    assert refused == ["left (illegal)", "117 ms"]
    assert [text for text, _ in move_spans(None)] == ["-"]


def test_each_seat_has_its_lines_below_the_picture() -> None:
    picture = np.full((40, 120, 3), 200, np.uint8)
    one = captioned(picture, ("a model",), (3.0,), (move(),))
    two = captioned(picture, ("a model", "b"), (3.0, 4.0), (move(), None))
    assert (one[:40] == picture).all() and one.shape[1] == 120
    assert two.shape[0] > one.shape[0]
    assert len(np.unique(one[40:].reshape(-1, 3), axis=0)) >= 4  # Paper, ink, soft and red.


@pytest.mark.parametrize("game", ["tetris-v1", "tetris-versus-v1", "2048-v1", "race-2048-v1"])
def test_a_film_shows_the_whole_episode_within_its_time(game: str) -> None:
    rules, episode = played(game)
    pictures = list(film(rules, episode))
    assert len({picture.shape for picture in pictures}) == 1
    assert 2 * FRAME_RATE < len(pictures) <= (LONGEST_S + 3) * FRAME_RATE
    first, last = pictures[0], pictures[-1]
    assert not np.array_equal(first, last)


def test_the_last_picture_is_the_end_of_the_game() -> None:
    rules, episode = played("tictactoe-v1")
    *_, last = film(rules, episode)
    states = rules.reset(3)
    for made in episode.moves:
        assert made.action is not None
        states = rules.step(states, made.action, made.seat)
    end = rules.picture(states, 0)
    assert (last[: end.shape[0]] == end).all()


def test_of_a_race_both_sides_are_shown() -> None:
    rules, episode = played("race-2048-v1")
    picture = next(film(rules, episode))
    assert picture.shape[1] > 2 * rules.picture(rules.reset(3), 0).shape[1]


def test_a_gif_can_be_opened_and_keeps_its_time(tmp_path: Path) -> None:
    rules, episode = played("tictactoe-v1")
    write_film(tmp_path / "film.gif", rules, episode)
    with Image.open(tmp_path / "film.gif") as opened:
        assert opened.n_frames >= len(episode.moves)  # type: ignore[attr-defined]
        milliseconds = 0
        for number in range(opened.n_frames):  # type: ignore[attr-defined]
            opened.seek(number)
            milliseconds += opened.info["duration"]
    pictures = sum(1 for _ in film(rules, episode))
    assert milliseconds == pytest.approx(1000 * pictures / FRAME_RATE, rel=0.05)


def test_an_mp4_can_be_opened(tmp_path: Path) -> None:
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")
    rules, episode = played("tictactoe-v1")
    write_film(tmp_path / "film.mp4", rules, episode)
    reader = imageio_ffmpeg.read_frames(str(tmp_path / "film.mp4"))
    facts = next(reader)
    width, height = facts["size"]
    first = next(film(rules, episode))
    assert (height, width) == (
        first.shape[0] + first.shape[0] % 2,
        first.shape[1] + first.shape[1] % 2,
    )
    assert facts["fps"] == FRAME_RATE
    reader.close()


def test_another_ending_is_refused_in_a_sentence(tmp_path: Path) -> None:
    rules, episode = played("tictactoe-v1")
    with pytest.raises(UsageError, match=r"film\.avi"):
        write_film(tmp_path / "film.avi", rules, episode)
    assert list(tmp_path.iterdir()) == []
