"""Sokoban on levels drawn by hand, and what must hold of every level that is made."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodput.arena.games.registry import make_game
from goodput.arena.games.sokoban.deadlock import deadlocked
from goodput.arena.games.sokoban.game import GRADES, RESTART, Sokoban, level_of
from goodput.arena.games.sokoban.generator import puzzle_of
from goodput.arena.games.sokoban.level import (
    DOWN,
    LEFT,
    RIGHT,
    UP,
    Level,
    Position,
    level_from,
    moved,
)
from goodput.arena.games.sokoban.solver import solve
from goodput.arena.players.search import find_chooser


def begun(*rows: str) -> tuple[Level, Position]:
    level = level_from(rows)
    return level, Position(level.player, level.boxes)


def test_a_step_goes_to_the_floor_and_not_into_a_wall() -> None:
    level, position = begun("####", "#@ #".replace(" ", "-"), "####")
    right = moved(level, position, RIGHT)
    assert right is not None and right.player == position.player + 1
    assert [moved(level, position, way) for way in (UP, DOWN, LEFT)] == [None] * 3


def test_a_box_is_pushed_and_never_pulled() -> None:
    level, position = begun("######", "#-@$-#", "######")
    pushed = moved(level, position, RIGHT)
    assert pushed == Position(position.player + 1, frozenset({position.player + 2}))
    back = moved(level, pushed, LEFT)
    assert back is not None and back.boxes == pushed.boxes


@pytest.mark.parametrize("row", ["#@$$-#", "#@$###", "#@*$-#"])
def test_two_boxes_or_a_box_at_a_wall_do_not_move(row: str) -> None:
    level, position = begun("######", row, "######")
    assert moved(level, position, RIGHT) is None


@pytest.mark.parametrize(
    ("rows", "dead"),
    [
        (("#####", "#$--#", "#-@.#", "#####"), True),  # in a corner
        (("#####", "#*--#", "#-@-#", "#####"), False),  # in a corner, but home
        (("######", "#-$--#", "#--@-#", "#-.--#", "######"), True),  # along a wall without target
        (("######", "#-$-.#", "#--@-#", "######"), False),  # along a wall that has one
        (("######", "#----#", "#-$$-#", "#-$$@#", "#-..-#", "#-..-#", "######"), True),  # a square
        (("######", "#----#", "#-$--#", "#--@-#", "#-.--#", "######"), False),
        (("#######", "#--#--#", "#-$#--#", "#-$---#", "#-@..-#", "#######"), False),
    ],
)
def test_deadlocks_by_hand(rows: tuple[str, ...], dead: bool) -> None:
    level, position = begun(*rows)
    assert deadlocked(level, position.boxes) is dead
    if dead:
        assert solve(level, position) is None


def test_the_shortest_solution_by_hand() -> None:
    level, position = begun("#######", "#@-$-.#", "#######")
    assert solve(level, position) == (RIGHT,) * 3
    level, position = begun("#####", "#-.-#", "#-$-#", "#@--#", "#####")
    # Around below the box, then up.
    assert solve(level, position) == (RIGHT, UP)
    assert solve(level, position, most=1) is None


def test_the_search_walks_the_shortest_way() -> None:
    rules = Sokoban()
    state = rules.reset(4)
    par = puzzle_of(4, 0).par
    choose = find_chooser("sokoban-v1")
    for _ in range(par):
        assert state.level == 0
        state = rules.step(state, choose(rules, state, 0, rules.legal(state), lambda bound: 0))
    assert state.level == 1 and rules.score(state) == len(puzzle_of(4, 0).level.boxes)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, len(GRADES) - 1))
def test_every_level_is_solved_in_par_moves_and_not_before(seed: int, number: int) -> None:
    level, par = puzzle_of(seed, number)
    position = Position(level.player, level.boxes)
    assert len(level.boxes) == len(level.targets) > 0 and not level.boxes <= level.targets
    way = solve(level, position)
    assert way is not None and len(way) == par
    for direction in way:
        after = moved(level, position, direction)
        assert after is not None
        position = after
    assert position.boxes <= level.targets
    assert solve(level, Position(level.player, level.boxes), par - 1) is None


def test_restart_sets_the_level_back_and_costs_a_move() -> None:
    rules = Sokoban()
    start = rules.reset(1)
    assert RESTART not in rules.legal(start)
    state = rules.step(start, rules.legal(start)[0])
    again = rules.step(state, RESTART)
    assert again.position == start.position and again.moves_left == start.moves_left - 2


def test_the_text_says_when_it_is_stuck() -> None:
    rules = Sokoban()
    state = rules.reset(2)
    assert "stuck no" in rules.text(state)
    level = level_of(state)
    corner = next(
        cell for cell in level.floor if cell not in level.push_distances and cell != state.player
    )
    boxes = frozenset(sorted(state.boxes)[1:]) | {corner}
    from msgspec.structs import replace

    assert "stuck yes" in rules.text(replace(state, boxes=boxes))


def test_the_game_ends_with_the_last_level() -> None:
    rules = make_game("sokoban-v1")
    state = rules.reset(3)
    choose = find_chooser("sokoban-v1")
    while not rules.over(state):
        state = rules.step(state, choose(rules, state, 0, rules.legal(state), lambda bound: 0))
    boxes = sum(len(puzzle_of(3, number).level.boxes) for number in range(len(GRADES)))
    assert rules.score(state) == boxes or state.moves_left == 0
