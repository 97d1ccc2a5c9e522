"""A person at the terminal."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from typing import TextIO

from goodput.arena.players.base import Decision, Observation
from goodput.arena.players.ladder import legal_action

_LISTED = 12
_CHUNK = 4096


class HumanPlayer:
    """Shows the game as text and reads an action's word, or its number in the list.

    What is no legal action is asked for again; an empty line is no move, and so is everything after
    the end of the input. Lines are awaited without a thread, so a Ctrl-C ends the question at once.
    """

    label = "human"
    harness: tuple[str, ...] = ()

    def __init__(self, lines: TextIO | None = None, screen: TextIO | None = None) -> None:
        self._lines = sys.stdin if lines is None else lines
        self._screen = sys.stdout if screen is None else screen
        self._typed = b""
        self._ended = False

    async def decide(self, observation: Observation) -> Decision:
        began = time.monotonic()
        rules = observation.rules
        words = [rules.spec.actions[action] for action in observation.legal]
        self._show(f"\n{rules.text(observation.state, observation.seat)}\n{_listing(words)}")
        while True:
            self._show("\n> ")
            line = await self._line()
            typed = line.strip()
            action = self._action(typed, observation)
            if action is not None or not typed:
                break
            self._show(f"{typed!r} is not possible now.")
        spent = time.monotonic() - began
        if action is not None:
            return Decision(action=action, rung="token", said=typed, latency_s=spent)
        error = None if line else "the terminal's input has ended"
        return Decision(action=None, rung="none", error=error, latency_s=spent)

    async def reset(self, seed: int) -> None:
        """Nothing is remembered: each question shows the whole game."""

    async def close(self) -> None:
        """The terminal stays open."""

    def _show(self, text: str) -> None:
        print(text, end="", file=self._screen, flush=True)

    def _action(self, typed: str, observation: Observation) -> int | None:
        words, legal = observation.rules.spec.actions, observation.legal
        action = legal_action(typed, words, legal)
        # Where actions are numbers themselves (columns, say), a number means the action.
        if action is None and typed.isdecimal() and not any(word.isdecimal() for word in words):
            number = int(typed)
            action = legal[number - 1] if 1 <= number <= len(legal) else None
        return action

    async def _line(self) -> str:
        """The next line with its end; empty when the input has ended."""
        while b"\n" not in self._typed and not self._ended:
            await self._readable()
            # The stream's own buffer would hide a second line from the event loop.
            data = os.read(self._lines.fileno(), _CHUNK)
            self._typed += data
            self._ended = not data
        line, end, self._typed = self._typed.partition(b"\n")
        return (line + end).decode("utf-8", "replace")

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        try:
            loop.add_reader(self._lines, ready.set)
        except PermissionError:  # a file instead of a terminal: it never makes anyone wait
            return
        try:
            await ready.wait()
        finally:
            loop.remove_reader(self._lines)


def _listing(words: Sequence[str]) -> str:
    """The first legal actions with their numbers."""
    listed = "  ".join(f"{number} {word}" for number, word in enumerate(words[:_LISTED], start=1))
    more = len(words) - _LISTED
    return f"{listed}  … {more} more" if more > 0 else listed
