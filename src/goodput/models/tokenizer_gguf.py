"""A Tokenizer from the metadata of a GGUF file (byte-level BPE vocabularies)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from tokenizers import AddedToken, Regex, decoders, models, normalizers, pre_tokenizers
from tokenizers import Tokenizer as Backend

from goodput.core.errors import CheckpointError
from goodput.models.checkpoint.gguf_file import GgufFile
from goodput.models.token_bytes import byte_level_bytes
from goodput.models.tokenizer import Tokenizer, TokenizerParts

_CONTROL, _USER_DEFINED = 3, 4

# The published splitting rules of Llama 3 and Qwen 2; they differ in how many digits stay together.
_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{digits}"
    r"| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@dataclass(frozen=True)
class _PreTokenizer:
    """How text is cut before merging: ``pattern`` None means GPT-2's rule."""

    pattern: str | None = None
    single_digits: bool = False
    ignore_merges: bool = False
    nfc: bool = False
    adds_bos: bool = False

    def build(self) -> Any:
        if self.pattern is not None:
            return pre_tokenizers.Sequence(
                [
                    pre_tokenizers.Split(Regex(self.pattern), "isolated"),
                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
                ]
            )
        gpt2 = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
        if not self.single_digits:
            return gpt2
        return pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), gpt2])


# One line per value of `tokenizer.ggml.pre`.
PRE_TOKENIZERS = {
    "gpt-2": _PreTokenizer(),
    "smollm": _PreTokenizer(single_digits=True),
    "llama-bpe": _PreTokenizer(_SPLIT.format(digits="{1,3}"), ignore_merges=True, adds_bos=True),
    "qwen2": _PreTokenizer(_SPLIT.format(digits=""), nfc=True),
}


def tokenizer_from_gguf(file: GgufFile) -> Tokenizer:
    """Build the tokenizer; raises CheckpointError naming what is missing or not supported.

    Takes about a quarter of a second for 49,000 tokens, as long as reading a tokenizer.json of
    that size does, so the result is not cached.
    """
    model = file.scalar("tokenizer.ggml.model")
    if model != "gpt2":
        raise CheckpointError(
            f"{file.path}: the tokenizer model {model!r} is not supported; goodput reads gpt2 (BPE)"
        )
    pre = file.scalar("tokenizer.ggml.pre")
    rule = PRE_TOKENIZERS.get(str(pre))
    if rule is None:
        raise CheckpointError(
            f"{file.path}: the pre-tokenizer {pre!r} is not supported; "
            f"goodput knows {', '.join(PRE_TOKENIZERS)}"
        )
    tokens, merges = (file.strings(f"tokenizer.ggml.{key}") for key in ("tokens", "merges"))
    if not tokens or merges is None:
        raise CheckpointError(f"{file.path}: the vocabulary (tokens and merges) is missing")
    pairs = [tuple(merge.split(" ", 1)) for merge in merges]
    try:
        backend = Backend(
            models.BPE(
                {token: id_ for id_, token in enumerate(tokens)},
                pairs,  # type: ignore[arg-type]  # a merge without a space: the library refuses it
                ignore_merges=rule.ignore_merges,
            )
        )
    except Exception as error:  # the library raises bare Exception for a merge of unknown tokens
        raise CheckpointError(f"{file.path}: the vocabulary is damaged: {error}") from None
    if rule.nfc:
        backend.normalizer = normalizers.NFC()
    backend.pre_tokenizer = rule.build()
    backend.decoder = decoders.ByteLevel()
    _add_tokens(backend, file, tokens)

    bos = _token_id(file, "bos", len(tokens))
    ends = (_token_id(file, "eos", len(tokens)), _token_id(file, "eot", len(tokens)))
    adds_bos = file.scalar("tokenizer.ggml.add_bos_token")
    return Tokenizer(
        TokenizerParts(
            backend=backend,
            model_token_bytes=byte_level_bytes,
            bos_token_id=bos,
            declared_eos=tuple(id_ for id_ in ends if id_ is not None),
            prepends_bos=rule.adds_bos if adds_bos is None else bool(adds_bos),
        )
    )


def _add_tokens(backend: Backend, file: GgufFile, tokens: list[str]) -> None:
    types = file.numbers("tokenizer.ggml.token_type")
    if types is None:
        raise CheckpointError(f"{file.path}: the metadata lacks tokenizer.ggml.token_type")
    if len(types) != len(tokens):
        raise CheckpointError(f"{file.path}: {len(types)} token types for {len(tokens)} tokens")
    for id_ in np.flatnonzero((types == _CONTROL) | (types == _USER_DEFINED)).tolist():
        token = AddedToken(tokens[id_], special=bool(types[id_] == _CONTROL), normalized=False)
        (backend.add_special_tokens if token.special else backend.add_tokens)([token])


def _token_id(file: GgufFile, name: str, count: int) -> int | None:
    value = file.scalar(f"tokenizer.ggml.{name}_token_id")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < count:
        raise CheckpointError(f"{file.path}: {name}_token_id is {value}, not one of {count} tokens")
    return value
