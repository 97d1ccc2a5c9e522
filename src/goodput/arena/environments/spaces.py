"""What an environment shows of a game, and the gymnasium spaces in which that lies."""

from __future__ import annotations

import string
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from goodput.arena.environments.pace import PacedGame
from goodput.arena.games.rules import Rules

CHARACTERS: Final = frozenset(string.digits + string.ascii_letters + string.punctuation + " \n")
"""All that the text of a game is made of."""
LONGEST: Final = 8192
"""Characters that the text of a game has at most."""

Shown = dict[str, Any]


def action_space(rules: Rules[Any]) -> spaces.Discrete:
    """The indices of ``spec.actions``; ``sample`` takes an action mask."""
    return spaces.Discrete(len(rules.spec.actions))


def observation_space(rules: Rules[Any], picture: str) -> spaces.Dict:
    """The space of ``observed``, which has the same entries."""
    shape = rules.picture(rules.reset(0)).shape
    return spaces.Dict(
        {
            picture: spaces.Box(0, 255, shape, np.uint8),
            "text": spaces.Text(LONGEST, charset=CHARACTERS),
            "action_mask": spaces.MultiBinary(len(rules.spec.actions)),
        }
    )


def observed(game: PacedGame, seat: int, picture: str) -> Shown:
    """What ``seat`` sees: the picture (height, width, 3) uint8 under the key ``picture``, the same
    in words as "text", and "action_mask"."""
    return {
        picture: game.rules.picture(game.state, seat),
        "text": game.rules.text(game.state, seat),
        "action_mask": action_mask(game, seat),
    }


def told(game: PacedGame, seat: int) -> Shown:
    """What goes beside an observation: "action_mask" again, "seed", "frame", the "score" so far and
    whether the last action was "illegal"; of two seats, at the end, the "outcome"."""
    told: Shown = {
        "action_mask": action_mask(game, seat),
        "seed": game.seed,
        "frame": game.frames,
        "score": game.rules.score(game.state, seat),
        "illegal": seat in game.illegal,
    }
    if outcome := game.rules.outcome(game.state):
        told["outcome"] = outcome[seat]
    return told


def action_mask(game: PacedGame, seat: int) -> npt.NDArray[np.int8]:
    """A 1 for each action that ``seat`` may take now, else 0; (actions,)."""
    mask = np.zeros(len(game.rules.spec.actions), np.int8)
    mask[game.legal[seat]] = 1
    return mask
