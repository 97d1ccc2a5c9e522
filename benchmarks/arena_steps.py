"""How fast the games are: steps, frames, texts and pictures a second, on one core.

    python benchmarks/arena_steps.py --seconds 1 tetris-v1 2048-v1

Without names, all games. A step is what an episode needs for one: the legal actions, one of them at
random, and the state after it; a game that ends begins again with the next seed. In real-time games
some frames pass between 200 steps and the next, not timed with them.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from typing import Any

from goodput.arena.games.registry import GAMES, make_game
from goodput.arena.games.rules import Rules

FRAMES_BETWEEN = 4
STATES = 200


def main() -> None:
    """Measure and print a line a game."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("games", nargs="*", metavar="GAME", help="ids, all by default")
    parser.add_argument("--seconds", type=float, default=1.0, help="time for each figure")
    options = parser.parse_args()
    print(f"{'per second':24}{'steps':>12}{'frames':>12}{'texts':>12}{'pictures':>12}")
    for name in options.games or GAMES:
        rules = make_game(name)
        states = _played(rules)
        figures = [
            _steps_per_second(rules, options.seconds),
            *(
                _calls_per_second(call, states, options.seconds)
                for call in (rules.frame, rules.text, rules.picture)
            ),
        ]
        print(f"{name:24}" + "".join(f"{figure:12,.0f}" for figure in figures))


def _steps_per_second(rules: Rules[Any], seconds: float) -> float:
    rng = random.Random(0)
    seed, steps, spent = 0, 0, 0.0
    state = rules.reset(seed)
    while spent < seconds:
        began = time.perf_counter()
        for _ in range(STATES):
            acting = rules.to_act(state)
            if not acting:
                seed += 1
                state = rules.reset(seed)
                continue
            state = rules.step(state, rng.choice(rules.legal(state, acting[0])), acting[0])
            steps += 1
        spent += time.perf_counter() - began
        state = _later(rules, state)
    return steps / spent


def _played(rules: Rules[Any]) -> list[Any]:
    """States of random play."""
    rng = random.Random(0)
    seed = 0
    states = [rules.reset(seed)]
    while len(states) < STATES:
        state = states[-1]
        acting = rules.to_act(state)
        if not acting:
            seed += 1
            states.append(rules.reset(seed))
            continue
        seat = rng.choice(acting)
        after = rules.step(state, rng.choice(rules.legal(state, seat)), seat)
        states.append(_later(rules, after))
    return states


def _later(rules: Rules[Any], state: Any) -> Any:
    for _ in range(FRAMES_BETWEEN * rules.spec.realtime):
        state = rules.frame(state)
    return state


def _calls_per_second(call: Callable[[Any], Any], states: list[Any], seconds: float) -> float:
    calls, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        for state in states:
            call(state)
        calls += len(states)
    return calls / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
