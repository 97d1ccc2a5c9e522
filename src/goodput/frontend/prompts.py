"""From the body's messages or prompt to token ids."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from goodput.core.errors import InvalidRequestError
from goodput.frontend.bodies import ChatBody, CompletionBody
from goodput.frontend.fields import read_fields
from goodput.frontend.ports import TextSide, Tokenizer

MAX_PROMPTS = 128
_LONG_TEXT = 16_384  # characters; tokenizing more would hold up everybody's tokens

T = TypeVar("T")


class TextPart(msgspec.Struct, frozen=True):
    """One part of a message's content; only text is understood."""

    type: Literal["text"]
    text: str


class Message(msgspec.Struct, frozen=True):
    """One turn of a conversation. ``refusal`` and ``name`` are accepted and have no effect."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | Annotated[list[dict[str, Any]], Meta(max_length=1_024)]
    name: str | None = None
    refusal: str | None = None


async def chat_prompts(body: ChatBody, text: TextSide) -> list[list[int]]:
    """The one prompt of a conversation; raises InvalidRequestError naming the wrong message."""
    turns = [_turn(message, index) for index, message in enumerate(body.messages)]
    size = sum(len(turn["content"]) for turn in turns)
    return [_some(await _off_loop(size, text.encode_chat, turns), "messages")]


async def completion_prompts(body: CompletionBody, text: TextSide) -> list[list[int]]:
    """One prompt per text or list of ids; raises InvalidRequestError naming the wrong one."""
    prompt = body.prompt
    if isinstance(prompt, str):
        return [_some(await _encode(text.tokenizer, prompt), "prompt")]
    if all(type(item) is int for item in prompt):
        return [_ids(prompt, text.tokenizer, "prompt")]
    if len(prompt) > MAX_PROMPTS:
        raise InvalidRequestError(
            f"The field 'prompt' has {len(prompt)} prompts; at most {MAX_PROMPTS} are allowed.",
            param="prompt",
        )
    prompts: list[list[int]] = []
    for index, item in enumerate(prompt):
        where = f"prompt[{index}]"
        if isinstance(item, str):
            prompts.append(_some(await _encode(text.tokenizer, item), where))
        elif isinstance(item, list):
            prompts.append(_ids(item, text.tokenizer, where))
        else:
            raise InvalidRequestError(
                f"The field '{where}' must be text or a list of token ids.", param=where
            )
    return prompts


async def _encode(tokenizer: Tokenizer, text: str) -> list[int]:
    return await _off_loop(len(text), tokenizer.encode_prompt, text)


async def _off_loop(size: int, encode: Callable[[T], list[int]], source: T) -> list[int]:
    """Encode at once, or on a thread when ``size`` (characters) would hold up other requests."""
    if size < _LONG_TEXT:
        return encode(source)
    return await asyncio.to_thread(encode, source)


def _turn(message: dict[str, Any], index: int) -> dict[str, Any]:
    where = f"messages[{index}]."
    turn = read_fields(message, Message, where=where)
    content = turn.content
    if not isinstance(content, str):
        parts = [
            read_fields(part, TextPart, where=f"{where}content[{number}].")
            for number, part in enumerate(content)
        ]
        content = "\n".join(part.text for part in parts)
    # "developer" is OpenAI's newer name of the system's role; no open template knows it.
    return {"role": "system" if turn.role == "developer" else turn.role, "content": content}


def _ids(items: list[Any], tokenizer: Tokenizer, where: str) -> list[int]:
    size = tokenizer.vocab_size
    for item in items:
        if type(item) is not int or not 0 <= item < size:
            raise InvalidRequestError(
                f"The field '{where}' has a token id outside of 0..{size - 1}.", param=where
            )
    return _some(items, where)


def _some(ids: list[int], where: str) -> list[int]:
    if not ids:
        raise InvalidRequestError(f"The field '{where}' must not be empty.", param=where)
    return ids
