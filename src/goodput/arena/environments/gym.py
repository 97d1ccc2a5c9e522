"""Games of one seat as ``gymnasium.Env``."""

from __future__ import annotations

from typing import Any, Final, SupportsFloat

import gymnasium
import numpy as np

from goodput.arena.environments.pace import PacedGame
from goodput.arena.environments.spaces import Shown, action_space, observation_space, observed, told
from goodput.arena.episode.runner import CADENCE
from goodput.arena.games.registry import GAMES, make_game
from goodput.arena.games.rules import FRAMES_PER_SECOND, Picture
from goodput.core.errors import UsageError

NAMESPACE: Final = "Goodput"

_PICTURE: Final = "picture"
_MOVES_PER_SECOND: Final = 2
"""At which a rendered game without time is shown."""


class GameEnv(gymnasium.Env[Shown, np.int64]):
    """``game`` (a name that ``make_game`` takes) for one learner.

    An observation has the "picture", the same as "text", and an "action_mask", which is in the info
    too. The reward is what the score rose by. An illegal action changes nothing and counts as a
    step (info "illegal"). ``frame_skip`` frames pass a step in a game in real time. An episode is
    terminated by the game's rules and truncated by its limits of frames and steps. ``reset(seed=)``
    begins the episode of that very seed; without, one drawn from the seed before (info "seed").
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"]}  # noqa: RUF012 - gymnasium's

    def __init__(
        self, game: str, *, frame_skip: int = CADENCE, render_mode: str | None = None
    ) -> None:
        """Raises UsageError for an unknown game, one of two seats, or a ``frame_skip`` below 1."""
        rules = make_game(game)
        spec = rules.spec
        if spec.seats != 1:
            raise UsageError(f"game: {spec.id} has two seats, so it is a PettingZoo environment")
        self._game = PacedGame(rules, frame_skip)
        self.action_space = action_space(rules)
        self.observation_space = observation_space(rules, _PICTURE)
        self.render_mode = render_mode
        fps = FRAMES_PER_SECOND / frame_skip if spec.realtime else _MOVES_PER_SECOND
        self.metadata = {**self.metadata, "render_fps": fps}

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Shown, dict[str, Any]]:
        super().reset(seed=seed)
        self._game.begin(int(self.np_random.integers(1 << 31)) if seed is None else seed)
        return self._observed(), told(self._game, 0)

    def step(self, action: np.int64) -> tuple[Shown, SupportsFloat, bool, bool, dict[str, Any]]:
        game = self._game
        (reward,) = game.act({0: int(action)})
        return self._observed(), reward, game.over, game.truncated, told(game, 0)

    def render(self) -> Picture | None:
        if self.render_mode is None:
            return None
        return self._game.rules.picture(self._game.state)

    def _observed(self) -> Shown:
        return observed(self._game, 0, _PICTURE)


def register_all() -> None:
    """Make our games of one seat known to ``gymnasium.make``, as "Goodput/tetris-v1" and so on.

    What is registered already stays as it is.
    """
    for game in GAMES:
        name = f"{NAMESPACE}/{game}"
        if name not in gymnasium.registry and make_game(game).spec.seats == 1:
            entry = f"{GameEnv.__module__}:{GameEnv.__qualname__}"
            gymnasium.register(name, entry, kwargs={"game": game})
