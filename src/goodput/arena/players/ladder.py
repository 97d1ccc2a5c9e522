"""Reading a move out of free text: the rungs, from the most to the least explicit.

1. **json**: the last JSON object in the text that has "move" or "action";
2. **move-line**: the last line that begins with ``move:`` (or ``action:``);
3. **token**: the whole answer is one action's word.

Case, white space around and between words, quotes, Markdown's marks and a final full stop do not
matter. An answer that names something else than a legal action on the first two rungs asked for an
illegal move; what stands on no rung is no move. One retry with feedback, and doing nothing after
it, are the player's (``openai/player.py``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from goodput.arena.players.base import Rung

_KEYS = ("move", "action")
_OBJECT = re.compile(r"\{[^{}]*\}")
_LINE = re.compile(r"^[^\w\n]*(?:move|action)[^\w\n:]*:(.*)$", re.IGNORECASE | re.MULTILINE)
_LONGEST_WORD = 80
_WHOLE: Final[Rung] = "token"
_MARKS = "\"'`*“”‘’ \t\r\n"


class Reading(msgspec.Struct, frozen=True):
    """What an answer asks for: a legal ``action``, or an ``illegal`` word, or neither."""

    action: int | None = None
    rung: Rung = "none"
    illegal: str | None = None


def read_move(text: str, words: Sequence[str], legal: Iterable[int]) -> Reading:
    """The move in ``text``; ``words`` are the game's actions, ``legal`` indices into them."""
    legal = tuple(legal)
    named = _named(text)
    rung, word = named or (_WHOLE, text)
    action = legal_action(word, words, legal)
    if action is not None:
        return Reading(action, rung)
    # A word of the game that is not legal now is a wrong move, not an unreadable one.
    if named is not None or legal_action(word, words, range(len(words))) is not None:
        return Reading(None, rung, word.strip(_MARKS)[:_LONGEST_WORD])
    return Reading()


def legal_action(word: str, words: Sequence[str], legal: Iterable[int]) -> int | None:
    """The legal action that ``word`` means: exactly, else the only one with the same plain form."""
    legal = tuple(legal)
    for action in legal:
        if words[action] == word:
            return action
    plain = _plain(word)
    alike = [action for action in legal if _plain(words[action]) == plain]
    return alike[0] if len(alike) == 1 else None


def _named(text: str) -> tuple[Rung, str] | None:
    """The rung and the word of the most explicit move; None when no move is named."""
    for found in reversed(_OBJECT.findall(text)):
        try:
            object_ = msgspec.json.decode(found, type=dict[str, object])
        except msgspec.DecodeError:
            continue
        for key in _KEYS:
            if isinstance(value := object_.get(key), str | int):
                return "json", str(value)
    lines = _LINE.findall(text)
    return ("move-line", lines[-1]) if lines else None


def _plain(word: str) -> str:
    return " ".join(word.strip(_MARKS).removesuffix(".").strip(_MARKS).casefold().split())
