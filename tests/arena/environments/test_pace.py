"""When frames pass, what is gained, and when an episode ends, on a game that counts."""

from __future__ import annotations

from typing import Any

import pytest
from tests.arena.toys import Counting

from goodput.arena.environments.pace import PacedGame
from goodput.core.errors import UsageError

ZERO, ONE, TWO, NEVER = range(4)


def paced(frame_skip: int = 4, **game: Any) -> PacedGame:
    """A game that has begun."""
    paced = PacedGame(Counting(**game), frame_skip)
    paced.begin(seed=5)
    return paced


def test_frames_pass_with_each_step_in_real_time_only() -> None:
    moving, still = paced(frame_skip=7), paced(frame_skip=7, realtime=False)
    for _ in range(2):
        moving.act({0: ONE})
        still.act({0: ONE})
    assert (moving.frames, moving.state.frames) == (14, 14)
    assert (still.frames, still.state.frames) == (0, 0)


@pytest.mark.parametrize("frame_skip", [0, -1])
def test_less_than_a_frame_a_step_is_refused(frame_skip: int) -> None:
    with pytest.raises(UsageError, match="frame_skip"):
        paced(frame_skip)


def test_each_seat_gains_what_its_score_rose_by() -> None:
    game = paced(seats=2)
    assert game.act({0: TWO, 1: ONE}) == [2, 1]
    assert game.act({1: TWO}) == [0, 2]
    assert game.state.points == (2, 3)


def test_an_illegal_action_takes_its_time_and_changes_nothing_else() -> None:
    game = paced(step_limit=2)
    for action in (NEVER, 99):
        assert game.act({0: action}) == [0] and game.illegal == {0}
    assert game.frames == 8 and game.state.points == (0,) and game.truncated


def test_a_legal_action_is_not_called_illegal_any_more() -> None:
    game = paced()
    game.act({0: NEVER})
    game.act({0: ONE})
    assert game.illegal == set()


def test_the_rules_end_it_at_their_frame() -> None:
    game = paced(end=6)
    game.act({0: ONE})
    assert not game.over and game.legal == [[ZERO, ONE, TWO]]
    game.act({0: ONE})
    assert game.over and not game.truncated
    assert game.frames == 6 and game.legal == [[]]


def test_the_frame_limit_is_never_passed() -> None:
    game = paced(end=99, frame_limit=10)
    seen = []
    while not game.truncated:
        game.act({0: ZERO})
        seen.append(game.frames)
    assert seen == [4, 8, 10] and not game.over


def test_the_step_limit_is_each_seats_own() -> None:
    game = paced(seats=2, step_limit=2)
    game.act({0: ONE})
    game.act({0: ONE, 1: ONE})
    assert not game.truncated
    game.act({1: ONE})
    assert game.truncated


def test_in_turns_it_ends_when_the_seat_to_move_has_no_step_left() -> None:
    game = paced(realtime=False, seats=2, step_limit=1)
    game.act({0: ONE})
    assert not game.truncated
    game.act({1: ONE})
    assert game.truncated


def test_beginning_again_forgets_everything() -> None:
    game = paced(step_limit=1)
    game.act({0: NEVER})
    game.begin(seed=6)
    assert (game.seed, game.frames, game.illegal, game.truncated) == (6, 0, set(), False)
