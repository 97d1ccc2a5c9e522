"""SRS: the guideline's kick tables, and turns at walls, floor and stack worked out by hand.

Places are of a piece's box, by its lower left corner; row 0 is the lowest, column 0 the leftmost.
"""

from __future__ import annotations

import pytest

from goodput.arena.games.tetris.board import UP, cells_from, place
from goodput.arena.games.tetris.motion import turned_place
from goodput.arena.games.tetris.pieces import BOTTOM, CELLS, ENTRY, KICKS, KINDS, SHAPES

I, J, L, O, S, T, Z = range(7)  # noqa: E741
CLOCKWISE, COUNTER = 1, -1

COMMON = {
    (0, CLOCKWISE): [(0, 0), (-1, 0), (-1, 1), (0, -2), (-1, -2)],
    (1, COUNTER): [(0, 0), (1, 0), (1, -1), (0, 2), (1, 2)],
    (1, CLOCKWISE): [(0, 0), (1, 0), (1, -1), (0, 2), (1, 2)],
    (2, COUNTER): [(0, 0), (-1, 0), (-1, 1), (0, -2), (-1, -2)],
    (2, CLOCKWISE): [(0, 0), (1, 0), (1, 1), (0, -2), (1, -2)],
    (3, COUNTER): [(0, 0), (-1, 0), (-1, -1), (0, 2), (-1, 2)],
    (3, CLOCKWISE): [(0, 0), (-1, 0), (-1, -1), (0, 2), (-1, 2)],
    (0, COUNTER): [(0, 0), (1, 0), (1, 1), (0, -2), (1, -2)],
}
OF_I = {
    (0, CLOCKWISE): [(0, 0), (-2, 0), (1, 0), (-2, -1), (1, 2)],
    (1, COUNTER): [(0, 0), (2, 0), (-1, 0), (2, 1), (-1, -2)],
    (1, CLOCKWISE): [(0, 0), (-1, 0), (2, 0), (-1, 2), (2, -1)],
    (2, COUNTER): [(0, 0), (1, 0), (-2, 0), (1, -2), (-2, 1)],
    (2, CLOCKWISE): [(0, 0), (2, 0), (-1, 0), (2, 1), (-1, -2)],
    (3, COUNTER): [(0, 0), (-2, 0), (1, 0), (-2, -1), (1, 2)],
    (3, CLOCKWISE): [(0, 0), (1, 0), (-2, 0), (1, -2), (-2, 1)],
    (0, COUNTER): [(0, 0), (-1, 0), (2, 0), (-1, 2), (2, -1)],
}


@pytest.mark.parametrize("kind", [I, J, L, S, T, Z])
def test_the_kicks_are_the_guidelines(kind: int) -> None:
    for (turn, direction), shifts in (OF_I if kind == I else COMMON).items():
        expected = tuple(column + row * UP for column, row in shifts)
        assert KICKS[kind][turn][direction] == expected, (KINDS[kind], turn, direction)


def drawn(kind: int, turn: int) -> list[str]:
    size = 4 if kind == I else 3
    return [
        "".join("#" if (column, row) in CELLS[kind][turn] else "." for column in range(size))
        for row in range(size - 1, -1, -1)
    ]


def test_pieces_turn_within_their_box() -> None:
    assert [drawn(T, turn) for turn in range(4)] == [
        [".#.", "###", "..."],
        [".#.", ".##", ".#."],
        ["...", "###", ".#."],
        [".#.", "##.", ".#."],
    ]
    assert [drawn(I, turn) for turn in range(4)] == [
        ["....", "####", "....", "...."],
        ["..#.", "..#.", "..#.", "..#."],
        ["....", "....", "####", "...."],
        [".#..", ".#..", ".#..", ".#.."],
    ]
    assert drawn(J, 1) == [".##", ".#.", ".#."]
    assert drawn(L, 1) == [".#.", ".#.", ".##"]
    assert drawn(S, 1) == [".#.", ".##", "..#"]
    assert drawn(Z, 3) == [".#.", "##.", "#.."]


