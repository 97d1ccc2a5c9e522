"""Games of two seats as PettingZoo environments: by turns, or both seats at the same time.

An observation has the picture as "observation" (PettingZoo's name for what is not the mask), the
same as "text", and an "action_mask", which is in the infos too. The reward is what the score rose
by; who has won is in the last infos, as "outcome".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from pettingzoo import AECEnv, ParallelEnv  # type: ignore[import-untyped]

from goodput.arena.environments.pace import PacedGame
from goodput.arena.environments.spaces import Shown, action_space, observation_space, observed, told
from goodput.arena.episode.runner import CADENCE
from goodput.arena.games.registry import RACE, make_game
from goodput.arena.games.rules import IllegalAction, Picture, Rules
from goodput.core.errors import UsageError

AGENTS: Final = ("player_0", "player_1")
"""By seat."""

_PICTURE: Final = "observation"


def takes_turns(rules: Rules[Any]) -> bool:
    """Whether a game of two seats is one of turns: a single seat may act at its beginning."""
    return len(rules.to_act(rules.reset(0))) == 1


class _TwoSeats:
    """The agents of a game: their spaces, what they see, and the seeds of their episodes."""

    def __init__(self, rules: Rules[Any], frame_skip: int, render_mode: str | None) -> None:
        self._game = PacedGame(rules, frame_skip)
        self._seeds = np.random.default_rng()
        self.render_mode = render_mode
        self.metadata = {
            "name": f"goodput_{rules.spec.id.replace('-', '_')}",
            "render_modes": ["rgb_array"],
        }
        self.possible_agents = list(AGENTS)
        self.agents: list[str] = []
        self.observation_spaces = {agent: observation_space(rules, _PICTURE) for agent in AGENTS}
        self.action_spaces = {agent: action_space(rules) for agent in AGENTS}

    def observation_space(self, agent: str) -> Any:
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        return self.action_spaces[agent]

    def observe(self, agent: str) -> Shown:
        return observed(self._game, AGENTS.index(agent), _PICTURE)

    def render(self) -> Picture | None:
        """What both seats see, side by side."""
        if self.render_mode is None:
            return None
        views = [self._game.rules.picture(self._game.state, seat) for seat in range(len(AGENTS))]
        return np.concatenate(views, axis=1)

    def close(self) -> None:
        """Nothing is held."""

    def _begin(self, seed: int | None) -> None:
        """Begin the episode of that very seed; without, one drawn from the seed before."""
        if seed is not None:
            self._seeds = np.random.default_rng(seed)
        self._game.begin(int(self._seeds.integers(1 << 31)) if seed is None else seed)
        self.agents = list(AGENTS)

    def _told(self) -> dict[str, Shown]:
        return {agent: told(self._game, AGENTS.index(agent)) for agent in self.agents}


class TurnGame(_TwoSeats, AECEnv):  # type: ignore[misc]
    """A game of turns. The agent to act is the seat to move, be it the same twice in a row.

    ``step`` raises IllegalAction for what the mask excludes. PettingZoo's
    ``TerminateIllegalWrapper`` around it makes that a lost game.
    """

    def __init__(self, game: str, *, render_mode: str | None = None) -> None:
        """Raises UsageError for an unknown game, and one that is not of turns."""
        rules = make_game(game)
        if rules.spec.seats != 2:
            raise UsageError(f"game: {rules.spec.id} has one seat, so it is a gymnasium one")
        if not takes_turns(rules):
            raise UsageError(f"game: in {rules.spec.id} both seats act at once: SimultaneousGame")
        super().__init__(rules, CADENCE, render_mode)

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        self._begin(seed)
        self.rewards = dict.fromkeys(AGENTS, 0.0)
        self._cumulative_rewards = dict.fromkeys(AGENTS, 0.0)
        self._conclude()

    def step(self, action: int | None) -> None:
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        seat = AGENTS.index(agent)
        if action is None or action not in self._game.legal[seat]:
            raise IllegalAction(f"{agent} may not take the action {action} now")
        self._cumulative_rewards[agent] = 0.0
        self.rewards = dict(zip(AGENTS, self._game.act({seat: int(action)}), strict=True))
        self._accumulate_rewards()
        self._conclude()

    def _conclude(self) -> None:
        """Say who is to move, or that all is over, which PettingZoo then has each agent hear."""
        self.terminations = dict.fromkeys(AGENTS, self._game.over)
        self.truncations = dict.fromkeys(AGENTS, self._game.truncated)
        self.infos = self._told()
        movers = self._game.rules.to_act(self._game.state)
        self.agent_selection = AGENTS[movers[0] if movers else 0]


class SimultaneousGame(_TwoSeats, ParallelEnv):  # type: ignore[misc]
    """Versus games and races: both seats act, then ``frame_skip`` frames pass in real-time ones.

    An illegal action changes nothing and counts as a step (info "illegal"). In a race, a seat that
    may not act any more is terminated while the other goes on.
    """

    def __init__(
        self, game: str, *, frame_skip: int = CADENCE, render_mode: str | None = None
    ) -> None:
        """Raises UsageError for an unknown game, one of one seat or of turns, or a ``frame_skip``
        below 1."""
        rules = make_game(game)
        if rules.spec.seats != 2:
            raise UsageError(f"game: {rules.spec.id} has one seat: take {RACE}{rules.spec.id}")
        if takes_turns(rules):
            raise UsageError(f"game: {rules.spec.id} is one of turns: TurnGame")
        super().__init__(rules, frame_skip, render_mode)

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Shown], dict[str, Shown]]:
        self._begin(seed)
        return {agent: self.observe(agent) for agent in self.agents}, self._told()

    def step(
        self, actions: Mapping[str, int]
    ) -> tuple[
        dict[str, Shown], dict[str, float], dict[str, bool], dict[str, bool], dict[str, Shown]
    ]:
        gained = self._game.act({AGENTS.index(agent): int(actions[agent]) for agent in actions})
        seats = {agent: AGENTS.index(agent) for agent in self.agents}
        acting = self._game.rules.to_act(self._game.state)
        observations = {agent: self.observe(agent) for agent in seats}
        rewards = {agent: gained[seat] for agent, seat in seats.items()}
        terminations = {agent: seat not in acting for agent, seat in seats.items()}
        truncations = dict.fromkeys(seats, self._game.truncated)
        infos = self._told()
        ended = {agent for agent in seats if terminations[agent] or truncations[agent]}
        self.agents = [agent for agent in seats if agent not in ended]
        return observations, rewards, terminations, truncations, infos
