"""Text to token ids and back, the same for every checkpoint format."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from tokenizers import Tokenizer as Backend

from goodput.core.errors import InvalidRequestError
from goodput.models.token_bytes import TokenBytes

# A batch of one gains nothing from the library's own threads.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

# Tokens that end a turn or a text in the families that we read. Chat models are trained to close
# an answer with one of them even where their metadata names another as the end.
_END_TOKENS = (
    *("<|im_end|>", "<|eot_id|>", "<|end_of_text|>", "<|endoftext|>", "</s>"),
    *("<end_of_turn>", "<eos>"),
)


@dataclass(frozen=True, slots=True)
class TokenizerParts:
    """What a checkpoint says about its tokenizer; ``backend`` belongs to the Tokenizer made of it.

    ``declared_eos`` are the ids named by the metadata; ``prepends_bos`` says whether a plain
    prompt starts with the BOS token.
    """

    backend: Backend
    model_token_bytes: TokenBytes
    bos_token_id: int | None
    declared_eos: tuple[int, ...]
    prepends_bos: bool


class Tokenizer:
    """Encodes and decodes; immutable after construction, so threads may share it.

    ``vocab_size`` counts the tokens that the tokenizer knows (a model's embedding may have a few
    more rows). ``eos_token_ids`` are the tokens after which a chat answer has ended, sorted.
    ``special_pattern`` matches the text of any control token; None where there are none.
    """

    def __init__(self, parts: TokenizerParts) -> None:
        self._backend = parts.backend
        self._backend.no_truncation()
        self._backend.no_padding()
        self._model_token_bytes = parts.model_token_bytes
        added = parts.backend.get_added_tokens_decoder()
        self._added_bytes = {id_: token.content.encode() for id_, token in added.items()}
        self._bytes: dict[int, bytes] = {}  # Of tokens that came up; the vocabulary bounds it.
        self._special = frozenset(id_ for id_, token in added.items() if token.special)
        self._special_texts = {added[id_].content: id_ for id_ in sorted(self._special)}
        # Longest first, so that a token wins over one that it starts with.
        names = sorted(self._special_texts, key=len, reverse=True)
        self.special_pattern: re.Pattern[str] | None = (
            re.compile("|".join(map(re.escape, names))) if names else None
        )
        self._plain = _without_special_parsing(parts.backend)
        self.vocab_size: int = parts.backend.get_vocab_size(with_added_tokens=True)
        self.bos_token_id = parts.bos_token_id
        self.prepends_bos = parts.prepends_bos and parts.bos_token_id is not None
        ends = {id_ for id_ in self._special if added[id_].content in _END_TOKENS}
        self.eos_token_ids: tuple[int, ...] = tuple(sorted(ends.union(parts.declared_eos)))

    @property
    def special_tokens(self) -> dict[str, int]:
        """Control tokens (``<|im_end|>``) and their ids; not to be changed."""
        return self._special_texts

    def encode(self, text: str, *, special: bool) -> list[int]:
        """Token ids of ``text``; no BOS is added.

        With ``special=True`` the strings of control tokens become those tokens. Use it only for
        text that the server wrote itself (a rendered chat template): in a user's text it would
        let the user end a turn and speak as the system. ``special=False`` reads them as plain
        characters. Raises InvalidRequestError for text with lone surrogates.
        """
        backend = self._backend if special else self._plain
        try:
            # The fast way leaves out offsets into the text, which nobody here asks for.
            ids: list[int] = backend.encode_batch_fast([text], add_special_tokens=False)[0].ids
        except (UnicodeEncodeError, TypeError):
            raise InvalidRequestError(
                "the text is not valid Unicode: it has a lone surrogate"
            ) from (None)
        return ids

    def encode_prompt(self, text: str) -> list[int]:
        """A plain completion prompt: BOS where the model expects it, control tokens not parsed."""
        ids = self.encode(text, special=False)
        if self.prepends_bos and self.bos_token_id is not None:
            return [self.bos_token_id, *ids]
        return ids

    def decode(self, ids: Iterable[int], skip_special: bool = True) -> str:
        """The text of ``ids``: their bytes joined, so that streaming gives the same characters.

        Bytes that are not UTF-8 become U+FFFD. Unknown ids add nothing.
        """
        kept = (id_ for id_ in ids if not (skip_special and id_ in self._special))
        return b"".join(map(self.token_bytes, kept)).decode("utf-8", errors="replace")

    def token_bytes(self, id_: int) -> bytes:
        """The bytes of one token, which may be a part of a character; b"" for an unknown id."""
        known = self._bytes.get(id_)
        if known is None:
            known = self._look_up(id_)
            if known:
                self._bytes[id_] = known
        return known

    def _look_up(self, id_: int) -> bytes:
        added = self._added_bytes.get(id_)
        if added is not None:
            return added
        token = self._backend.id_to_token(id_) if 0 <= id_ < self.vocab_size else None
        return b"" if token is None else self._model_token_bytes(token)

    def is_special(self, id_: int) -> bool:
        """Whether the id is a control token: never part of an answer's text."""
        return id_ in self._special


def _without_special_parsing(backend: Backend) -> Backend:
    """A twin that reads control tokens as plain characters; it shares the vocabulary's memory.

    A twin instead of a switched flag: two threads may encode in both ways at once.
    """
    twin = Backend(backend.model)
    # The library's setters take no None.
    for part in ("normalizer", "pre_tokenizer"):
        value = getattr(backend, part)
        if value is not None:
            setattr(twin, part, value)
    added = sorted(backend.get_added_tokens_decoder().items())
    # In runs: the library builds its search tree anew at each call.
    for special, run in groupby((token for _, token in added), lambda token: token.special):
        (twin.add_special_tokens if special else twin.add_tokens)(list(run))
    if any(twin.token_to_id(token.content) != id_ for id_, token in added):
        twin = Backend.from_str(backend.to_str())  # ids with gaps: only a full copy keeps them
    twin.encode_special_tokens = True
    return twin
