"""Locking, clearing, holding, the bag, gravity and the lock delay."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.arena.games.wells import well

from goodput.arena.games.tetris.board import cells_from, column_of, place, row_of
from goodput.arena.games.tetris.keys import HARD, HOLD, LEFT, RIGHT, SOFT, Keys
from goodput.arena.games.tetris.motion import (
    GRAVITY,
    LOCK_FRAMES,
    LOCK_RESETS,
    ROW,
    dropped,
    fallen,
    lowered,
)
from goodput.arena.games.tetris.pieces import KINDS
from goodput.arena.games.tetris.placements import Placements
from goodput.arena.games.tetris.single import placement_tetris, tetris
from goodput.arena.games.tetris.well import Well, fresh, locked

I, O, T = KINDS.index("I"), KINDS.index("O"), KINDS.index("T")  # noqa: E741


def drop(state: Well) -> Well:
    return dropped(state, state.turn, state.at)


@pytest.mark.parametrize(("rows", "points"), [(1, 100), (2, 300), (3, 500), (4, 800)])
def test_an_i_in_a_slot_clears_rows_for_points_times_the_level(rows: int, points: int) -> None:
    slot = ["#########."] * rows
    # Turned left the I is in the second column of its box.
    after = drop(well(slot, "I", row=8, column=8, turn=3, level=3))
    assert after.lines == rows
    assert after.score == points * 3 + 2 * 8
    assert after.cells == cells_from(["." * 9 + "#"] * (4 - rows))


def test_rows_above_and_between_cleared_ones_come_down() -> None:
    stack = [
        "#.........",
        "########..",
        ".#########",
        "########..",
    ]
    after = drop(well(stack, "O", row=5, column=7))
    # The O (box columns 1 and 2) rests on the second row, so only the upper of its rows is full.
    assert after.lines == 1
    assert after.cells == cells_from(["#.......##", ".#########", "########.."])


def test_a_piece_that_fills_nothing_stays() -> None:
    after = drop(well([], "T", row=4, column=0))
    assert after.cells == cells_from([".#........", "###......."])
    assert (after.lines, after.pieces, after.score) == (0, 1, 2 * 5)


def test_every_bag_has_all_seven_pieces() -> None:
    for seed in range(20):
        state, seen = fresh(seed), []
        for _ in range(35):
            seen.append(state.kind)
            state = replace(locked(state, state.turn, state.at), cells=0, out=False)
        for first in range(0, 35, 7):
            assert sorted(seen[first : first + 7]) == list(range(7))


def test_bags_differ_between_seeds_and_within_a_seed() -> None:
    assert len({(fresh(seed).kind, fresh(seed).queue) for seed in range(100)}) > 95
    state = fresh(5)
    assert (state.kind, *state.queue[:6]) != state.queue[6:13]


def test_the_preview_never_runs_short() -> None:
    state = fresh(1)
    for _ in range(30):
        assert len(state.queue) >= 5
        coming = state.queue[:5]
        state = replace(locked(state, 0, state.at), cells=0, out=False)
        assert (state.kind, *state.queue[:4]) == coming


def test_hold_once_per_piece() -> None:
    keys = Keys()
    first = fresh(3)
    second = keys.act(first, HOLD)
    assert second is not None
    assert (second.held, second.kind) == (first.kind, first.queue[0])
    assert HOLD not in keys.legal(second)
    assert keys.act(second, HOLD) is None
    third = keys.act(second, HARD)
    assert third is not None
    back = keys.act(third, HOLD)
    assert back is not None
    assert (back.kind, back.held) == (first.kind, third.kind)
    assert back.queue == third.queue


def test_a_held_piece_comes_back_as_it_entered() -> None:
    keys = Keys()
    turned = well([], "T", row=3, column=0, turn=1, held=I)
    back = keys.act(turned, HOLD)
    assert back is not None
    assert (back.turn, row_of(back.at), column_of(back.at)) == (0, 17, 3)


def test_a_new_piece_moves_down_a_row_at_once_where_it_can() -> None:
    state = fresh(0)
    assert state.lowest == 19
    full = ["....##...."] * 20
    above = locked(well(full, "O", row=30, column=0), 0, place(0, -1))
    assert above.lowest == 20 and not above.out


def test_a_piece_without_room_ends_the_game() -> None:
    towers = ["...#......"] * 21
    after = locked(well(towers, "O", row=2, column=7, queue=(T,) * 6), 0, place(-1, 7))
    assert after.out
    assert tetris().over(after)
    assert tetris().legal(after) == []
    assert tetris().to_act(after) == ()


def test_a_piece_locked_wholly_above_the_top_ends_the_game() -> None:
    tower = ["#........."] * 20
    inside = locked(well(tower, "I"), 3, place(17, 0))
    assert not inside.out
    above = locked(well(tower, "O"), 0, place(19, -1))
    assert above.out


def test_gravity_takes_a_row_in_sixty_frames_at_first_and_thirty_six_rows_a_frame_at_last() -> None:
    state = well([], "T", row=15)
    for _ in range(59):
        state = fallen(state)
    assert row_of(state.at) == 15
    assert row_of(fallen(state).at) == 14
    assert GRAVITY[20] // ROW == 36
    assert all(slow < fast for slow, fast in pairwise(GRAVITY))


def test_the_highest_gravity_brings_a_piece_down_in_a_frame_but_does_not_lock_it() -> None:
    after = fallen(well(["####......"], "T", row=15, level=20))
    assert row_of(after.at) == 0
    assert after.pieces == 0


def test_a_piece_locks_after_half_a_second_on_the_ground() -> None:
    state = well([], "T", row=-1)
    for _ in range(LOCK_FRAMES - 1):
        state = fallen(state)
    assert state.pieces == 0
    assert fallen(state).pieces == 1


def test_moves_put_the_lock_off_fifteen_times() -> None:
    keys = Keys()
    state = well([], "T", row=-1, column=4)
    moves = 0
    while True:
        for _ in range(LOCK_FRAMES - 1):
            state = fallen(state)
        if state.pieces:
            break
        moved = keys.act(state, LEFT if moves % 2 else RIGHT)
        assert moved is not None
        state = moved
        moves += 1
    assert moves == LOCK_RESETS + 1


def test_a_lower_row_gives_the_resets_back() -> None:
    state = well(["....######"], "T", row=0, column=3, rested=20, resets=LOCK_RESETS)
    moved = Keys().act(state, LEFT)
    assert moved is not None and moved.rested == 20
    while moved.grounded:
        moved = Keys().act(moved, LEFT)
        assert moved is not None
    down = lowered(moved)
    assert (down.rested, down.resets) == (0, 0)


def test_soft_drop_is_a_point_a_row_and_stops_on_the_ground() -> None:
    keys = Keys()
    state = keys.act(well([], "T", row=0), SOFT)
    assert state is not None
    assert (state.score, row_of(state.at)) == (1, -1)
    assert keys.act(state, SOFT) is None
    assert SOFT not in keys.legal(state)


def test_the_level_rises_every_ten_lines() -> None:
    game = tetris()
    state = well(["#########."], "I", row=8, column=8, turn=3, lines=9)
    after = game.step(state, HARD)
    assert (after.lines, after.level) == (10, 2)
    assert game.step(replace(state, lines=8), HARD).level == 1


def test_a_placement_says_where_the_piece_points_and_its_leftmost_column() -> None:
    game = placement_tetris()
    words = game.spec.actions
    after = game.step(well([], "T", row=10), words.index("right-4"))
    assert after.cells == cells_from(["...#......", "...##.....", "...#......"])
    after = game.step(well([], "I", row=10), words.index("right-10"))
    assert after.cells == cells_from([".........#"] * 4)
    after = game.step(well([], "S", row=10), words.index("up-8"))
    assert after.cells == cells_from(["........##", ".......##."])


def test_placements_do_not_offer_the_same_twice() -> None:
    game = placement_tetris()
    counts = {letter: len(game.legal(well([], letter, row=10))) - 1 for letter in KINDS}
    assert counts == {"I": 17, "J": 34, "L": 34, "O": 9, "S": 17, "T": 34, "Z": 17}


def test_a_piece_between_walls_cannot_be_placed_beyond_them() -> None:
    pit = ["##......##"] * 10
    words = Placements.words
    offered = {words[action] for action in Placements().legal(well(pit, "O", row=3))} - {"hold"}
    assert offered == {"up-3", "up-4", "up-5", "up-6", "up-7"}


@given(st.integers(0, 2**64), st.lists(st.integers(0, 35), max_size=40))
def test_every_placement_lands_as_its_word_says(seed: int, choices: list[int]) -> None:
    game = placement_tetris()
    state = game.reset(seed)
    for choice in choices:
        legal = game.legal(state)
        if not legal:
            return
        action = legal[choice % len(legal)]
        after = game.step(state, action)
        word = game.spec.actions[action]
        if word != "hold" and after.lines == state.lines:
            new = after.cells & ~state.cells
            columns = [c for c in range(10) for r in range(24) if new >> place(r, c) & 1]
            assert min(columns) + 1 == int(word.split("-")[1])
            assert len(columns) == 4
        state = after
