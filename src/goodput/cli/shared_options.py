"""Options that several verbs have in common, declared once as the fields of a dataclass."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import typing
from collections.abc import Callable
from typing import Any

Verb = Callable[..., None]


def with_options(options: type[Any]) -> Callable[[Verb], Verb]:
    """Give a verb, whose last parameter is ``options``, the fields of this dataclass (annotated for
    typer) as options of its command line."""

    def decorated(verb: Verb) -> Verb:
        hints = typing.get_type_hints(options, include_extras=True)
        shared = [
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=field.default,
                annotation=hints[field.name],
            )
            for field in dataclasses.fields(options)
        ]
        own = [
            parameter
            for parameter in inspect.signature(verb, eval_str=True).parameters.values()
            if parameter.name != "options"
        ]

        @functools.wraps(verb)
        def taking(**given: Any) -> None:
            common = {parameter.name: given.pop(parameter.name) for parameter in shared}
            verb(**given, options=options(**common))

        taking.__signature__ = inspect.Signature(own + shared)  # type: ignore[attr-defined]
        taking.__annotations__ = {x.name: x.annotation for x in own + shared}
        return taking

    return decorated
