"""The ``goodput`` command: one file per verb, imported only when that verb is used.

A new verb is one file and one line of ``VERBS``. Verbs raise GoodputError for whatever a user can
meet; :func:`main` prints it as one sentence.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer

import goodput
from goodput.cli.lazy import Verbs, lazy_group
from goodput.core.errors import GoodputError

VERBS: Verbs = {
    "serve": ("goodput.cli.serve", "serve", "Serve a model over the OpenAI API."),
    "pull": ("goodput.cli.pull", "pull", "Download a model by name."),
    "models": ("goodput.cli.models", "models", "List the models there are."),
    "chat": ("goodput.cli.chat", "chat", "Talk to a served model in the terminal."),
    "demo": ("goodput.cli.demo", "demo", "Serve, ask and measure: everything once."),
    "bench": ("goodput.cli.bench", "bench", "Load servers and judge them by their goodput."),
    "profile": (
        "goodput.cli.profile",
        "profile",
        "Measure how long steps take here.",
    ),
    "simulate": (
        "goodput.cli.simulate",
        "simulate",
        "Play a workload on paper, with the real code.",
    ),
    "plan": ("goodput.cli.plan", "plan", "Whether and how to disaggregate, for an SLO."),
    "film": ("goodput.cli.film", "film", "Make films of sentences, or train what makes them."),
    "play": ("goodput.cli.play", "play", "Play games with models, where latency counts."),
}

INTERRUPTED = 130

app = lazy_group(VERBS)


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
