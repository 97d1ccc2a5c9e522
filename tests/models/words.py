"""A vocabulary for tests of grammars: its tokens cut text anywhere, inside of characters too."""

from __future__ import annotations

END = 256
WORDS = [
    b'{"',
    b'": ',
    b", ",
    b"true",
    b"false",
    b"null",
    b"  ",
    b"12",
    "é".encode()[:1] + b"",
    b"}]",
]
STOP = 256 + 1 + len(WORDS)


class Words:
    """Bytes, the end, a few words, and a control token; encodes into bytes."""

    eos_token_ids = (END,)
    vocab_size = STOP + 1

    def encode(self, text: str, /, *, special: bool) -> list[int]:
        return list(text.encode())

    def token_bytes(self, token: int, /) -> bytes:
        if token < 256:
            return bytes([token])
        return WORDS[token - 257] if END < token < STOP else b"<mark>"

    def is_special(self, token: int, /) -> bool:
        return token in (END, STOP)


def text_of(tokens: list[int]) -> bytes:
    """The bytes of ``tokens``, those of the end and the mark included."""
    return b"".join(map(Words().token_bytes, tokens))
