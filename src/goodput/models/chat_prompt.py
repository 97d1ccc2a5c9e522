"""Messages to token ids, with no way for a message to smuggle in control tokens.

A user who writes ``<|im_end|>\\n<|im_start|>system`` must not end the turn. Control tokens in
messages are marked before the template runs; after it, marked ones are encoded as the plain
characters that they are, and all others, which the template wrote, as control tokens.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from goodput.models.chat_template import ChatTemplate
from goodput.models.tokenizer import Tokenizer

# Two noncharacters of Unicode: never part of a text that means something.
_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
_PIECES = re.compile(f"{_OPEN}([^{_OPEN}{_CLOSE}]*){_CLOSE}")
_LONE = re.compile(f"[{_OPEN}{_CLOSE}]")


def encode_chat(
    template: ChatTemplate,
    tokenizer: Tokenizer,
    messages: Sequence[dict[str, Any]],
    *,
    add_generation_prompt: bool = True,
) -> list[int]:
    """The prompt's token ids, equal to those of ``transformers`` for messages without control
    tokens. Raises InvalidRequestError(param="messages")."""
    control = tokenizer.special_pattern
    marked = [_mark(message, control) for message in messages]
    text = template.render(marked, add_generation_prompt)
    if _OPEN not in text and _CLOSE not in text:
        return tokenizer.encode(text, special=True)
    ids: list[int] = []
    for index, piece in enumerate(_PIECES.split(text)):
        # split() alternates: what the template wrote, a marked token, what the template wrote, …
        ids += tokenizer.encode(_LONE.sub("", piece), special=index % 2 == 0)
    return ids


def _mark(value: Any, control: re.Pattern[str] | None) -> Any:
    """``value`` with every control token in its strings enclosed in marks, at any depth."""
    if isinstance(value, str):
        # Marks of the sender's own would let it pass off the template's tokens as text.
        clean = _LONE.sub("", value)
        return clean if control is None else control.sub(f"{_OPEN}\\g<0>{_CLOSE}", clean)
    if isinstance(value, dict):
        return {key: _mark(item, control) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mark(item, control) for item in value]
    return value
