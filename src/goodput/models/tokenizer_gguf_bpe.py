"""Byte-level BPE from the metadata of a GGUF file (``tokenizer.ggml.model`` "gpt2")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers
from tokenizers import Tokenizer as Backend

from goodput.core.errors import CheckpointError
from goodput.models.checkpoint.gguf_file import GgufFile

# The published splitting rules of Llama 3 and Qwen 2; they differ in how many digits stay together.
_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{digits}"
    r"| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@dataclass(frozen=True)
class PreTokenizer:
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
    "gpt-2": PreTokenizer(),
    "smollm": PreTokenizer(single_digits=True),
    "llama-bpe": PreTokenizer(_SPLIT.format(digits="{1,3}"), ignore_merges=True, adds_bos=True),
    "qwen2": PreTokenizer(_SPLIT.format(digits=""), nfc=True),
}


def pre_tokenizer_of(file: GgufFile) -> PreTokenizer:
    """The file's rule; raises CheckpointError naming one that is not known."""
    pre = file.scalar("tokenizer.ggml.pre")
    rule = PRE_TOKENIZERS.get(str(pre))
    if rule is None:
        raise CheckpointError(
            f"{file.path}: the pre-tokenizer {pre!r} is not supported; "
            f"goodput knows {', '.join(PRE_TOKENIZERS)}"
        )
    return rule


def byte_level_backend(file: GgufFile, tokens: list[str], rule: PreTokenizer) -> Backend:
    """The backend without its control tokens; raises CheckpointError for a damaged vocabulary."""
    merges = file.strings("tokenizer.ggml.merges")
    if merges is None:
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
    return backend
