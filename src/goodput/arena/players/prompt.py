"""The messages that a model gets. What never changes comes first, so servers can reuse its prefix.

All is plain chat: a system turn with the rules, a user turn with what the seat sees, its notes and
its legal actions.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from goodput.arena.games.rules import Picture, Spec
from goodput.arena.players.base import Observation
from goodput.arena.players.settings import Sight

Message = Mapping[str, Any]
"""A turn of a conversation: ``role`` and ``content``, which is text or a list of parts."""

Form = Literal["word", "object", "free", "thinking"]
"""How the answer is asked for: the action alone, a JSON object, either in free text, or thoughts
with the move at their end."""

_FORMS: Mapping[Form, str] = {
    "word": "Answer with exactly one of them and nothing else.",
    "object": 'Answer with JSON and nothing else: {"move": "one of them"}.',
    "free": 'Answer with JSON and nothing else, like {"move": "%s"}.',
    "thinking": "Think in a few sentences, then end with a line like this: move: %s",
}


def system_turn(spec: Spec) -> Message:
    """The game and its rules; the same for every move of every episode."""
    return {"role": "system", "content": f"You are playing {spec.title}.\n\n{spec.rules_text}"}


def user_turn(observation: Observation, sight: Sight, below: str) -> Message:
    """What the seat sees as text or picture, and ``below`` it more text."""
    rules, seat = observation.rules, observation.seat
    if sight == "text":
        seen = rules.text(observation.state, seat)
        return {"role": "user", "content": f"{seen}\n\n{below}"}
    url = "data:image/png;base64," + base64.b64encode(
        png(rules.picture(observation.state, seat))
    ).decode("ascii")
    parts = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": below}]
    return {"role": "user", "content": parts}


def with_notes(notes: Mapping[str, str], text: str) -> str:
    """``text`` after the notes, each under its title."""
    return "\n\n".join([*(f"{title}:\n{note}" for title, note in notes.items()), text])


def choices(observation: Observation, form: Form) -> str:
    """The legal actions, and how to answer."""
    words = legal_words(observation)
    how = _FORMS[form]
    return f"Possible actions: {', '.join(words)}.\n{how % words[0] if '%s' in how else how}"


def legal_words(observation: Observation) -> list[str]:
    """The legal actions' words, in the order of the actions."""
    return [observation.rules.spec.actions[action] for action in observation.legal]


def feedback(observation: Observation, illegal: str | None) -> str:
    """What is said after an answer without a legal move."""
    wrong = "That names no action" if illegal is None else f"{illegal!r} is not possible now"
    words: Sequence[str] = legal_words(observation)
    return f"{wrong}. Answer with one of these words only: {', '.join(words)}."


def png(picture: Picture) -> bytes:
    """The picture as a PNG file."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()
