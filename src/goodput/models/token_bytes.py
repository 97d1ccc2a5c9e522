"""The exact bytes that a token stands for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from goodput.core.errors import CheckpointError

TokenBytes = Callable[[str], bytes]

_HEX_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
_SPACE_MARK = "▁"


def byte_level_alphabet() -> dict[str, int]:
    """GPT-2's printable stand-in for each of the 256 bytes, as stand-in → byte.

    Printable Latin-1 characters stand for themselves; the others are moved to U+0100 and up.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    alphabet = {chr(byte): byte for byte in printable}
    moved = (byte for byte in range(256) if byte not in set(printable))
    alphabet.update({chr(0x100 + index): byte for index, byte in enumerate(moved)})
    return alphabet


_ALPHABET = byte_level_alphabet()


def byte_level_bytes(token: str) -> bytes:
    """Bytes of a byte-level BPE token: ``Ġhi`` → ``b" hi"``."""
    try:
        return bytes(map(_ALPHABET.__getitem__, token))
    except KeyError:  # not made of stand-ins: a token that was added as plain text
        return token.encode()


def sentencepiece_bytes(token: str) -> bytes:
    """Bytes of a SentencePiece-style token: ``▁hi`` → ``b" hi"``, ``<0x0A>`` → ``b"\\n"``."""
    byte = _HEX_BYTE.fullmatch(token)
    return bytes([int(byte[1], 16)]) if byte else token.replace(_SPACE_MARK, " ").encode()


def bytes_of_model_tokens(serialized: dict[str, Any]) -> TokenBytes:
    """The rule for a tokenizer.json without its vocabulary; CheckpointError for other kinds."""
    kinds = json.dumps([serialized.get("pre_tokenizer"), serialized.get("decoder")])
    if '"ByteLevel"' in kinds:
        return byte_level_bytes
    if '"ByteFallback"' in kinds or '"Metaspace"' in kinds:
        return sentencepiece_bytes
    raise CheckpointError("the tokenizer is neither byte-level nor SentencePiece-style")
