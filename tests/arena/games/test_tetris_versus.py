"""Two sides: what clearing sends, what it cancels, and who loses."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.arena.games.wells import well

from goodput.arena.games.rules import IllegalAction
from goodput.arena.games.tetris.board import cells_from, place, row_in
from goodput.arena.games.tetris.keys import HARD, NONE
from goodput.arena.games.tetris.motion import LOCK_FRAMES
from goodput.arena.games.tetris.versus import LEVEL_FRAMES, Duel, versus_tetris
from goodput.arena.games.tetris.well import Well, fresh, locked

GAME = versus_tetris()


def slot(rows: int, **more: Any) -> Well:
    """An I above a slot that is so many rows deep."""
    return well(["#########."] * rows, "I", row=8, column=8, turn=3, **more)


def doomed() -> Well:
    """A side whose next lock leaves no room for the piece after it."""
    return well(["...#......"] * 21, "O", row=-1, column=7, rested=LOCK_FRAMES - 1)


@pytest.mark.parametrize(("rows", "sent"), [(1, ()), (2, (1,)), (3, (2,)), (4, (4,))])
@pytest.mark.parametrize("seat", [0, 1])
def test_what_clearing_sends(rows: int, sent: tuple[int, ...], seat: int) -> None:
    wells = (slot(rows), fresh(1)) if seat == 0 else (fresh(1), slot(rows))
    after = GAME.step(Duel(wells), HARD, seat)
    assert after.wells[1 - seat].incoming == sent
    assert after.wells[seat].incoming == ()


def test_garbage_comes_with_the_next_piece_that_clears_nothing() -> None:
    before = well(["##........"], "T", row=5, column=4, incoming=(2, 1))
    after = GAME.step(Duel((before, fresh(0))), HARD, 0).wells[0]
    assert after.incoming == ()
    rows = [row_in(after.cells, row) for row in range(5)]
    assert [row.bit_count() for row in rows] == [9, 9, 9, 5, 1]
    assert rows[3] & 0b11 == 0b11
    # The first attack came in first, so it lies above the second, and has one hole.
    assert rows[1] == rows[2]
    assert after.raised == 2


def test_clearing_holds_garbage_back_and_cancels_the_oldest_first() -> None:
    after = GAME.step(Duel((slot(3, incoming=(1, 3)), fresh(0))), HARD, 0)
    assert after.wells[0].incoming == (2,)
    assert after.wells[1].incoming == ()
    assert after.wells[0].cells == cells_from([".........#"])
    after = GAME.step(Duel((slot(3, incoming=(3, 2)), fresh(0))), HARD, 0)
    assert after.wells[0].incoming == (1, 2)


def test_what_cancels_with_rest_sends_the_rest() -> None:
    after = GAME.step(Duel((slot(4, incoming=(1, 1)), fresh(0))), HARD, 0)
    assert after.wells[0].incoming == ()
    assert after.wells[1].incoming == (2,)
    assert after.wells[0].sent == 2


def test_both_sides_get_the_same_pieces_and_holes() -> None:
    state = GAME.reset(9)
    assert state.wells[0] == state.wells[1]
    raised = [locked(replace(w, incoming=(1,) * 6), 0, place(-1, 0)) for w in state.wells]
    assert raised[0].cells == raised[1].cells
    holes = {row_in(raised[0].cells, row) for row in range(6)}
    assert len(holes) > 1


def test_whoever_has_no_room_loses() -> None:
    after = GAME.step(Duel((fresh(0), doomed())), HARD, 1)
    assert GAME.over(after)
    assert GAME.outcome(after) == (1.0, 0.0)
    assert GAME.to_act(after) == ()
    assert GAME.legal(after, 0) == [] == GAME.legal(after, 1)
    for seat in (0, 1):
        with pytest.raises(IllegalAction, match="over"):
            GAME.step(after, NONE, seat)


def test_two_that_go_out_in_one_frame_draw() -> None:
    after = GAME.frame(Duel((doomed(), doomed())))
    assert GAME.outcome(after) == (0.5, 0.5)
    assert GAME.frame(after) == after


def test_attacks_of_one_frame_cross() -> None:
    ready = {"row": 0, "rested": LOCK_FRAMES - 1}
    double = well(["#########."] * 2, "I", column=8, turn=3, **ready)
    after = GAME.frame(Duel((double, double)))
    assert [w.incoming for w in after.wells] == [(1,), (1,)]


def test_an_unfinished_game_has_no_outcome() -> None:
    assert GAME.outcome(GAME.reset(0)) == ()


def test_the_level_rises_with_time_for_both() -> None:
    state = replace(GAME.reset(0), frames=LEVEL_FRAMES - 1)
    assert [w.level for w in GAME.frame(state).wells] == [2, 2]
    assert [w.level for w in GAME.frame(replace(state, frames=5)).wells] == [1, 1]


def test_each_seat_sees_its_own_side_first() -> None:
    state = Duel((well(["#........."]), well([".........#"])))
    first, second = (GAME.text(state, seat).splitlines()[-3] for seat in (0, 1))
    assert first == " 1 |#..+++....|  |...+++...#|"
    assert second == " 1 |...+++...#|  |#..+++....|"
    assert (GAME.picture(state, 0) != GAME.picture(state, 1)).any()
