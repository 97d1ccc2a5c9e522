"""``dataset``: real prompts from a file, in an order that the seed shuffles."""

from __future__ import annotations

import json
import random
from functools import lru_cache
from pathlib import Path
from typing import Any

from goodput.bench.workloads.base import Message, PlannedRequest, Workload
from goodput.core.errors import UsageError
from goodput.core.slo import SLO

# Where a file gives an answer but not its tokens: about this many characters a token in English.
_CHARACTERS_PER_TOKEN = 4
_DEFAULT_ANSWER_TOKENS = 64
_USERS = ("human", "user")
_LENGTHS = ("max_tokens", "output_tokens", "output_length")
_ANSWERS = ("completion", "response", "answer", "output")


class DatasetWorkload(Workload):
    """Single requests with the file's prompts and the lengths of its answers.

    ShareGPT's JSON (each conversation's first question; its answer gives the length), or JSON lines
    with ``prompt`` or ``messages`` and, where there is one, ``max_tokens`` or an answer. A run that
    is longer than the file starts it over, shuffled anew.
    """

    slo = SLO(ttft=1.0, tpot=0.100)

    def __init__(self, path: Path) -> None:
        """Read the file. Raises UsageError that names it, and the line of a malformed entry."""
        self.name = f"dataset:{path.name}"
        self._requests = [
            PlannedRequest(messages=messages, max_tokens=tokens, kind=self.name, slo=self.slo)
            for messages, tokens in _read(path)
        ]
        if not self._requests:
            raise UsageError(f"{path} has no prompts")

    def request(self, seed: int, index: int) -> PlannedRequest:
        lap, place = divmod(index, len(self._requests))
        return self._requests[_order(len(self._requests), seed, lap)[place]]


Entry = tuple[tuple[Message, ...], int]


@lru_cache(maxsize=4)
def _order(count: int, seed: int, lap: int) -> list[int]:
    order = list(range(count))
    random.Random(f"dataset/{seed}/{lap}").shuffle(order)
    return order


def _read(path: Path) -> list[Entry]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no dataset: it is not text in UTF-8") from None
    except OSError as error:
        raise UsageError(f"cannot read the dataset {path}: {error.strerror}") from None
    if text.lstrip().startswith("["):
        try:
            listed = json.loads(text)
        except json.JSONDecodeError as error:
            raise UsageError(f"line {error.lineno} of {path} is malformed: {error.msg}") from None
        numbered = [(f"entry {number}", item) for number, item in enumerate(listed, start=1)]
    else:
        numbered = []
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                try:
                    numbered.append((f"line {number}", json.loads(line)))
                except json.JSONDecodeError as error:
                    raise UsageError(f"line {number} of {path} is malformed: {error.msg}") from None
    entries = []
    for place, item in numbered:
        try:
            entry = _entry(item)
        except (TypeError, KeyError, ValueError, AttributeError):
            raise UsageError(
                f"{place} of {path} is malformed: it has no prompt, messages or conversations"
            ) from None
        if entry is not None:
            entries.append(entry)
    return entries


def _entry(item: Any) -> Entry | None:
    """One request; None for a conversation in which nobody asks, of which ShareGPT has some."""
    if isinstance(item, str):
        return (Message("user", item),), _DEFAULT_ANSWER_TOKENS
    if "conversations" in item:
        turns = item["conversations"]
        if len(turns) < 2 or turns[0]["from"] not in _USERS or not turns[0]["value"].strip():
            return None
        return (Message("user", turns[0]["value"]),), _tokens_of(turns[1]["value"])
    if "messages" in item:
        messages = [Message(turn["role"], turn["content"]) for turn in item["messages"]]
        last = messages.pop() if messages and messages[-1].role == "assistant" else None
        if not messages or not all(isinstance(message.content, str) for message in messages):
            raise ValueError
        return tuple(messages), _answer_tokens(item, last.content if last else None)
    if not isinstance(item["prompt"], str):
        raise TypeError
    return (Message("user", item["prompt"]),), _answer_tokens(item, None)


def _answer_tokens(item: dict[str, Any], answer: str | None) -> int:
    for name in _LENGTHS:
        if name in item:
            return max(1, int(item[name]))
    answer = answer or next((item[name] for name in _ANSWERS if item.get(name)), None)
    return _DEFAULT_ANSWER_TOKENS if answer is None else _tokens_of(answer)


def _tokens_of(text: str) -> int:
    return max(1, round(len(text) / _CHARACTERS_PER_TOKEN))
