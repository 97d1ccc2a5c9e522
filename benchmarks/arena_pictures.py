"""Draws docs/images/arena.png: what players see of some games, in the middle of one.

python benchmarks/arena_pictures.py [--out docs/images/arena.png]
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import msgspec
import numpy as np
from PIL import Image

from goodput.arena.clocks import make_clock
from goodput.arena.episode.runner import play_episode
from goodput.arena.films.frames import film
from goodput.arena.games.registry import make_game
from goodput.arena.players.parse import parse_player

GAMES = {
    "tetris-versus": 130,
    "platformer": 90,
    "2048": 220,
    "match3": 20,
    "sokoban": 60,
    "connect-four": 12,
    "holdem": 20,
    "courtroom": 10,
}
"""And after how many moves."""
COLUMNS, HEIGHT, WIDTH = 4, 440, 400
GROUND = (24, 26, 30)


def middle_of(game: str, moves: int) -> np.ndarray:
    """The last picture of a film of so many moves."""
    rules = make_game(game)
    rules.spec = msgspec.structs.replace(rules.spec, step_limit=moves)  # type: ignore[misc]
    players = [parse_player("search") for _ in range(rules.spec.seats)]
    episode = asyncio.run(play_episode(rules, players, 1, make_clock("virtual")))
    *_, last = film(rules, episode)
    return last


def main() -> None:
    """Play, and lay the pictures out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/images/arena.png"))
    options = parser.parse_args()
    rows = -(-len(GAMES) // COLUMNS)
    sheet = np.full((rows * HEIGHT, COLUMNS * WIDTH, 3), GROUND, np.uint8)
    for number, (game, moves) in enumerate(GAMES.items()):
        shown = middle_of(game, moves)[:HEIGHT, :WIDTH]
        top = number // COLUMNS * HEIGHT + (HEIGHT - shown.shape[0]) // 2
        left = number % COLUMNS * WIDTH + (WIDTH - shown.shape[1]) // 2
        sheet[top : top + shown.shape[0], left : left + shown.shape[1]] = shown
    options.out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet).quantize(96).save(options.out)


if __name__ == "__main__":
    main()
