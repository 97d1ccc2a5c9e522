"""``goodput play``: one file per verb; what is no verb is a game."""

from __future__ import annotations

from typing import Any, Final

from typer.core import TyperGroup

from goodput.cli.lazy import Verbs, lazy_group, load_verb

_GAME: Final = "GAME"

VERBS: Verbs = {
    _GAME: ("goodput.cli.play.game", "game", "Play a game, like tetris: see `games`."),
    "tournament": (
        "goodput.cli.play.tournament",
        "tournament",
        "Games, players, seeds, clocks and slow-downs from a file.",
    ),
    "replay": ("goodput.cli.play.replay", "replay", "Simulate an episode again, bit for bit."),
    "report": ("goodput.cli.play.report", "report", "Make the page of a run's episodes."),
    "games": ("goodput.cli.play.games", "games", "List the games there are."),
}


class _VerbOrGame(TyperGroup):
    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        word, *rest = args
        if word in VERBS:
            return word, load_verb(word, VERBS), rest
        from goodput.arena.games.registry import make_game

        # A word that was meant to be a verb is complained about before what follows it.
        make_game(word)
        return word, load_verb(_GAME, VERBS), rest


play = lazy_group(VERBS)
play.info.cls = _VerbOrGame


@play.callback()
def overview() -> None:
    """Let models and programs play games, alone or against each other, where latency counts.

    A player is random, greedy, search, human (at this terminal), or openai:MODEL@URL: any
    OpenAI-compatible server. Episodes are kept as they end, so the same command goes on after a
    Ctrl-C.
    """
