"""Log-probabilities in OpenAI's two shapes: chat's objects and the completions' four lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from goodput.frontend.choice import TokenMark
from goodput.frontend.ports import Tokenizer

_LEAST = -9999.0  # OpenAI's stand-in for minus infinity, which JSON cannot say


def chat_logprobs(marks: Sequence[TokenMark], tokenizer: Tokenizer) -> dict[str, Any]:
    """``choices[].logprobs`` of chat: one object per token, with its bytes."""
    return {
        "content": [
            {
                **_token(mark.token, mark.logprobs.logprob, tokenizer),
                "top_logprobs": [_token(*one, tokenizer) for one in mark.logprobs.top],
            }
            for mark in marks
        ],
        "refusal": None,
    }


def completion_logprobs(marks: Sequence[TokenMark], tokenizer: Tokenizer) -> dict[str, Any]:
    """``choices[].logprobs`` of plain completions; ``text_offset`` counts characters."""
    return {
        "tokens": [_name(mark.token, tokenizer) for mark in marks],
        "token_logprobs": [_finite(mark.logprobs.logprob) for mark in marks],
        "top_logprobs": [
            {_name(token, tokenizer): _finite(value) for token, value in mark.logprobs.top}
            for mark in marks
        ],
        "text_offset": [mark.offset for mark in marks],
    }


def _token(token: int, logprob: float, tokenizer: Tokenizer) -> dict[str, Any]:
    raw = tokenizer.token_bytes(token)
    return {
        "token": raw.decode("utf-8", "replace"),
        "logprob": _finite(logprob),
        "bytes": list(raw),
    }


def _name(token: int, tokenizer: Tokenizer) -> str:
    """The token's text, or its bytes as OpenAI spells them where they are no text."""
    raw = tokenizer.token_bytes(token)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in raw)


def _finite(value: float) -> float:
    return value if value > _LEAST else _LEAST
