"""``goodput play replay``: an episode simulated again from its record."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from goodput.core.errors import GoodputError

if TYPE_CHECKING:
    from rich.console import Console, Group

    from goodput.arena.episode.record import Episode
    from goodput.arena.episode.replay import Scene
    from goodput.arena.games.rules import Rules

_MOVE_S: Final = 0.3
"""How long a move is shown where the game's time stands still."""


def replay(
    file: Annotated[Path, typer.Argument(help="An episode that was played.")],
    watch: Annotated[bool, typer.Option("--watch", help="Show it in the terminal first.")] = False,
    speed: Annotated[float, typer.Option(min=0.01, help="Of --watch: 2 is twice as fast.")] = 1.0,
) -> None:
    """Play an episode's moves again by the rules: every state must be what the record says.

    Says so, or names the first move that differs and exits with 1.
    """
    from rich.console import Console

    from goodput.arena.episode.replay import find_difference
    from goodput.arena.episode.store import read_episode
    from goodput.arena.games.registry import make_game

    episode = read_episode(file)
    rules = make_game(episode.header.game)
    difference = find_difference(rules, episode)
    console = Console(highlight=False)
    if watch and difference is None:
        _show(console, rules, episode, speed)
    if difference is not None:
        raise GoodputError(f"{file}: {difference}")
    console.print(f"{_described(episode)}: the same, bit for bit", markup=False, soft_wrap=True)


def _described(episode: Episode) -> str:
    header, end = episode.header, episode.end
    players = " – ".join(header.players)
    scores = " : ".join(f"{score:g}" for score in end.scores)
    return (
        f"{header.game}, seed {header.seed}, {players}, {scores}: "
        f"{len(episode.moves)} moves in {end.frames} frames"
    )


def _show(console: Console, rules: Rules[Any], episode: Episode, speed: float) -> None:
    """All scenes at the pace of the game; where nobody looks, one after each move, at once."""
    from rich.live import Live

    from goodput.arena.episode.replay import scenes

    if not console.is_terminal:
        for scene in scenes(rules, episode):
            if scene.move is not None:
                console.print(_view(rules, episode, scene))
        return
    with Live(console=console, auto_refresh=False) as live:
        before = 0
        for scene in scenes(rules, episode):
            live.update(_view(rules, episode, scene), refresh=True)
            time.sleep(_seconds_to(scene, before, rules.spec.realtime) / speed)
            before = scene.frame


def _seconds_to(scene: Scene, before: int, realtime: bool) -> float:
    from goodput.arena.games.rules import FRAMES_PER_SECOND

    if scene.move is not None and not realtime:
        return _MOVE_S
    return (scene.frame - before) / FRAMES_PER_SECOND


def _view(rules: Rules[Any], episode: Episode, scene: Scene) -> Group:
    """What every seat sees, side by side, under the frame and the move."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    head = f"frame {scene.frame}"
    if (move := scene.move) is not None:
        player = episode.header.players[move.seat]
        late = f", {move.frame - move.asked_frame} frames late" if move.late else ""
        head += f" · {player}: {move.wanted} ({move.fate}{late})"
    seats = Table.grid(padding=(0, 4))
    seats.add_row(*(Text(rules.text(scene.state, seat)) for seat in range(rules.spec.seats)))
    return Group(Text(head, style="bold"), seats)
