"""Groups of verbs whose modules are imported only when they are used."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import typer
from typer.core import TyperGroup

HELP_FLAGS = {"help_option_names": ["-h", "--help"]}

# verb: (module, function or group, what the overview says about it)
Verbs = dict[str, tuple[str, str, str]]


def lazy_group(verbs: Verbs) -> typer.Typer:
    """A group that knows every verb by its line in the overview and loads the one that runs."""

    class LazyVerbs(TyperGroup):
        def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
            name, stub, rest = super().resolve_command(ctx, args)
            return name, load_verb(name, verbs) if name in verbs else stub, rest

    group = typer.Typer(
        cls=LazyVerbs,
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings=HELP_FLAGS,
    )
    for verb, (_, _, line) in verbs.items():

        @group.command(verb, help=line)
        def _stub() -> None:
            """Stands for a verb that is not loaded."""

    return group


def load_verb(name: str, verbs: Verbs) -> Any:
    """The verb's command, or its group of further verbs, from its module."""
    module, attribute, _ = verbs[name]
    run = getattr(importlib.import_module(module), attribute)
    if isinstance(run, typer.Typer):
        group = typer.main.get_command(run)
        group.name = name
        return group
    # Typer keeps the line breaks of a docstring; a terminal has its own width.
    paragraphs = inspect.cleandoc(run.__doc__ or "").split("\n\n")
    text = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    one = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    one.command(name, help=text, context_settings=HELP_FLAGS)(run)
    return typer.main.get_command(one)
