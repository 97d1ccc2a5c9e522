"""What every game has to keep to, the races of our games too: looked for by playing at random."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.arena.games.walks import EVERY, goals, states, walk

from goodput.arena.games.registry import make_game
from goodput.arena.games.rules import IllegalAction, Rules

LONGEST_SIDE = 400

every_game = pytest.mark.parametrize("name", EVERY)
seeds = st.integers(0, 2**31 - 1)


@every_game
def test_the_spec_is_sound(name: str) -> None:
    spec = make_game(name).spec
    base, _, version = spec.id.rpartition("-v")
    assert spec.id == name and base and version.isdecimal() and spec.title
    assert all(word == " ".join(word.casefold().split()) for word in spec.actions)
    assert len(set(spec.actions)) == len(spec.actions) > 1
    assert spec.seats in (1, 2) and spec.late in ("apply", "drop")
    assert spec.idle is None or spec.idle in range(len(spec.actions))
    assert spec.frame_limit > 0 and spec.step_limit > 0 and len(spec.rules_text) > 60


@every_game
@settings(max_examples=4, deadline=None)
@given(seed=seeds)
def test_a_game_is_its_seed_and_its_actions(name: str, seed: int) -> None:
    rules, again = make_game(name), make_game(name)
    state = again.reset(seed)
    assert state == rules.reset(seed)
    for leg in walk(rules, seed, steps=15):
        if leg.action is None:
            state = again.frame(state)
        else:
            state = again.step(state, leg.action, leg.seat)
        assert state == leg.after and hash(state) == hash(leg.after)
        assert again.digest(state) == rules.digest(leg.after)


@every_game
def test_seeds_are_different_games(name: str) -> None:
    rules = make_game(name)
    assert len({rules.digest(rules.reset(seed)) for seed in range(8)}) > 1


@every_game
def test_nothing_that_is_done_with_a_state_changes_it(name: str) -> None:
    rules, twins = make_game(name), iter(states(make_game(name), 3, steps=20))
    for state in states(rules, 3, steps=20):
        before = hash(state), rules.digest(state)
        rules.frame(state)
        rules.to_act(state), rules.over(state), rules.outcome(state)
        for seat in range(rules.spec.seats):
            rules.text(state, seat), rules.picture(state, seat), rules.score(state, seat)
            for action in rules.legal(state, seat)[:8]:
                rules.step(state, action, seat)
        assert (hash(state), rules.digest(state)) == before
        assert state == next(twins)


@every_game
def test_states_share_a_digest_when_they_are_equal_and_only_then(name: str) -> None:
    rules = make_game(name)
    met = {rules.reset(seed) for seed in range(3)} | set(states(rules, 4, steps=60))
    digests = {rules.digest(state) for state in met}
    assert len(digests) == len(met)
    assert all(len(digest) == 16 and int(digest, 16) >= 0 for digest in digests)


def test_digests_are_the_same_in_every_process() -> None:
    elsewhere = subprocess.run(
        [sys.executable, "-m", "tests.arena.games.walks"],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
    )
    assert elsewhere.returncode == 0, elsewhere.stderr
    assert elsewhere.stdout.splitlines() == goals()


@every_game
def test_what_is_legal_can_be_done_and_nothing_else(name: str) -> None:
    rules = make_game(name)
    words = len(rules.spec.actions)
    for state in states(rules, 11, steps=24)[::6]:
        for seat in range(rules.spec.seats):
            legal = rules.legal(state, seat)
            assert legal == sorted(set(legal))
            if legal:
                assert seat in rules.to_act(state)
                assert rules.spec.idle is None or rules.spec.idle in legal
            for action in range(-1, words + 1):
                if action in legal:
                    rules.step(state, action, seat)
                else:
                    with pytest.raises(IllegalAction):
                        rules.step(state, action, seat)


@every_game
def test_over_means_that_nobody_acts(name: str) -> None:
    rules = make_game(name)
    for state in states(rules, 5, steps=400):
        assert rules.over(state) == (not rules.to_act(state))
        outcome = rules.outcome(state)
        assert bool(outcome) == (rules.spec.seats == 2 and rules.over(state))
        assert outcome in ((), (1, 0), (0, 1), (0.5, 0.5))
        if rules.over(state):
            expect_the_end(rules, state)


def expect_the_end(rules: Rules[Any], state: Any) -> None:
    """That a state which is over stays as it is, whatever is tried."""
    for seat in range(rules.spec.seats):
        assert rules.legal(state, seat) == []
        for action in range(len(rules.spec.actions)):
            with pytest.raises(IllegalAction):
                rules.step(state, action, seat)
    later = rules.frame(rules.frame(state))
    assert rules.over(later) and rules.outcome(later) == rules.outcome(state)
    assert scores(rules, later) == scores(rules, state)


@every_game
def test_scores_are_finite_numbers(name: str) -> None:
    rules = make_game(name)
    for state in states(rules, 2, steps=40):
        for score in scores(rules, state):
            assert isinstance(score, float) and np.isfinite(score)


def scores(rules: Rules[Any], state: Any) -> list[float]:
    return [rules.score(state, seat) for seat in range(rules.spec.seats)]


@every_game
def test_pictures_are_of_one_shape_that_fits(name: str) -> None:
    rules = make_game(name)
    first = rules.picture(rules.reset(0))
    height, width, colours = first.shape
    assert first.dtype == np.uint8 and colours == 3
    assert 0 < height <= LONGEST_SIDE and 0 < width <= LONGEST_SIDE
    for seed in (1, 2):
        for state in states(rules, seed, steps=60)[::20]:
            for seat in range(rules.spec.seats):
                assert rules.picture(state, seat).shape == first.shape


@every_game
def test_text_and_picture_change_together(name: str) -> None:
    """Two states that read alike look alike, and the other way round; so do beginnings, which
    differ in little (the pieces to come, say)."""
    rules = make_game(name)
    looked_at = [*map(rules.reset, range(12)), *states(rules, 9, steps=16)]
    for seat in range(rules.spec.seats):
        seen = set()
        for state in looked_at:
            seen.add((rules.text(state, seat), rules.picture(state, seat).tobytes()))
        texts, pictures = ({view[index] for view in seen} for index in range(2))
        assert len(texts) == len(pictures) == len(seen) > 1
