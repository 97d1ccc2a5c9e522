"""Plays a tournament's episodes, several at a time, and only those that are not there yet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

from goodput.arena.episode.record import Episode, Move
from goodput.arena.episode.runner import header_of, play_episode
from goodput.arena.episode.store import EpisodeStore
from goodput.arena.games.registry import make_game
from goodput.arena.games.rules import Rules
from goodput.arena.tournament.config import Config
from goodput.arena.tournament.roster import Roster
from goodput.arena.tournament.schedule import Fixture, fixtures


@dataclass(slots=True)
class Tally:
    """How far a tournament is: of ``total`` episodes ``kept`` were there before and ``played`` are
    new; ``moves`` were made in those and in the ones at play. ``latest`` is the episode that began
    last, in words."""

    total: int
    kept: int = 0
    played: int = 0
    moves: int = 0
    latest: str = ""

    @property
    def missing(self) -> int:
        return self.total - self.kept - self.played


Watch = Callable[[Tally], None]
"""Is told the tally whenever it has changed; the tally stays the crew's."""


class _Games(dict[str, Rules[Any]]):
    """The games of one board, made when they are first played. Boards share none: an emulated game
    stands at one state, and would be played anew whenever another board had moved it."""

    def __missing__(self, game: str) -> Rules[Any]:
        self[game] = made = make_game(game)
        return made


class Crew:
    """One run of a tournament in ``config.folder``.

    An episode is saved whole when it has ended, or not at all: whatever ends the run, the same
    config goes on where it stopped. What an endpoint does ends no run: its player answers for it.
    """

    def __init__(self, config: Config, watch: Watch | None = None) -> None:
        self._config = config
        self._store = EpisodeStore(config.folder)
        self._roster = Roster(config.players)
        self._fixtures = fixtures(config)
        self._found: dict[Fixture, Episode] = {}
        self._watch = watch
        self.tally = Tally(len(self._fixtures))

    @property
    def episodes(self) -> list[Episode]:
        """The episodes of this tournament that there are, in the order of the schedule."""
        return [self._found[fixture] for fixture in self._fixtures if fixture in self._found]

    def recall(self) -> None:
        """Find what was played before; raises UsageError for a damaged file."""
        games = _Games()
        for fixture in self._fixtures:
            with self._roster.seated(fixture.seats) as players:
                rules, clock = games[fixture.game], fixture.timing.make()
                episode = self._store.find(header_of(rules, players, fixture.seed, clock))
            if episode is not None:
                self._found[fixture] = episode
        self.tally.kept = len(self._found)

    async def play(self) -> None:
        """Play what is missing. Cancelling drops the episodes at play and keeps those before.

        Raises UsageError where an episode cannot be saved.
        """
        missing = iter([fixture for fixture in self._fixtures if fixture not in self._found])
        boards = [
            asyncio.create_task(self._play_in_turn(missing)) for _ in range(self._config.parallel)
        ]
        try:
            await asyncio.gather(*boards)
        finally:
            for board in boards:
                board.cancel()
            await asyncio.gather(*boards, return_exceptions=True)
            await self._roster.close()

    async def _play_in_turn(self, missing: Iterator[Fixture]) -> None:
        games = _Games()
        for fixture in missing:
            with self._roster.seated(fixture.seats) as players:
                names = " – ".join(player.label for player in players)
                self.tally.latest = f"{fixture.game}, seed {fixture.seed}: {names}"
                self._report()
                rules, clock = games[fixture.game], fixture.timing.make()
                episode = await play_episode(rules, players, fixture.seed, clock, self._moved)
            # The disk may take its time, and other episodes may be at play in real time.
            await asyncio.to_thread(self._store.save, episode)
            self._found[fixture] = episode
            self.tally.played += 1
            self._report()

    def _moved(self, frame: int, state: Hashable, move: Move) -> None:
        self.tally.moves += 1
        self._report()

    def _report(self) -> None:
        if self._watch is not None:
            self._watch(self.tally)
