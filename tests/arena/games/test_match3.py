"""Match-3: swaps, cascades and specials worked out by hand, and what holds whatever is played."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from goodput.arena.games.chance import draw
from goodput.arena.games.match3 import cascade
from goodput.arena.games.match3.board import (
    BOMB,
    CELLS,
    COLOURS,
    COLUMN,
    ROW,
    SWAPS,
    Board,
    has_runs,
    matching_swaps,
    swapped,
    tile_of,
)
from goodput.arena.games.match3.cascade import at_rest, fallen, laid, playable
from goodput.arena.games.match3.clearing import round_of
from goodput.arena.games.match3.game import LIMIT, Match3, Sweep
from goodput.arena.games.match3.view import LETTERS, MARKS, name_of, rows_of
from goodput.arena.games.rules import IllegalAction

GAME = Match3()


def dull() -> list[list[int]]:
    """Rows of a board on which no swap matches: colours step by one across and by two down."""
    return [[(column + 2 * row) % COLOURS for column in range(8)] for row in range(8)]


def board(changes: dict[str, str]) -> Board:
    """The dull board with other tiles from a cell on to the right: {"a8": "RRG"}. A mark follows
    the letter of a special, as in "R-"."""
    rows = dull()
    for name, tiles in changes.items():
        row, column = int(name[1]) - 1, "abcdefgh".index(name[0]) - 1
        for character in tiles:
            if character in LETTERS:
                column += 1
                rows[row][column] = LETTERS.index(character)
            else:
                rows[row][column] = tile_of(rows[row][column], MARKS.index(character))
    return tuple(tile for row in rows for tile in row)


def cell(name: str) -> int:
    return (int(name[1]) - 1) * 8 + "abcdefgh".index(name[0])


def cells(names: str) -> set[int]:
    return {cell(name) for name in names.split()}


def swap_of(word: str) -> int:
    return GAME.spec.actions.index(word)


def test_there_are_112_swaps_of_neighbours() -> None:
    assert len(GAME.spec.actions) == len(set(GAME.spec.actions)) == 112
    assert GAME.spec.actions[:3] == ("a1-b1", "a1-a2", "b1-c1")
    assert GAME.spec.actions[-1] == "g8-h8"


def test_on_a_dull_board_nothing_matches() -> None:
    assert matching_swaps(board({})) == []
    assert round_of(board({})) is None


@pytest.mark.parametrize(
    ("changes", "swaps"),
    [
        ({"a8": "RRBR"}, {"c8-d8"}),
        ({"a8": "RBRR"}, {"a8-b8"}),
        ({"a8": "RRB", "c7": "R"}, {"c7-c8"}),
        ({"a8": "RBR", "b7": "R"}, {"b7-b8"}),
    ],
)
def test_a_swap_that_brings_three_together_is_legal(
    changes: dict[str, str], swaps: set[str]
) -> None:
    able = {GAME.spec.actions[swap] for swap in matching_swaps(board(changes))}
    assert swaps <= able


@given(st.integers(0, 2**64))
def test_matching_swaps_are_those_after_which_there_is_a_run(seed: int) -> None:
    start, _ = laid(seed, 0)
    assert not has_runs(start)
    brute = [swap for swap in range(len(SWAPS)) if has_runs(swapped(start, swap))]
    assert matching_swaps(start) == brute != []


def test_three_in_line_go() -> None:
    found = round_of(board({"b8": "RRR"}))
    assert found is not None
    assert found.emptied == cells("b8 c8 d8") and found.left == {}


def test_four_in_a_row_leave_a_row_clearer_where_the_swap_was() -> None:
    start = board({"b8": "RRRR"})
    found = round_of(start, (cell("d8"), cell("d7")))
    assert found is not None
    assert found.left == {cell("d8"): tile_of(0, ROW)}
    assert found.emptied == cells("b8 c8 e8")


def test_four_in_a_column_leave_a_column_clearer() -> None:
    start = board({"e3": "R", "e4": "R", "e5": "R", "e6": "R"})
    found = round_of(start)
    assert found is not None
    # Nobody swapped, so it lies in the middle, on the third of the four.
    assert found.left == {cell("e5"): tile_of(0, COLUMN)}
    assert found.emptied == cells("e3 e4 e6")


@pytest.mark.parametrize(
    ("changes", "bomb", "others"),
    [
        ({"a8": "RRRRR"}, "c8", "a8 b8 d8 e8"),
        ({"b8": "RRR", "b7": "R", "b6": "R"}, "b8", "c8 d8 b7 b6"),
        ({"f2": "RRR", "g3": "R", "g4": "R"}, "g2", "f2 h2 g3 g4"),
        ({"f3": "RRR", "g2": "R", "g4": "R"}, "g3", "f3 h3 g2 g4"),
    ],
    ids=["five", "L", "T", "plus"],
)
def test_five_an_l_and_a_t_leave_a_bomb(changes: dict[str, str], bomb: str, others: str) -> None:
    found = round_of(board(changes))
    assert found is not None
    assert found.left == {cell(bomb): tile_of(0, BOMB)}
    assert found.emptied == cells(others)


def test_two_matches_at_once_both_go() -> None:
    found = round_of(board({"b8": "RRR", "f3": "BBB"}))
    assert found is not None
    assert found.emptied == cells("b8 c8 d8 f3 g3 h3")


def test_a_row_clearer_takes_its_row() -> None:
    found = round_of(board({"b8": "RR-R"}))
    assert found is not None
    assert found.emptied == cells("a8 b8 c8 d8 e8 f8 g8 h8")


def test_a_column_clearer_takes_its_column() -> None:
    found = round_of(board({"b8": "RR|R"}))
    assert found is not None
    assert found.emptied == cells("b8 c8 d8 c1 c2 c3 c4 c5 c6 c7")


def test_a_bomb_takes_the_eight_around_it_as_far_as_they_are_on_the_board() -> None:
    found = round_of(board({"a8": "R*RR"}))
    assert found is not None
    assert found.emptied == cells("a8 b8 c8 a7 b7")


def test_specials_set_one_another_off() -> None:
    start = board({"b8": "RR-R", "g8": "B*", "f7": "P|"})
    found = round_of(start)
    assert found is not None
    row = {cell(f"{column}8") for column in "abcdefgh"}
    bomb = cells("f7 g7 h7")
    column = {cell(f"f{number}") for number in range(1, 9)}
    assert found.emptied == row | bomb | column


def test_a_special_made_in_a_blast_stays() -> None:
    found = round_of(board({"b8": "RR-RR"}), (cell("b8"), cell("a8")))
    assert found is not None
    assert found.left == {cell("b8"): tile_of(0, ROW)}
    assert found.emptied == cells("a8 c8 d8 e8 f8 g8 h8")


def test_tiles_fall_and_new_ones_follow_column_by_column() -> None:
    start = board({"b8": "RRR", "c7": "R"})
    found = round_of(board({"b8": "RRR", "b7": "P"}))
    assert found is not None
    after, drawn = fallen(start, found, 11, 5)
    assert drawn == 8
    for number, column in enumerate("bcd"):
        assert after[cell(f"{column}1")] == draw(11, 5 + number, COLOURS)
        assert [after[cell(f"{column}{row}")] for row in range(2, 9)] == [
            start[cell(f"{column}{row}")] for row in range(1, 8)
        ]
    untouched = [index for index in range(CELLS) if index % 8 not in (1, 2, 3)]
    assert all(after[index] == start[index] for index in untouched)


def test_a_cascade() -> None:
    # d8-e8 brings R to d8: b8 c8 d8 go. b7 and c7 (B) fall beside the B at a8: a8 b8 c8 go.
    start = board({"a8": "BRRYRPRG", "a7": "YBBRGBYP"})
    assert not has_runs(start)
    swap = swap_of("d8-e8")
    moved = swapped(start, swap)
    first = round_of(moved, SWAPS[swap])
    assert first is not None and first.emptied == cells("b8 c8 d8")
    second_board, _ = fallen(moved, first, 0, 0)
    second = round_of(second_board)
    assert second is not None and second.emptied == cells("a8 b8 c8")
    rested = at_rest(moved, SWAPS[swap], 0, 0)
    assert rested.cleared == rested.drawn >= 6

    state = GAME.step(Sweep(start, seed=0, drawn=0), swap)
    assert state.board == rested.board
    assert (state.score, state.swaps_left) == (rested.cleared, LIMIT - 1)


def test_a_board_without_a_move_is_shuffled() -> None:
    stuck = board({})
    mixed, drawn = playable(stuck, 3, 100)
    assert drawn > 100 and (drawn - 100) % (CELLS - 1) == 0
    assert sorted(mixed) == sorted(stuck)
    assert matching_swaps(mixed) and not has_runs(mixed)
    assert playable(stuck, 3, 100) == (mixed, drawn)
    assert playable(mixed, 3, 100) == (mixed, 100)


def test_a_board_that_no_order_helps_is_laid_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cascade, "_SHUFFLES", 0)
    assert playable(board({}), 3, 100) == laid(3, 100)


def test_the_game_ends_after_fifty_swaps() -> None:
    state = replace(GAME.reset(0), swaps_left=1)
    after = GAME.step(state, GAME.legal(state)[0])
    assert GAME.over(after) and GAME.to_act(after) == () and GAME.legal(after) == []
    with pytest.raises(IllegalAction):
        GAME.step(after, matching_swaps(after.board)[0])


def test_what_a_player_reads() -> None:
    state = Sweep(board({"a1": "R-GB|", "h8": "P*"}), 0, 0, swaps_left=9, score=120)
    lines = GAME.text(state).splitlines()
    assert lines[0] == "swaps left 9  score 120"
    assert lines[1] == "  a  b  c  d  e  f  g  h"
    assert lines[2] == "1 R- G  B| Y  P  R  G  B"
    assert lines[-1] == "8 P  R  G  B  Y  P  R  P*"
    assert max(GAME.picture(state).shape[:2]) <= 400
    assert [name_of(cell(name)) for name in ("a1", "h8", "c4")] == ["a1", "h8", "c4"]


def test_pictures_tell_all_tiles_apart() -> None:
    tiles = [tile_of(colour, special) for colour in range(COLOURS) for special in range(4)]
    states = [Sweep((tile,) + (0,) * 63, 0, 0) for tile in tiles]
    assert len({GAME.picture(state).tobytes() for state in states}) == len(tiles)
    assert len({rows_of(state.board)[1] for state in states}) == len(tiles)


@settings(max_examples=30)
@given(st.integers(0, 2**64), st.lists(st.integers(0, 111), max_size=30))
def test_whatever_is_played(seed: int, choices: list[int]) -> None:
    state, again = GAME.reset(seed), GAME.reset(seed)
    for choice in choices:
        legal = GAME.legal(state)
        digest = GAME.digest(state)
        illegal = choice if choice not in legal else -1
        for action in (illegal, 112):
            with pytest.raises(IllegalAction):
                GAME.step(state, action)
        action = legal[choice % len(legal)]
        after = GAME.step(state, action)
        assert GAME.digest(state) == digest != GAME.digest(after)
        assert len(after.board) == CELLS
        assert all(0 <= tile < COLOURS * 4 for tile in after.board)
        assert not has_runs(after.board) and GAME.legal(after)
        # As many tiles came as went; what a shuffle draws comes in lots of 63.
        assert (after.drawn - state.drawn - (after.score - state.score)) % 63 == 0
        assert after.score >= state.score + 3
        again = GAME.step(again, action)
        assert after == again and hash(after) == hash(again)
        state = after
