"""The fields that constrain an answer: which of them is set, and whether it can be followed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import orjson

from goodput.core.errors import InvalidRequestError
from goodput.core.request import Grammar
from goodput.frontend.bodies import CommonBody, ResponseFormat

MAX_TEXT = 64 * 1024
_AT_ONCE = 2
_REMEMBERED = 256
_ANY_OBJECT = {"type": "object"}


class GrammarDesk:
    """Reads a body's grammar and has it judged; remembers the verdicts on the last 256.

    ``judge`` is called on a thread and says what is wrong, or None. Without one the server cannot
    follow any grammar (the modelled engine makes tokens up).
    """

    def __init__(self, judge: Callable[[Grammar], str | None] | None) -> None:
        self._judge = judge
        self._verdicts: dict[Grammar, str | None] = {}
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def read(self, body: CommonBody) -> Grammar | None:
        """The grammar that the body asks for; raises InvalidRequestError naming the field."""
        wanted = wanted_grammars(body)
        if not wanted:
            return None
        if len(wanted) > 1:
            names = "' and '".join(name for name, _ in wanted)
            raise InvalidRequestError(
                f"The fields '{names}' constrain the answer twice; use one.", param=wanted[1][0]
            )
        field, grammar = wanted[0]
        if self._judge is None:
            raise InvalidRequestError(
                f"The field '{field}' is not supported by the modelled engine, which makes its "
                "tokens up.",
                param=field,
                code="unsupported_value",
            )
        if body.ignore_eos:
            raise InvalidRequestError(
                f"The field 'ignore_eos' cannot be used with '{field}', which has an end.",
                param="ignore_eos",
            )
        if len(grammar.text.encode()) > MAX_TEXT:
            raise InvalidRequestError(
                f"The field '{field}' has more than {MAX_TEXT} bytes.", param=field
            )
        reason = await self._verdict(self._judge, grammar)
        if reason is not None:
            raise InvalidRequestError(
                f"The field '{field}' cannot be followed: {reason}.",
                param=field,
                code="invalid_grammar",
            )
        return grammar

    async def _verdict(
        self, judge: Callable[[Grammar], str | None], grammar: Grammar
    ) -> str | None:
        if grammar not in self._verdicts:
            async with self._turn:
                if grammar not in self._verdicts:
                    self._verdicts[grammar] = await asyncio.to_thread(judge, grammar)
            if len(self._verdicts) > _REMEMBERED:
                del self._verdicts[next(iter(self._verdicts))]
        return self._verdicts.get(grammar)


def wanted_grammars(body: CommonBody) -> list[tuple[str, Grammar]]:
    """Every grammar in the body with its field's name; a sound body has one at the most."""
    wanted: list[tuple[str, Grammar]] = []
    if body.response_format is not None:
        wanted += _of_format(body.response_format)
    if body.guided_json is not None:
        wanted.append(("guided_json", _schema("guided_json", body.guided_json)))
    if body.guided_regex is not None:
        wanted.append(("guided_regex", Grammar("regex", body.guided_regex)))
    if body.guided_choice is not None:
        text = orjson.dumps(body.guided_choice).decode()
        wanted.append(("guided_choice", Grammar("choice", text)))
    if body.guided_grammar is not None:
        wanted.append(("guided_grammar", Grammar("lark", body.guided_grammar)))
    return wanted


def _of_format(form: ResponseFormat) -> list[tuple[str, Grammar]]:
    if form.type == "text":
        return []
    name: str = "response_format"
    schema: dict[str, Any] | None = None
    if form.type == "json_schema":
        if form.json_schema is None:
            raise InvalidRequestError(
                "The field 'response_format.json_schema' is required for the type json_schema.",
                param="response_format.json_schema",
                code="missing_required_parameter",
            )
        name, schema = "response_format.json_schema.schema", form.json_schema.schema
    return [(name, _schema(name, _ANY_OBJECT if schema is None else schema))]


def _schema(field: str, schema: dict[str, Any] | str) -> Grammar:
    if isinstance(schema, str):
        return Grammar("json_schema", schema)
    try:
        return Grammar("json_schema", orjson.dumps(schema).decode())
    except TypeError:  # it writes less deeply than it reads
        raise InvalidRequestError(
            f"The field '{field}' is nested too deeply.", param=field, code="invalid_grammar"
        ) from None
