"""The searches of Tetris, 2048 and match-3: sound features, no peeking, clearly above chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from msgspec.structs import replace
from tests.arena.games.wells import well

from goodput.arena.games.chance import draw
from goodput.arena.games.g2048 import DOWN, LEFT, RIGHT, Game2048, Tiles
from goodput.arena.games.match3.game import Match3
from goodput.arena.games.rules import Rules
from goodput.arena.games.tetris import keys
from goodput.arena.games.tetris.board import cells_from
from goodput.arena.games.tetris.single import placement_tetris, tetris
from goodput.arena.games.tetris.versus import versus_placement_tetris, versus_tetris
from goodput.arena.players.search import (
    g2048,
    match3,
    tetris_place,
    tetris_versus,
    tetris_versus_place,
)
from goodput.arena.players.search import tetris as tetris_search

Choose = Callable[..., int]


class Draws:
    """A stream of numbers."""

    def __init__(self, seed: int) -> None:
        self.seed, self.drawn = seed, 0

    def __call__(self, bound: int) -> int:
        self.drawn += 1
        return draw(self.seed, self.drawn, bound)


def anything(
    rules: Rules[Any], state: Any, seat: int, legal: Sequence[int], draw: Callable[[int], int]
) -> int:
    return legal[draw(len(legal))]


def played(rules: Rules[Any], choose: Choose, seed: int, steps: int) -> Any:
    """The state after so many steps, or at the end."""
    state, draws = rules.reset(seed), Draws(seed)
    for _ in range(steps):
        legal = rules.legal(state)
        if not legal:
            break
        state = rules.step(state, choose(rules, state, 0, legal, draws), 0)
    return state


STACK = cells_from(
    [
        "#.........",
        "#..#......",
        "#.##.....#",
        "##.#.#####",
    ]
)


def test_holes_are_empty_cells_under_others() -> None:
    assert tetris_search.holes(STACK) == 1
    assert tetris_search.holes(0) == 0
    assert tetris_search.holes(cells_from(["##########", "..........", ".........."])) == 20


def test_row_changes_count_walls_as_filled_and_two_an_empty_row() -> None:
    empty = tetris_search.row_changes(0)
    # From the bottom row up: ##.#.##### has 4, #.##.....# 4, #..#...... 4, #......... 2.
    assert tetris_search.row_changes(STACK) == empty - 4 * 2 + (4 + 4 + 4 + 2)


def test_column_changes_count_the_floor_as_filled() -> None:
    assert tetris_search.column_changes(0) == 10
    # Each column has one at its top; the third has two more, for the hole under its cell.
    assert tetris_search.column_changes(STACK) == 12


def test_wells_count_their_cells_by_depth() -> None:
    pit = cells_from(["#.########"] * 3)
    assert tetris_search.wells(pit) == 3 + 2 + 1
    assert tetris_search.wells(cells_from([".#........"] * 2)) == 2 + 1
    assert tetris_search.wells(0) == 0


def test_tetris_fills_a_slot() -> None:
    slot = well(["#########."] * 4, "I", row=17, may_hold=False)
    game = placement_tetris()
    action = tetris_place.choose(game, slot, 0, game.legal(slot), Draws(0))
    assert game.spec.actions[action] == "right-10"
    assert game.step(slot, action).lines == 4


def test_tetris_holds_for_the_better_piece() -> None:
    slot = well(["#########."] * 4, "S", row=17, held=0)
    game = tetris()
    assert tetris_search.choose(game, slot, 0, game.legal(slot), Draws(0)) == keys.HOLD


def test_tetris_keys_bring_a_piece_where_the_placement_would() -> None:
    game, by_keys = placement_tetris(), tetris()
    for seed in range(5):
        placed = game.reset(seed)
        for _ in range(10):
            state = placed
            while state.pieces == placed.pieces:
                legal = by_keys.legal(state)
                key = tetris_search.choose(by_keys, state, 0, legal, Draws(0))
                assert key in legal
                state = by_keys.step(state, key)
            while placed.pieces < state.pieces:
                legal = game.legal(placed)
                placed = game.step(placed, tetris_place.choose(game, placed, 0, legal, Draws(0)))
            assert state.cells == placed.cells


@pytest.mark.parametrize(
    ("make", "choose"),
    [
        (versus_tetris, tetris_versus.choose),
        (versus_placement_tetris, tetris_versus_place.choose),
    ],
)
def test_versus_searches_play_their_own_side(
    make: Callable[[], Rules[Any]], choose: Choose
) -> None:
    rules = make()
    state = rules.reset(2)
    for _ in range(60):
        for seat in (0, 1):
            legal = rules.legal(state, seat)
            state = rules.step(state, choose(rules, state, seat, legal, Draws(0)), seat)
    assert state.wells[0].pieces == state.wells[1].pieces > 5
    assert not rules.over(state)


def test_no_search_knows_what_is_hidden() -> None:
    falling = placement_tetris()
    state: Any = falling.reset(8)
    hidden: Any = replace(state, seed=99, queue=(*state.queue[:5], 0, 0, 0))
    legal = falling.legal(state)
    choices = {tetris_place.choose(falling, s, 0, legal, Draws(0)) for s in (state, hidden)}
    assert len(choices) == 1
    for rules, choose in ((Game2048(), g2048.choose), (Match3(), match3.choose)):
        for seed in range(10):
            state = rules.reset(seed)
            legal = rules.legal(state)
            hidden = replace(state, seed=seed + 1000)
            assert len({choose(rules, s, 0, legal, Draws(0)) for s in (state, hidden)}) == 1


def test_2048_keeps_room_by_merging() -> None:
    game = Game2048()
    state = Tiles(((1, 2, 3, 4), (5, 6, 7, 8), (1, 2, 3, 4), (5, 5, 7, 8)), seed=0)
    legal = game.legal(state)
    assert legal == [LEFT, RIGHT]
    assert g2048.choose(game, state, 0, legal, Draws(0)) in legal
    state = Tiles(((0, 0, 0, 0), (0, 0, 0, 0), (9, 0, 0, 0), (9, 0, 0, 0)), seed=0)
    assert g2048.choose(game, state, 0, [DOWN, RIGHT], Draws(0)) == DOWN


def test_match3_takes_five_rather_than_three() -> None:
    scores = [
        sum(played(Match3(), choose, seed, 10).score for seed in range(3))
        for choose in (match3.choose, anything)
    ]
    assert scores[0] > 1.3 * scores[1]


def test_tetris_is_far_above_chance() -> None:
    rules = placement_tetris()
    for seed in range(3):
        random = played(rules, anything, seed, 120)
        search = played(rules, tetris_place.choose, seed, 120)
        assert random.out and not search.out
        assert search.lines >= 25 > 5 > random.lines


def test_2048_is_far_above_chance() -> None:
    rules = Game2048()
    for seed in range(2):
        random = played(rules, anything, seed, 1000)
        search = played(rules, g2048.choose, seed, 250)
        assert search.score > 2 * random.score
