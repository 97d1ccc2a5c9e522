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


class Probe:
    """Finds out what a server can do, in as many goes as its speed demands: what one go has settled
    the next does not ask again. ``constraint`` None when it is ``done``: the server follows none.
    """

    def __init__(self, caller: Caller, *, constrain: bool) -> None:
        self.constraint: Constraint | None = None
        self._caller = caller
        self._greeted = False
        self._untried = list(CONSTRAINTS if constrain else ())

    @property
    def done(self) -> bool:
        return self._greeted and not self._untried

    async def go_on(self, deadline: float) -> Reply:
        """Greet the server until it accepts the fields of a plain request, then try the ways to
        constrain an answer. The reply sums up the calls; its ``error`` is set unless ``done``.

        Servers that do not know a field often ignore it, so a way counts only if the answer is the
        one word that it allows.
        """
        total = Reply()
        if not self._greeted:
            total = await self._caller.ask(_HELLO, 8, deadline, adapt=True)
            self._greeted = total.error is None
        while self._untried and total.error is None:
            await self._try(self._untried[0], total, deadline)
        return total

    async def _try(self, constraint: Constraint, total: Reply, deadline: float) -> None:
        words = (_WORD,)
        reply = await self._caller.ask(
            _HELLO, tokens_for(words), deadline, constraint.fields(words)
        )
        total.calls += reply.calls
        total.prompt_tokens += reply.prompt_tokens
        total.output_tokens += reply.output_tokens
        if reply.timed_out:
            total.error, total.timed_out = reply.error, True
        elif reply.error is None and read_move(reply.text, words, (0,)).action == 0:
            self.constraint = constraint
            self._untried.clear()
        else:
            self._untried.remove(constraint)
