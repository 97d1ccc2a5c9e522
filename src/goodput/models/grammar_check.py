"""Judges a grammar in a process of its own, because that can take hours or gigabytes.

Some schemas of a few hundred bytes do (an ``allOf`` of thirty patterns), and nothing interrupts the
library from inside. ``python -m goodput.models.grammar_check`` reads a grammar from its standard
input and prints what is wrong with it; the kernel ends it when it takes too long.
"""

from __future__ import annotations

import re
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence

import msgspec

from goodput.core.request import Grammar
from goodput.models.grammar import grammar_tokenizer, limits, source

MAX_CPU_S = 0.5
MAX_MEMORY = 2**30
_MAX_WALL_S = 20.0
_LONGEST_REASON = 300
_TOO_COMPLEX = "it is too complex"


def complaint(grammar: Grammar) -> str | None:
    """What is wrong with ``grammar``, or None. Starts a process: about a quarter of a second.

    A grammar that passes compiles in bounded time in the workers too. Call it on a thread.
    """
    command = [sys.executable, "-m", "goodput.models.grammar_check"]
    try:
        done = subprocess.run(
            command,
            input=msgspec.msgpack.encode(grammar),
            capture_output=True,
            timeout=_MAX_WALL_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _TOO_COMPLEX
    if done.returncode != 0:
        return _TOO_COMPLEX
    return done.stdout.decode("utf-8", "replace") or None


def judge(grammar: Grammar) -> str | None:
    """The same in this process, however long it takes."""
    from llguidance import LLMatcher

    try:
        text = source(grammar)
    except ValueError as error:
        return _sentence(str(error))
    matcher = LLMatcher(grammar_tokenizer(_Bytes()), text, log_level=0, limits=limits())
    if not matcher.is_error():
        matcher.compute_bitmask()
        if matcher.is_error() and "NoExtension" in matcher.get_error():
            return "no text can match it"
    return _sentence(matcher.get_error()) if matcher.is_error() else None


class _Bytes:
    """The smallest vocabulary: whether a grammar is sound does not depend on it."""

    eos_token_ids = (256,)
    vocab_size = 257

    def encode(self, text: str, /, *, special: bool) -> list[int]:
        return list(text.encode())

    def token_bytes(self, token: int, /) -> bytes:
        return bytes([token]) if token < 256 else b"<end>"

    def is_special(self, token: int, /) -> bool:
        return token == 256


def _sentence(message: str) -> str:
    """The library's message on one line, without its drawings."""
    message = message.replace("<non-verbose/>", "")
    if "regex parse error" in message:
        found = re.search(r"^error: (.*)$", message, re.MULTILINE)
        message = found[1] if found else "it is not a regular expression"
    message = re.sub(r"\s+", " ", message).strip().rstrip(".")
    return message[:_LONGEST_REASON] or "it is not valid"


def main(_arguments: Sequence[str] = ()) -> int:
    """Read a grammar, print the complaint; ends by a signal when it costs too much."""
    grammar = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Grammar)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    # Of processor time, not of the clock: a busy machine must not refuse what a quiet one takes.
    signal.setitimer(signal.ITIMER_PROF, MAX_CPU_S)
    sys.stdout.write(judge(grammar) or "")
    return 0


if __name__ == "__main__":
    sys.exit(main())
