"""All that the frontend needs of a model: everything but the weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from goodput.core.errors import CheckpointError, InvalidRequestError
from goodput.models.chat_prompt import encode_chat
from goodput.models.chat_template import ChatTemplate
from goodput.models.checkpoint import open_checkpoint
from goodput.models.checkpoint.gguf_checkpoint import GgufCheckpoint
from goodput.models.checkpoint.json_files import read_object, read_text
from goodput.models.config import ModelConfig
from goodput.models.tokenizer import Tokenizer
from goodput.models.tokenizer_gguf import tokenizer_from_gguf
from goodput.models.tokenizer_hf import token_text, tokenizer_from_folder


@dataclass(frozen=True)
class TextSide:
    """A model's configuration, tokenizer and chat template (None: a base model without one).

    ``config.eos_token_ids`` equals ``tokenizer.eos_token_ids``. Immutable; threads may share it.
    """

    config: ModelConfig
    tokenizer: Tokenizer
    chat_template: ChatTemplate | None

    def encode_chat(
        self, messages: Sequence[dict[str, Any]], *, add_generation_prompt: bool = True
    ) -> list[int]:
        """Token ids of the chat prompt; control tokens inside messages stay plain text.

        Raises InvalidRequestError(param="messages"), also when the model has no chat template.
        """
        if self.chat_template is None:
            raise InvalidRequestError(
                "this model has no chat template; use /v1/completions", param="messages"
            )
        return encode_chat(
            self.chat_template,
            self.tokenizer,
            messages,
            add_generation_prompt=add_generation_prompt,
        )


def load_text_side(path: Path) -> TextSide:
    """Read the text side of the ``.gguf`` file or folder ``path``; no weight is read.

    About 0.3 s for the default model. Raises CheckpointError naming what is wrong.
    """
    checkpoint = open_checkpoint(path)
    if isinstance(checkpoint, GgufCheckpoint):
        tokenizer = tokenizer_from_gguf(checkpoint.file)
        source = checkpoint.file.scalar("tokenizer.chat_template")
        eos = checkpoint.config.eos_token_ids
        texts = {"eos_token": tokenizer.token_bytes(eos[0]).decode() if eos else ""}
    else:
        tokenizer = tokenizer_from_folder(path)
        settings = read_object(path / "tokenizer_config.json", optional=True)
        source = _template_of_folder(path, settings)
        texts = {"eos_token": token_text(settings.get("eos_token")) or ""}
    if tokenizer.vocab_size > checkpoint.config.vocab_size:
        raise CheckpointError(
            f"{path}: the tokenizer has {tokenizer.vocab_size} tokens "
            f"and the model {checkpoint.config.vocab_size}"
        )
    if tokenizer.bos_token_id is not None:
        texts["bos_token"] = tokenizer.token_bytes(tokenizer.bos_token_id).decode()
    template = ChatTemplate(source, **texts) if isinstance(source, str) else None
    config = msgspec.structs.replace(checkpoint.config, eos_token_ids=tokenizer.eos_token_ids)
    return TextSide(config=config, tokenizer=tokenizer, chat_template=template)


def _template_of_folder(folder: Path, settings: dict[str, Any]) -> str | None:
    """The folder's own template: its file, or an entry of tokenizer_config.json."""
    file = folder / "chat_template.jinja"
    if file.is_file():
        return read_text(file)
    source = settings.get("chat_template")
    if isinstance(source, list):  # several, by name
        named = {
            item.get("name"): item.get("template") for item in source if isinstance(item, dict)
        }
        source = named.get("default")
    return source if isinstance(source, str) else None
