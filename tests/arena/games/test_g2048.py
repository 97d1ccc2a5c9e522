"""2048: merges worked out by hand, and what holds whatever is played."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from goodput.arena.games.g2048 import DOWN, LEFT, RIGHT, UP, Board, Game2048, Tiles, slid
from goodput.arena.games.rules import IllegalAction

GAME = Game2048()


def board(*rows: str) -> Board:
    """A board from the numbers on its tiles; 0 is empty."""
    return tuple(tuple(max(0, int(word).bit_length() - 1) for word in row.split()) for row in rows)


def in_first_row(row: str) -> Board:
    return board(row, "0 0 0 0", "0 0 0 0", "0 0 0 0")


@pytest.mark.parametrize(
    ("row", "left", "right", "points"),
    [
        ("2 2 2 2", "4 4 0 0", "0 0 4 4", 8),
        ("2 2 2 0", "4 2 0 0", "0 0 2 4", 4),
        ("2 2 4 0", "4 4 0 0", "0 0 4 4", 4),
        ("4 2 2 0", "4 4 0 0", "0 0 4 4", 4),
        ("4 4 8 0", "8 8 0 0", "0 0 8 8", 8),
        ("2 0 0 2", "4 0 0 0", "0 0 0 4", 4),
        ("2 0 4 2", "2 4 2 0", "0 2 4 2", 0),
        ("0 0 0 2", "2 0 0 0", "0 0 0 2", 0),
        ("2 4 8 16", "2 4 8 16", "2 4 8 16", 0),
        ("1024 1024 0 0", "2048 0 0 0", "0 0 0 2048", 2048),
    ],
)
def test_a_row_slides_and_merges_once(row: str, left: str, right: str, points: int) -> None:
    assert slid(in_first_row(row), LEFT) == (in_first_row(left), points)
    assert slid(in_first_row(row), RIGHT) == (in_first_row(right), points)


def test_columns_slide_up_and_down() -> None:
    before = board("2 0 0 4", "2 0 0 0", "0 0 8 4", "4 0 0 4")
    up = board("4 0 8 8", "4 0 0 4", "0 0 0 0", "0 0 0 0")
    down = board("0 0 0 0", "0 0 0 0", "4 0 0 4", "4 0 8 8")
    assert slid(before, UP) == (up, 12)
    assert slid(before, DOWN) == (down, 12)


def test_a_game_begins_with_two_tiles_and_each_move_brings_one() -> None:
    state = GAME.reset(4)
    assert sum(map(bool, sum(state.board, ()))) == 2
    state = Tiles(in_first_row("2 0 0 2"), seed=1)
    after = GAME.step(state, LEFT)
    assert after.board[0][0] == 2
    assert sum(map(bool, sum(after.board, ()))) == 2
    assert after.score == 4


def test_one_new_tile_in_ten_is_a_four() -> None:
    tiles = Counter(
        tile for seed in range(3000) for tile in sum(GAME.reset(seed).board, ()) if tile
    )
    assert set(tiles) == {1, 2}
    assert 0.085 < tiles[2] / 6000 < 0.115


def test_a_move_that_changes_nothing_is_illegal() -> None:
    state = Tiles(in_first_row("2 4 0 0"), seed=0)
    assert GAME.legal(state) == [DOWN, RIGHT]
    with pytest.raises(IllegalAction, match="up moves nothing"):
        GAME.step(state, UP)


def test_the_game_ends_when_nothing_moves() -> None:
    stuck = board("2 4 2 4", "4 2 4 2", "2 4 2 4", "4 2 4 2")
    state = Tiles(stuck, seed=0)
    assert GAME.over(state) and GAME.to_act(state) == () and GAME.legal(state) == []
    merging = replace(state, board=board("2 4 2 4", "4 2 4 2", "2 4 2 4", "4 2 4 4"))
    assert GAME.legal(merging) == [UP, DOWN, LEFT, RIGHT]


def test_what_a_player_reads() -> None:
    state = Tiles(board("2 0 0 0", "0 16 0 0", "0 0 1024 0", "0 0 0 2"), seed=0, score=12)
    assert GAME.text(state).splitlines() == [
        "score 12",
        "    2     .     .     .",
        "    .    16     .     .",
        "    .     .  1024     .",
        "    .     .     .     2",
    ]
    assert max(GAME.picture(state).shape[:2]) <= 400


@given(st.integers(0, 2**64), st.lists(st.integers(0, 3), max_size=120))
def test_whatever_is_played(seed: int, choices: list[int]) -> None:
    state, again = GAME.reset(seed), GAME.reset(seed)
    for choice in choices:
        legal = GAME.legal(state)
        if not legal:
            break
        digest = GAME.digest(state)
        for action in {-1, 4, *range(4)} - set(legal):
            with pytest.raises(IllegalAction):
                GAME.step(state, action)
        action = legal[choice % len(legal)]
        after = GAME.step(state, action)
        assert GAME.digest(state) == digest != GAME.digest(after)
        # Merging keeps the sum of all tiles; only the new one adds to it.
        assert total(after.board) - total(state.board) in (2, 4)
        again = GAME.step(again, action)
        assert after == again and hash(after) == hash(again)
        state = after


def total(tiles: Board) -> int:
    return sum(1 << tile for tile in sum(tiles, ()) if tile)


def test_pictures_differ_where_tiles_do() -> None:
    pictures = [GAME.picture(Tiles(in_first_row(f"{1 << n} 0 0 0"), 0)) for n in range(1, 18)]
    for index, picture in enumerate(pictures):
        assert all((picture != other).any() for other in pictures[:index])
