"""Holding a model to the legal actions: which of the known ways a server follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from goodput.arena.players.ladder import read_move
from goodput.arena.players.openai.calls import Caller, Reply
from goodput.arena.players.prompt import Form, Message

_HELLO: Final[Sequence[Message]] = ({"role": "user", "content": "Say hello."},)
_WORD: Final = "quokka"
"""What nobody answers to a greeting unless it is held to it."""
_SPARE_TOKENS: Final = 24
"""For the JSON around the word, and the end."""


class Constraint(NamedTuple):
    """A way to constrain an answer: ``fields`` makes the request's fields from the words, ``form``
    is what the answer then looks like."""

    name: str
    form: Form
    fields: Callable[[Sequence[str]], dict[str, Any]]


def _schema(words: Sequence[str]) -> dict[str, Any]:
    move = {"type": "string", "enum": list(words)}
    schema = {
        "type": "object",
        "properties": {"move": move},
        "required": ["move"],
        "additionalProperties": False,
    }
    wrapped = {"name": "move", "strict": True, "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": wrapped}}


CONSTRAINTS: Final = (
    # Goodput's and vLLM's, which later renamed it.
    Constraint("guided_choice", "word", lambda words: {"guided_choice": list(words)}),
    Constraint(
        "structured_outputs", "word", lambda words: {"structured_outputs": {"choice": list(words)}}
    ),
    # OpenAI's, and so everybody else's.
    Constraint("json_schema", "object", _schema),
)


def tokens_for(words: Sequence[str]) -> int:
    """Enough tokens for the longest word by any tokenizer: none splits a byte."""
    return max(len(word.encode()) for word in words) + _SPARE_TOKENS


class Finding(NamedTuple):
    """``reply`` sums up the calls; where its ``error`` is set, nothing was found out.
    ``constraint`` None: the server follows none."""

    reply: Reply
    constraint: Constraint | None


async def find_constraint(caller: Caller, deadline: float, *, wanted: bool) -> Finding:
    """Greet the server until it accepts the fields of a plain request, then, where ``wanted``, try
    the ways to constrain an answer.

    Servers that do not know a field often ignore it, so a way counts only if the answer is the one
    word that it allows.
    """
    total = await caller.ask(_HELLO, 8, deadline, adapt=True)
    if total.error is not None or not wanted:
        return Finding(total, None)
    for constraint in CONSTRAINTS:
        words = (_WORD,)
        reply = await caller.ask(_HELLO, tokens_for(words), deadline, constraint.fields(words))
        total.calls += reply.calls
        total.prompt_tokens += reply.prompt_tokens
        total.output_tokens += reply.output_tokens
        if reply.error is None and read_move(reply.text, words, (0,)).action == 0:
            return Finding(total, constraint)
        if reply.timed_out:
            total.error, total.timed_out = reply.error, True
            break
    return Finding(total, None)
