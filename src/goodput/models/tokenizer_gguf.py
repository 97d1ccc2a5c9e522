"""A Tokenizer from the metadata of a GGUF file."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import AddedToken
from tokenizers import Tokenizer as Backend

from goodput.core.errors import CheckpointError
from goodput.models.checkpoint.gguf_file import GgufFile
from goodput.models.token_bytes import byte_level_bytes, sentencepiece_bytes
from goodput.models.tokenizer import Tokenizer, TokenizerParts
from goodput.models.tokenizer_gguf_bpe import byte_level_backend, pre_tokenizer_of
from goodput.models.tokenizer_gguf_spm import sentencepiece_backend

_UNKNOWN, _CONTROL, _USER_DEFINED = 2, 3, 4


def tokenizer_from_gguf(file: GgufFile) -> Tokenizer:
    """Build the tokenizer; raises CheckpointError naming what is missing or not supported.

    Takes about a quarter of a second for 49,000 tokens, as long as reading a tokenizer.json of
    that size does, so the result is not cached.
    """
    model = file.scalar("tokenizer.ggml.model")
    if model not in ("gpt2", "llama"):
        raise CheckpointError(
            f"{file.path}: the tokenizer model {model!r} is not supported; "
            "goodput reads gpt2 (BPE) and llama (SentencePiece)"
        )
    is_byte_level = model == "gpt2"
    rule = pre_tokenizer_of(file) if is_byte_level else None
    tokens = file.strings("tokenizer.ggml.tokens")
    if not tokens:
        raise CheckpointError(f"{file.path}: the vocabulary (tokens and merges) is missing")
    types = _token_types(file, len(tokens))
    special = types == _CONTROL
    if rule is not None:
        backend = byte_level_backend(file, tokens, rule)
    else:
        backend = sentencepiece_backend(file, tokens, types)
        special |= types == _UNKNOWN
    _add_tokens(backend, tokens, special, plain=types == _USER_DEFINED)

    ends = (_token_id(file, "eos", len(tokens)), _token_id(file, "eot", len(tokens)))
    adds_bos = file.scalar("tokenizer.ggml.add_bos_token")
    return Tokenizer(
        TokenizerParts(
            backend=backend,
            model_token_bytes=byte_level_bytes if is_byte_level else sentencepiece_bytes,
            bos_token_id=_token_id(file, "bos", len(tokens)),
            declared_eos=tuple(id_ for id_ in ends if id_ is not None),
            prepends_bos=(rule is None or rule.adds_bos if adds_bos is None else bool(adds_bos)),
        )
    )


def _token_types(file: GgufFile, count: int) -> npt.NDArray[Any]:
    types = file.numbers("tokenizer.ggml.token_type")
    if types is None:
        raise CheckpointError(f"{file.path}: the metadata lacks tokenizer.ggml.token_type")
    if len(types) != count:
        raise CheckpointError(f"{file.path}: {len(types)} token types for {count} tokens")
    return types


def _add_tokens(
    backend: Backend,
    tokens: list[str],
    special: npt.NDArray[np.bool_],
    plain: npt.NDArray[np.bool_],
) -> None:
    """Tokens that are read as a whole: control tokens, and ``plain`` ones, which any text may use.

    In runs, because the library builds its search tree anew at each call: Gemma has 6,414.
    """
    for is_special, run in groupby(np.flatnonzero(special | plain).tolist(), special.__getitem__):
        added = [AddedToken(tokens[id_], special=bool(is_special), normalized=False) for id_ in run]
        (backend.add_special_tokens if is_special else backend.add_tokens)(added)


def _token_id(file: GgufFile, name: str, count: int) -> int | None:
    value = file.scalar(f"tokenizer.ggml.{name}_token_id")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < count:
        raise CheckpointError(f"{file.path}: {name}_token_id is {value}, not one of {count} tokens")
    return value
