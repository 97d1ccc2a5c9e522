"""The platformer: jumps worked out by hand, what kills, what scores, and passable levels."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from goodput.arena.games.platformer.controls import ACTIONS, HELD
from goodput.arena.games.platformer.game import COIN, LIVES, STOMP, Platformer, Run
from goodput.arena.games.platformer.level import COLUMNS, FLAG, ROWS, Level, Patrol, level_of
from goodput.arena.games.platformer.physics import (
    HEIGHT,
    TILE,
    WIDTH,
    Body,
    enemy_at,
    moved,
    standing,
)
from goodput.arena.games.rules import IllegalAction
from goodput.arena.players.program import Draws
from goodput.arena.players.search import find_chooser

RULES = Platformer()
FLOOR = ROWS - 2


def drawn(
    *,
    blocks: tuple[tuple[int, int], ...] = (),
    pits: tuple[int, ...] = (),
    coins: tuple[tuple[int, int], ...] = (),
    enemies: tuple[Patrol, ...] = (),
) -> Level:
    """Flat ground with these things on it."""
    ground = tuple(ROWS if column in pits else FLOOR for column in range(COLUMNS))
    solid = {(c, row) for c in range(COLUMNS) for row in range(ground[c], ROWS)} | set(blocks)
    return Level(ground, frozenset(solid), frozenset(coins), enemies)


def after(level: Level, body: Body, word: str, frames: int) -> list[Body]:
    held = HELD[word]
    bodies = [replace(body, wish=8) if held.jump else body]
    for _ in range(frames):
        bodies.append(moved(level, bodies[-1], held))
    return bodies


def test_a_body_at_rest_stays_where_it_is() -> None:
    body = standing(drawn(), 5)
    assert after(drawn(), body, "stay", 30)[-1] == body


def test_a_held_jump_rises_over_four_tiles_and_comes_down_again() -> None:
    body = standing(drawn(), 5)
    heights = [body.y - x.y for x in after(drawn(), body, "jump", 80)]
    # 80 in the first frame, then 3 less each: 80 + 77 + ... + 2.
    assert max(heights) == sum(range(2, 81, 3)) == 27 * 41
    assert heights[-1] == 0


def test_a_tapped_jump_is_lower() -> None:
    body = replace(standing(drawn(), 5), wish=8)
    first = moved(drawn(), body, HELD["jump"])
    heights = [body.y - x.y for x in after(drawn(), first, "stay", 60)]
    # 80, then 6 less each.
    assert max(heights) == 80 + sum(range(74, 0, -6))


def test_a_jump_at_a_run_clears_six_tiles_and_at_a_walk_three() -> None:
    for word, jump, most in (("run right", "run right jump", 6), ("right", "right jump", 3)):
        rolling = after(drawn(), standing(drawn(), 5), word, 40)[-1]
        flight = after(drawn(), rolling, jump, 60)
        landed = next(x for x in flight[2:] if x.grounded)
        assert (landed.x - rolling.x) // TILE == most


def test_a_wall_stops_and_the_ceiling_does_too() -> None:
    wall = drawn(blocks=((8, FLOOR - 1),))
    stopped = after(wall, standing(wall, 5), "run right", 60)[-1]
    assert (stopped.x + WIDTH, stopped.vx) == (8 * TILE, 0)
    roof = drawn(blocks=tuple((column, FLOOR - 3) for column in range(3, 9)))
    body = standing(roof, 5)
    assert max(body.y - x.y for x in after(roof, body, "jump", 40)) == 2 * TILE - HEIGHT


def test_an_enemy_walks_to_and_fro() -> None:
    patrol = Patrol(10, 13, FLOOR)
    places = [enemy_at(patrol, frame) for frame in range(400)]
    assert min(places) == 10 * TILE and max(places) <= 13 * TILE
    assert all(abs(b - a) <= 10 for a, b in pairwise(places))


def run(seed: int = 0, **changes: object) -> Run:
    return replace(RULES.reset(seed), **changes)


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    def use(level: Level) -> Level:
        monkeypatch.setattr("goodput.arena.games.platformer.game.level_of", lambda seed: level)
        return level

    return use


def frames(state: Run, count: int) -> Run:
    for _ in range(count):
        state = RULES.frame(state)
    return state


def test_a_pit_costs_a_life_and_sets_back(on) -> None:  # type: ignore[no-untyped-def]
    level = on(drawn(pits=(6, 7, 8, 9)))
    state = RULES.step(run(body=standing(level, 3)), ACTIONS.index("right"))
    fallen = frames(state, 120)
    assert fallen.lives == LIVES - 1
    assert fallen.body == standing(level, 2) and ACTIONS[fallen.held] == "stay"


def test_an_enemy_from_the_side_costs_a_life_and_from_above_scores(on) -> None:  # type: ignore[no-untyped-def]
    level = on(drawn(enemies=(Patrol(10, 14, FLOOR),)))
    beside = run(body=standing(level, 9))
    hit = frames(RULES.step(beside, ACTIONS.index("right")), 20)
    assert hit.lives == LIVES - 1 and not hit.stomped
    above = Body(10 * TILE, (FLOOR - 3) * TILE, 0, 0, False)
    stomped = frames(run(body=above), 30)
    assert stomped.stomped == {0} and stomped.lives == LIVES
    assert RULES.score(stomped) - stomped.best == STOMP


def test_coins_are_taken_once(on) -> None:  # type: ignore[no-untyped-def]
    level = on(drawn(coins=((5, FLOOR - 1), (6, FLOOR - 1))))
    state = RULES.step(run(body=standing(level, 4)), ACTIONS.index("right"))
    there = frames(state, 60)
    assert there.taken == level.coins
    assert RULES.score(there) == there.best + 2 * COIN


def test_the_flag_ends_it_with_a_bonus(on) -> None:  # type: ignore[no-untyped-def]
    level = on(drawn())
    state = RULES.step(run(body=standing(level, FLAG - 2), best=FLAG - 2), ACTIONS.index("right"))
    done = frames(state, 60)
    assert RULES.over(done) and RULES.score(done) == FLAG + 50 + 20 * LIVES
    assert RULES.legal(done) == [] and RULES.frame(done) is done
    with pytest.raises(IllegalAction):
        RULES.step(done, 0)


def test_three_lives_and_it_is_over(on) -> None:  # type: ignore[no-untyped-def]
    level = on(drawn(pits=tuple(range(6, 20))))
    state = run(body=standing(level, 3))
    for _ in range(LIVES):
        state = frames(RULES.step(state, ACTIONS.index("run right")), 150)
    assert RULES.over(state) and RULES.score(state) < 20


def test_a_jump_that_was_chosen_in_the_air_waits_for_the_ground() -> None:
    low = Body(5 * TILE, FLOOR * TILE - HEIGHT - 100, 0, 20, False, 8)
    bodies = after(drawn(), low, "jump", 12)
    assert any(body.vy < 0 for body in bodies)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 100_000))
def test_what_is_in_the_way_is_within_reach(seed: int) -> None:
    level = level_of(seed)
    width = 0
    last = level.ground[0]
    for column, row in enumerate(level.ground):
        width = width + 1 if row == ROWS else 0
        assert width <= 3
        wall = 0
        while row < ROWS and (column, row - 1 - wall) in level.solid:
            wall += 1
        assert wall <= 3
        if row < ROWS:
            assert last - row <= 3
            last = row
    assert all(level.ground[column] < ROWS for column in range(FLAG - 2, COLUMNS))
    for patrol in level.enemies:
        assert patrol.first < patrol.last
        assert {level.ground[c] for c in range(patrol.first, patrol.last + 2)} == {patrol.row}


def searched(seed: int, every: int = 6) -> Run:
    choose = find_chooser("platformer-v1")
    state = RULES.reset(seed)
    while not RULES.over(state) and state.frames < RULES.spec.frame_limit:
        if state.frames % every == 0:
            action = choose(RULES, state, 0, RULES.legal(state), lambda bound: 0)
            if action != state.held or "jump" in ACTIONS[action]:
                state = RULES.step(state, action)
        state = RULES.frame(state)
    return state


def test_the_search_reaches_the_flag() -> None:
    assert searched(1).at_flag


@pytest.mark.slow
def test_the_search_reaches_most_flags() -> None:
    assert sum(searched(seed).at_flag for seed in range(10)) >= 8


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 9999))
def test_the_same_inputs_give_the_same_run(seed: int) -> None:
    ends = []
    for _ in range(2):
        state, draw = RULES.reset(seed), Draws(seed)
        for _ in range(60):
            legal = RULES.legal(state)
            if not legal:
                break
            before = RULES.digest(state)
            after_step = RULES.step(state, legal[draw(len(legal))])
            assert RULES.digest(state) == before
            state = frames(after_step, 4)
        ends.append(state)
    assert ends[0] == ends[1] and hash(ends[0]) == hash(ends[1])
    assert RULES.digest(ends[0]) == RULES.digest(ends[1])


def test_text_and_picture_show_the_same() -> None:
    state = RULES.reset(3)
    text, picture = RULES.text(state), RULES.picture(state)
    assert text.count("M") == 1 and max(picture.shape) <= 400
    later = frames(RULES.step(state, 0), 10)
    assert RULES.text(later) != text and not (RULES.picture(later) == picture).all()
