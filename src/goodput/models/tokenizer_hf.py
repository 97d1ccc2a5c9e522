"""A Tokenizer from a Hugging Face folder's ``tokenizer.json``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from tokenizers import Tokenizer as Backend

from goodput.core.errors import CheckpointError
from goodput.models.checkpoint.json_files import read_object, read_text
from goodput.models.token_bytes import bytes_of_model_tokens
from goodput.models.tokenizer import Tokenizer, TokenizerParts


class _Kinds(msgspec.Struct):
    """The parts of tokenizer.json that say how its tokens map to bytes; the rest is skipped."""

    pre_tokenizer: dict[str, Any] | None = None
    decoder: dict[str, Any] | None = None


def tokenizer_from_folder(folder: Path) -> Tokenizer:
    """Read ``tokenizer.json`` and its companions; raises CheckpointError naming the bad file."""
    path = folder / "tokenizer.json"
    text = read_text(path)
    try:
        backend = Backend.from_str(text)
        kinds = msgspec.to_builtins(msgspec.json.decode(text, type=_Kinds))
    except Exception as error:  # the library raises bare Exception
        raise CheckpointError(f"{path} is not a tokenizer: {error}") from None
    try:
        model_token_bytes = bytes_of_model_tokens(kinds)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None

    settings = read_object(folder / "tokenizer_config.json", optional=True)
    model = read_object(folder / "config.json", optional=True)
    generation = read_object(folder / "generation_config.json", optional=True)
    declared = [
        *_ids(generation.get("eos_token_id")),
        *_ids(model.get("eos_token_id")),
        *_ids(_named_id(backend, settings.get("eos_token"))),
    ]
    bos = _named_id(backend, settings.get("bos_token"))
    if bos is None:
        bos = next(iter(_ids(model.get("bos_token_id"))), None)
    known = backend.get_vocab_size(with_added_tokens=True)
    starts = backend.encode("a", add_special_tokens=True).ids[:1]
    return Tokenizer(
        TokenizerParts(
            backend=backend,
            model_token_bytes=model_token_bytes,
            bos_token_id=bos,
            declared_eos=tuple(id_ for id_ in dict.fromkeys(declared) if 0 <= id_ < known),
            prepends_bos=bos is not None and starts == [bos],
        )
    )


def token_text(value: Any) -> str | None:
    """A special token's text: tokenizer_config.json has a string or ``{"content": ...}``."""
    if isinstance(value, dict):
        value = value.get("content")
    return value if isinstance(value, str) else None


def _named_id(backend: Backend, value: Any) -> int | None:
    text = token_text(value)
    return None if text is None else backend.token_to_id(text)


def _ids(value: Any) -> list[int]:
    values = value if isinstance(value, list) else [value]
    return [id_ for id_ in values if isinstance(id_, int) and not isinstance(id_, bool)]