def test_pieces_enter_just_above_the_skyline_in_the_middle() -> None:
    columns = {}
    for kind, letter in enumerate(KINDS):
        mask = SHAPES[kind][0] << ENTRY[kind]
        rows = {row for row in range(30) for column in range(10) if mask >> place(row, column) & 1}
        columns[letter] = sorted(
            {column for row in rows for column in range(10) if mask >> place(row, column) & 1}
        )
        assert min(rows) == 20
        assert ENTRY[kind] == place(20 - BOTTOM[kind][0], 3)
    assert columns == {
        "I": [3, 4, 5, 6],
        "J": [3, 4, 5],
        "L": [3, 4, 5],
        "O": [4, 5],
        "S": [3, 4, 5],
        "T": [3, 4, 5],
        "Z": [3, 4, 5],
    }


def test_the_o_does_not_turn() -> None:
    assert turned_place(0, O, 0, place(10, 3), CLOCKWISE) is None


def test_a_t_upright_at_the_left_wall_is_kicked_off_it() -> None:
    # Turned right it fills columns 0 and 1, its box begins at -1; upright it needs three columns.
    assert turned_place(0, T, 1, place(5, -1), COUNTER) == place(5, 0)


def test_a_t_upright_at_the_right_wall_is_kicked_off_it() -> None:
    assert turned_place(0, T, 3, place(5, 8), CLOCKWISE) == place(5, 7)


def test_a_t_on_the_floor_is_kicked_up_to_the_left() -> None:
    # Its lower arm would be under the floor; a column to the left too; one up and left fits.
    assert turned_place(0, T, 0, place(-1, 4), CLOCKWISE) == place(0, 3)


def test_a_t_on_the_floor_is_kicked_up_to_the_right() -> None:
    assert turned_place(0, T, 0, place(-1, 4), COUNTER) == place(0, 5)


def test_the_last_kick_takes_a_t_down_two_rows() -> None:
    cells = cells_from(
        [
            "#.........",  # stops the second and the third try
            "..........",
            ".#........",  # stops the first and the fourth
            "..########",
            ".#########",
        ]
    )
    assert turned_place(cells, T, 0, place(2, 0), CLOCKWISE) == place(0, -1)


def test_an_i_at_the_right_wall_is_kicked_by_one() -> None:
    # Turned right it is in the third column of its box: column 9 with the box at 7.
    assert turned_place(0, I, 1, place(4, 7), COUNTER) == place(4, 6)


def test_an_i_at_the_left_wall_is_kicked_by_two() -> None:
    assert turned_place(0, I, 1, place(4, -2), COUNTER) == place(4, 0)


def test_an_i_turned_left_at_the_right_wall_is_kicked_by_two() -> None:
    # 3 to 0 tries one to the right, then two to the left.
    assert turned_place(0, I, 3, place(4, 8), CLOCKWISE) == place(4, 6)


def test_an_i_on_the_floor_stands_up_two_rows_higher() -> None:
    # Lying on the floor its box begins at row -2; the last kick of clockwise is (1, 2).
    assert turned_place(0, I, 0, place(-2, 3), CLOCKWISE) == place(0, 4)
    # Counterclockwise the fourth kick, (-1, 2), is the first that fits.
    assert turned_place(0, I, 0, place(-2, 3), COUNTER) == place(0, 2)


def test_a_piece_walled_in_does_not_turn() -> None:
    cells = cells_from(
        [
            "####.#####",
            "###...####",
        ]
    )
    lying = place(-1, 3)
    assert not cells & SHAPES[T][0] << lying
    roof = cells | cells_from(["##########"] * 4 + [".........."] * 2)
    assert turned_place(roof, T, 0, lying, CLOCKWISE) is None
