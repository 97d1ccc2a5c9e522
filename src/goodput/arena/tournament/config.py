"""A tournament's settings once all sources are heard: the command line, then a file, then defaults.

This is what is printed before the first episode and stored beside the episodes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from goodput.arena.clocks import make_clock
from goodput.arena.clocks.base import Clock
from goodput.arena.games.registry import RACE, make_game
from goodput.arena.players.base import Player
from goodput.arena.players.parse import parse_player
from goodput.arena.players.search import find_chooser
from goodput.arena.players.settings import Settings
from goodput.arena.tournament.wishes import (
    PlayerWish,
    Wishes,
    first_said,
    seeds_of,
    settings_of,
)
from goodput.core.errors import UsageError
from goodput.core.files import write_atomically
from goodput.core.units import parse_duration

EPISODES: Final = 10
"""Seeds a game where nobody says; a person plays one."""
PARALLEL: Final = 8
"""Episodes at a time where nobody says and no clock measures latency."""
FILE: Final = "config.json"

_HUMAN: Final = "human"
_MEASURED: Final = ("virtual", "wall")


class Entrant(msgspec.Struct, frozen=True, kw_only=True):
    """A player as the user named it, and how it is asked if it is a model."""

    player: str
    settings: Settings = Settings()

    def make(self) -> Player:
        """A new player for one seat; nothing is connected yet."""
        return parse_player(self.player, self.settings)


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """Which clock, and with what: see :func:`goodput.arena.clocks.make_clock`."""

    clock: str = "virtual"
    slow_down: float = 1.0
    ttft_s: float | None = None
    tokens_per_s: float | None = None

    def make(self) -> Clock:
        """A new clock for one episode; raises UsageError for one that cannot be."""
        return make_clock(
            self.clock,
            slow_down=self.slow_down,
            ttft_s=self.ttft_s,
            tokens_per_s=self.tokens_per_s,
        )

    def __str__(self) -> str:
        said = [self.clock]
        if self.ttft_s is not None and self.tokens_per_s is not None:
            said.append(f"of {self.ttft_s:g} s + {self.tokens_per_s:g} tokens/s")
        if self.slow_down != 1.0:
            said.append(f"× {self.slow_down:g}")
        return " ".join(said)


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What is played. ``games`` are versioned ids; every game is played under every timing, with
    every seed. ``parallel`` bounds the episodes at a time; ``out`` is the folder of it all."""

    games: tuple[str, ...]
    players: tuple[Entrant, ...]
    seeds: tuple[int, ...]
    timings: tuple[Timing, ...]
    parallel: int
    out: str

    @property
    def has_human(self) -> bool:
        """Whether somebody plays at this terminal."""
        return any(entrant.player == _HUMAN for entrant in self.players)

    @property
    def folder(self) -> Path:
        """``out`` as a path."""
        return Path(self.out)

    def check(self) -> None:
        """Raise UsageError that names what cannot be played."""
        if self.parallel < 1:
            raise UsageError(f"parallel must be at least 1, not {self.parallel}")
        if self.has_human and self.parallel > 1:
            raise UsageError("parallel must be 1 with the player 'human': there is one terminal")
        _refuse_twice("games", self.games)
        _refuse_twice("players", [entrant.make().label for entrant in self.players])
        for timing in self.timings:
            timing.make()
        searches = any(entrant.player == "search" for entrant in self.players)
        for game in self.games:
            seats = make_game(game).spec.seats
            if seats > len(self.players):
                raise UsageError(f"{game} needs {seats} players, not {len(self.players)}")
            if searches:
                find_chooser(game)

    def words(self) -> str:
        """The settings in one line."""
        return " · ".join(
            (
                ", ".join(self.games),
                ", ".join(entrant.make().label for entrant in self.players),
                _seed_words(self.seeds),
                f"clock {', '.join(map(str, self.timings))}",
                f"{self.parallel} at a time",
            )
        )

    def store(self) -> None:
        """Write the settings beside the episodes; raises UsageError when that fails."""
        encoded = msgspec.json.format(msgspec.json.encode(self), indent=2)
        write_atomically(self.folder / FILE, encoded + b"\n")


def resolve(command: Wishes, file: Wishes, *, name: str) -> Config:
    """The settings: what the command line says, else the file, else the default. ``name`` makes the
    default folder.

    Raises UsageError that names what is missing or cannot work.
    """
    sources = (command, file)
    games = first_said("games", sources, ())
    if not games:
        raise UsageError("games must not be empty")
    wished: Sequence[str | PlayerWish] = first_said("players", sources, ())
    if not wished:
        raise UsageError("players must not be empty: give --player, like --player random")
    players = tuple(_entrant(wish, sources) for wish in wished)
    human = any(entrant.player == _HUMAN for entrant in players)
    timings = _timings(sources, default="paused" if human else "virtual")
    measured = any(timing.clock in _MEASURED for timing in timings)
    races = first_said("races", sources, False)
    config = Config(
        games=tuple(_game_id(game, races) for game in games),
        players=players,
        seeds=seeds_of(sources, 1 if human else EPISODES),
        timings=timings,
        parallel=first_said("parallel", sources, 1 if human or measured else PARALLEL),
        out=first_said("out", sources, f"out/play/{name}"),
    )
    config.check()
    return config


def _entrant(wish: str | PlayerWish, sources: tuple[Wishes, Wishes]) -> Entrant:
    """The player's own table speaks after the command line and before the rest of the file."""
    command, file = sources
    if isinstance(wish, str):
        return Entrant(player=wish, settings=settings_of((command, file)))
    return Entrant(player=wish.player, settings=settings_of((command, wish, file)))


def _timings(sources: Sequence[Wishes], default: str) -> tuple[Timing, ...]:
    """Every clock with every slow-down; the paused one knows none, so beside others it is one."""
    clocks: tuple[str, ...] = first_said("clocks", sources, (default,))
    slow_downs: tuple[float, ...] = first_said("slow_downs", sources, (1.0,))
    if not clocks or not slow_downs:
        raise UsageError("clocks and slow_downs must not be empty")
    _refuse_twice("clocks", clocks)
    _refuse_twice("slow_downs", [f"{slow_down:g}" for slow_down in slow_downs])
    ttft, rate = first_said("ttft", sources, None), first_said("rate", sources, None)
    ttft_s = None if ttft is None else parse_duration(ttft, "ttft")

    def timing(clock: str, slow_down: float) -> Timing:
        # Without the clock that wants it, a speed is refused by the one that gets it.
        if clock == "tokens" or "tokens" not in clocks:
            return Timing(clock=clock, slow_down=slow_down, ttft_s=ttft_s, tokens_per_s=rate)
        return Timing(clock=clock, slow_down=slow_down)

    return tuple(
        timing(clock, slow_down)
        for clock in clocks
        for slow_down in ((1.0,) if clock == "paused" and len(clocks) > 1 else slow_downs)
    )


def _game_id(name: str, races: bool) -> str:
    """The versioned id; with ``races``, of the race where the game is for one."""
    spec = make_game(name).spec
    return f"{RACE}{spec.id}" if races and spec.seats == 1 else spec.id


def _refuse_twice(what: str, names: Sequence[str]) -> None:
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        raise UsageError(f"{what} must differ: {name} is there {times} times")


def _seed_words(seeds: Sequence[int]) -> str:
    first, last = seeds[0], seeds[-1]
    if len(seeds) > 2 and list(seeds) == list(range(first, last + 1)):
        return f"seeds {first} to {last}"
    return f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}"
