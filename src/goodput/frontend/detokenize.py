"""Token ids to text, a token at a time, never half a character."""

from __future__ import annotations

import codecs

from goodput.frontend.ports import Tokenizer


class Detokenizer:
    """The text of one sequence as it grows.

    The pieces joined are exactly ``b"".join(token bytes).decode("utf-8", "replace")`` without the
    special tokens: an unfinished character is held back until its last byte, and what can never
    become a character turns into U+FFFD.
    """

    __slots__ = ("_decoder", "_tokenizer")

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, token: int) -> str:
        """The text that this token completes; often all of its own, sometimes nothing."""
        if self._tokenizer.is_special(token):
            return ""
        return self._decoder.decode(self._tokenizer.token_bytes(token))

    def finish(self) -> str:
        """What was still held back, as the end of the text leaves it."""
        return self._decoder.decode(b"", final=True)
