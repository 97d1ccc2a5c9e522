"""Reading a move out of free text: the rungs, from the most to the least explicit.

1. **json**: the last JSON object in the text that has "move" or "action"; one inside another
   object counts where the outer has neither;
2. **move-line**: the last line that begins with ``move:`` (or ``action:``) and goes on: all of
   it, or what stands in quotes first;
3. **token**: the whole answer is one action's word.

Case, white space around and between words, and the quotes, brackets, Markdown's marks and
punctuation around them do not matter. An answer that names something else than a legal action on
the first two rungs asked for an illegal move; what stands on no rung is no move. One retry with
feedback, and doing nothing after it, are the player's (``openai/player.py``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from goodput.arena.players.base import Rung

_KEYS = ("move", "action")
_READ_OBJECT: Final = json.JSONDecoder(strict=False).raw_decode
"""Reads what begins somewhere in a text; models put plain line ends into their strings."""
_TAIL_CHARS: Final = 4_000
"""A move stands at the end; who says more than this before it could make us search for long."""
_LINE = re.compile(r"^[^\w\n]*(?:move|action)[^\w\n:]*:(.*)$", re.IGNORECASE | re.MULTILINE)
_QUOTED = re.compile(r'\s*"([^"]+)"')
_LONGEST_WORD = 80
_WHOLE: Final[Rung] = "token"
_MARKS = "\"'`*“”‘’(){}[]<>.,;:! \t\r\n"


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
        return Reading(None, rung, " ".join(word.strip(_MARKS).split())[:_LONGEST_WORD])
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
    word = _last_in_json(text[-_TAIL_CHARS:])
    if word is not None:
        return "json", word
    lines = [line for line in _LINE.findall(text) if _plain(line)]
    if not lines:
        return None
    # Of JSON that was cut off, too, the word is known by its quotes.
    quoted = _QUOTED.match(lines[-1])
    return "move-line", quoted[1] if quoted else lines[-1]


def _last_in_json(text: str) -> str | None:
    """The word of the last object that has one."""
    word = None
    start = text.find("{")
    while start >= 0:
        end = start + 1
        try:
            object_, after = _READ_OBJECT(text, start)
        except (ValueError, RecursionError):
            object_, after = {}, end
        if (named := _word_of(object_)) is not None:
            word, end = named, after
        start = text.find("{", end)
    return word


def _word_of(object_: Mapping[str, object]) -> str | None:
    """What stands under "move", else under "action"; None where neither says anything."""
    values = {key.casefold(): value for key, value in object_.items()}
    for key in _KEYS:
        value = values.get(key)
        if isinstance(value, str | int) and not isinstance(value, bool) and _plain(str(value)):
            return str(value)
    return None


def _plain(word: str) -> str:
    return " ".join(word.strip(_MARKS).casefold().split())
