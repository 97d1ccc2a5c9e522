"""SentencePiece from the metadata of a GGUF file (``tokenizer.ggml.model`` "llama").

Such a file has a score per token and no merges: of all neighbours whose concatenation is a token,
those with the best score are joined first. That is BPE with merges in the order of the scores.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, normalizers

from goodput.core.errors import CheckpointError
from goodput.models.checkpoint.gguf_file import GgufFile

_NORMAL = 1
_SPACE_MARK = "▁"


def sentencepiece_backend(
    file: GgufFile, tokens: list[str], types: npt.NDArray[np.integer]
) -> Backend:
    """The backend without its control tokens; raises CheckpointError naming what is missing.

    Takes about three seconds for Gemma's 262,144 tokens.
    """
    scores = file.numbers("tokenizer.ggml.scores")
    if scores is None or len(scores) != len(tokens):
        raise CheckpointError(f"{file.path}: the vocabulary lacks a score for each token")
    if not np.isfinite(scores).all():
        raise CheckpointError(f"{file.path}: the vocabulary is damaged: a score is not finite")
    unknown = file.scalar("tokenizer.ggml.unknown_token_id")
    named = isinstance(unknown, int) and 0 <= unknown < len(tokens)
    try:
        backend = Backend(
            models.BPE(
                {token: id_ for id_, token in enumerate(tokens)},
                list(_merges(tokens, types, scores)),
                byte_fallback=True,
                fuse_unk=True,
                unk_token=tokens[unknown] if named else None,
            )
        )
    except Exception as error:  # the library raises bare Exception
        raise CheckpointError(f"{file.path}: the vocabulary is damaged: {error}") from None
    prefixed = file.scalar("tokenizer.ggml.add_space_prefix")
    marks: list[normalizers.Normalizer] = [normalizers.Replace(" ", _SPACE_MARK)]
    if prefixed is None or prefixed:
        marks.insert(0, normalizers.Prepend(_SPACE_MARK))
    backend.normalizer = normalizers.Sequence(marks)
    backend.decoder = decoders.Sequence(
        [decoders.Replace(_SPACE_MARK, " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    return backend


def _merges(
    tokens: list[str], types: npt.NDArray[np.integer], scores: npt.NDArray[np.floating]
) -> Iterator[tuple[str, str]]:
    """Every pair of tokens that makes a token, the best score first (equal ones: by their id).

    Control and byte tokens have no part in it: ``<0x0A>`` in a text is six characters.
    """
    normal = np.flatnonzero(types == _NORMAL)
    known = {tokens[id_] for id_ in normal.tolist()}
    for id_ in normal[np.argsort(-scores[normal], kind="stable")].tolist():
        token = tokens[id_]
        # The order of pairs that make the same token: longer left parts first, as converters have
        # it. No text is known (100,000 random ones were tried) whose tokens depend on it.
        for cut in range(len(token) - 1, 0, -1):
            left, right = token[:cut], token[cut:]
            if left in known and right in known:
                yield left, right
