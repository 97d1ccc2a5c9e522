"""A short name for a state, the same in every process (``hash`` is not: strings are salted)."""

from __future__ import annotations

from hashlib import blake2b
from typing import TypeAlias

Part: TypeAlias = "int | str | bytes | tuple[Part, ...] | None"


def digest_of(*parts: Part) -> str:
    """16 hex digits of ``parts``. Equal parts share them, ``True`` and ``1`` included; different
    nesting, order or type gives others. Raises TypeError for anything else (lists, floats)."""
    encoded = bytearray()
    _encode(parts, encoded)
    return blake2b(encoded, digest_size=8).hexdigest()


def _encode(part: Part, encoded: bytearray) -> None:
    """Append a tag, a length and the content: no two different parts have the same bytes."""
    if part is None:
        encoded += b"n;"
    elif isinstance(part, int):
        encoded += b"i%d;" % part
    elif isinstance(part, str):
        content = part.encode()
        encoded += b"s%d:" % len(content) + content
    elif isinstance(part, bytes):
        encoded += b"b%d:" % len(part) + part
    elif isinstance(part, tuple):
        encoded += b"t%d:" % len(part)
        for inner in part:
            _encode(inner, encoded)
    else:
        raise TypeError(f"a digest takes ints, strings, bytes, tuples and None, not {type(part)}")
