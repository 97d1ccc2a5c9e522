"""The command line as a whole: help, errors, exit codes, and nothing heavy before it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from goodput import __version__
from goodput.cli import VERBS, main
from goodput.cli.bench import VERBS as BENCH_VERBS
from goodput.cli.lazy import load_verb
from goodput.core.errors import UsageError


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_the_overview_names_every_verb(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([flag]) == 0
    out = capsys.readouterr().out
    assert all(verb in out and line in out for verb, (_, _, line) in VERBS.items())


@pytest.mark.parametrize(
    "arguments", [["--help"], ["bench", "-h"], ["bench", "search", "-h"], ["chat", "-h"]]
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    heavy = ("torch", "numba", "numpy", "matplotlib", "aiohttp", "transformers", "fastapi")
    result = run(
        "import sys; from goodput.cli import main; "
        f"assert main({arguments!r}) == 0; "
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == "[]\n"


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert load_verb(verb, VERBS).name == verb
    assert main([verb, "-h"]) == 0
    assert f"Usage: goodput {verb}" in capsys.readouterr().out


@pytest.mark.parametrize("verb", sorted(BENCH_VERBS))
def test_every_verb_of_bench_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", verb, "-h"]) == 0
    assert f"Usage: goodput bench {verb}" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"goodput {__version__}\n"


def test_nothing_to_do_shows_the_overview(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    captured = capsys.readouterr()
    assert "Commands" in captured.out + captured.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["benc"], "No such command 'benc'"),
        (["bench", "http://h"], "No such command 'http://h'"),
        (["bench", "run"], "Missing argument"),
        (["bench", "run", "h", "--rate", "fast"], "Invalid value for '--rate'"),
        (["bench", "run", "h", "--nonsense"], "No such option: --nonsense"),
    ],
)
def test_usage_errors_are_one_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("goodput: ") and sentence in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (UsageError("this cannot work"), 2, "this cannot work"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_what_a_verb_raises_becomes_a_sentence_and_an_exit_code(
    error: BaseException,
    code: int,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import goodput.cli.chat as module

    def chat() -> None:
        """A verb that fails."""
        raise error

    monkeypatch.setattr(module, "chat", chat)
    assert main(["chat"]) == code
    assert capsys.readouterr().err == f"goodput: {sentence}\n"


def test_a_reader_that_has_gone_gets_no_traceback() -> None:
    result = run(
        "import os, subprocess, sys\n"
        "reader, writer = os.pipe(); os.close(reader)\n"
        "child = subprocess.run([sys.executable, '-m', 'goodput.cli', '--version'], "
        "stdout=writer, stderr=subprocess.PIPE, text=True)\n"
        "print(child.returncode, repr(child.stderr))"
    )
    assert result.stdout == "1 ''\n", result.stderr
