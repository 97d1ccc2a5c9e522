"""What the clients ask. Each question has one right answer, whatever happens on the way."""

from __future__ import annotations

from typing import Any, Final

MODEL: Final = "smollm2:135m"
_TOPICS: Final = ("the sea", "Paris", "iron", "a river", "the moon", "bread", "time", "a garden")
_SCHEMA: Final = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 24}, "size": {"type": "integer"}},
    "required": ["name", "size"],
    "additionalProperties": False,
}


def modelled(count: int) -> list[dict[str, Any]]:
    """Prompts of 30 to some 500 tokens, answers of 10 to 100."""
    return [
        _body(f"Question {number}: " + "why " * (number * 53 % 450), 10 + number * 37 % 90)
        for number in range(count)
    ]


def real(count: int) -> list[dict[str, Any]]:
    """Greedy, seeded, with log-probabilities, constrained and stopped answers in turn."""
    kinds: list[dict[str, Any]] = [
        {"temperature": 0},
        {"temperature": 0.9, "seed": 7},
        {"temperature": 0, "logprobs": True, "top_logprobs": 2},
        {"temperature": 1.2, "seed": 3, "guided_json": _SCHEMA},
        {"temperature": 0.8, "seed": 5, "guided_regex": r"(on|in) \d{4}( or \d{4}){3,9}"},
        {"temperature": 0, "stop": ["\n\n", " is"]},
    ]
    return [
        {
            **_body(f"Tell me of {_TOPICS[number % len(_TOPICS)]}. {'Please. ' * number}", 48),
            "ignore_eos": False,
            **kinds[number % len(kinds)],
        }
        for number in range(count)
    ]


def _body(text: str, tokens: int) -> dict[str, Any]:
    return {
        "model": MODEL,
        "messages": [{"role": "user", "content": text}],
        "temperature": 0,
        "max_tokens": tokens,
        "ignore_eos": True,
    }
