"""``goodput film``: one file per verb; what is no verb is a sentence to make a film of."""

from __future__ import annotations

from typing import Any, Final

from typer.core import TyperGroup

from goodput.cli.lazy import Verbs, lazy_group, load_verb

_SENTENCE: Final = "SENTENCE"

VERBS: Verbs = {
    _SENTENCE: ("goodput.cli.film.make", "make", "Make a film of a sentence in quotes."),
    "train": ("goodput.cli.film.train", "train", "Train the models of a recipe, from nothing."),
    "judge": ("goodput.cli.film.judge", "judge", "How many films show what was asked."),
}


class _VerbOrSentence(TyperGroup):
    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        word, *rest = args
        if word in VERBS:
            return word, load_verb(word, VERBS), rest
        # The sentence is the command's own first argument.
        return word, load_verb(_SENTENCE, VERBS), args


film = lazy_group(VERBS)
film.info.cls = _VerbOrSentence


@film.callback()
def overview() -> None:
    """From a sentence to five seconds of video: goodput film "a red ball bounces" -o ball.mp4"""
