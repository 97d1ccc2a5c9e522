"""The ``goodput`` command: one file per verb, imported only when that verb is used.

A new verb is one file and one line of ``VERBS``. Verbs raise GoodputError for whatever a user can
meet; :func:`main` prints it as one sentence.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import goodput
from goodput.core.errors import GoodputError

# verb: (module, function, what the overview says about it)
VERBS = {
    "serve": ("goodput.cli.serve", "serve", "Serve a model over the OpenAI API."),
    "pull": ("goodput.cli.pull", "pull", "Download a model by name."),
    "models": ("goodput.cli.models", "models", "List the models there are."),
    "chat": ("goodput.cli.chat", "chat", "Talk to a served model in the terminal."),
    "demo": ("goodput.cli.demo", "demo", "Serve, ask and measure: everything once."),
    "bench": ("goodput.cli.bench", "bench", "Load a server and report its goodput."),
}

HELP_FLAGS = {"help_option_names": ["-h", "--help"]}
INTERRUPTED = 130


class _LazyVerbs(TyperGroup):
    """Knows every verb by its line in the overview; loads the one that runs."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, stub, rest = super().resolve_command(ctx, args)
        return name, load_verb(name) if name in VERBS else stub, rest


def load_verb(name: str) -> Any:
    """The verb's command, from its module."""
    module, function, _ = VERBS[name]
    run = getattr(importlib.import_module(module), function)
    # Typer keeps the line breaks of a docstring; a terminal has its own width.
    paragraphs = inspect.cleandoc(run.__doc__ or "").split("\n\n")
    text = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    one = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    one.command(name, help=text, context_settings=HELP_FLAGS)(run)
    return typer.main.get_command(one)


app = typer.Typer(
    cls=_LazyVerbs,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings=HELP_FLAGS,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"goodput {goodput.__version__}")
        raise typer.Exit


@app.callback()
def overview(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Serve, measure and plan generative inference by the latency that users were promised."""


for _verb, (_, _, _line) in VERBS.items():

    @app.command(_verb, help=_line)
    def _stub() -> None:
        """Stands for a verb that is not loaded."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the process's exit code. Nothing a user can do ends in a traceback."""
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone (`goodput … | head`); the interpreter's last flush must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    return code


def _run(arguments: list[str] | None) -> int:
    try:
        code = app(args=arguments, prog_name="goodput", standalone_mode=False)
    except GoodputError as error:
        return _complain(error.message, error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Exception as error:
        # typer brings its own copy of click or uses the installed one: known by its methods.
        if not hasattr(error, "format_message"):
            raise
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()  # type: ignore[attr-defined]
            return 2
        return _complain(_usage_sentence(error), getattr(error, "exit_code", 2))
    # Typer turns a Ctrl-C into this code, and a verb that ended early in good order returns it.
    if code == INTERRUPTED:
        return _complain("interrupted", INTERRUPTED)
    return code if isinstance(code, int) else 0


def _usage_sentence(error: Any) -> str:
    context = getattr(error, "ctx", None)
    where = f" (see {context.command_path} --help)" if context is not None else ""
    return f"{error.format_message().rstrip('.')}{where}"


def _complain(sentence: str, code: int) -> int:
    print(f"goodput: {sentence}", file=sys.stderr)
    return code
