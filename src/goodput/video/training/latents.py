"""Clips encoded once, in shards on disk, so that a transformer's steps need no pixels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from goodput.core.errors import UsageError
from goodput.video.data.source import ClipSource
from goodput.video.models.autoencoder import Autoencoder
from goodput.video.models.files import read_tensors, write_tensors
from goodput.video.models.pixels import pixels_of

_SHARD: Final = 256


class Latents:
    """Standardised latents (clips, channels, frames, height, width) in half precision, in memory,
    and the sentence of each."""

    def __init__(self, latents: Tensor, sentences: list[str]) -> None:
        self.latents = latents
        self.sentences = sentences

    def __len__(self) -> int:
        return len(self.sentences)

    def batch(self, numbers: list[int]) -> tuple[Tensor, list[str]]:
        """The clips of these numbers, as float32, and their sentences."""
        return self.latents[numbers].float(), [self.sentences[number] for number in numbers]


def encode_all(
    network: Autoencoder,
    source: ClipSource,
    size: int,
    clips: int,
    folder: Path,
    progress: Callable[[int], None],
) -> Latents:
    """Encode the first ``clips`` clips into ``folder``, shard by shard, and read them back.

    Shards that are there already are kept: the folder belongs to one autoencoder and one source.
    ``progress`` is told how many clips are done.
    """
    parts, sentences = [], []
    for first in range(0, clips, _SHARD):
        count = min(_SHARD, clips - first)
        path = folder / f"latents-{first // _SHARD:04d}.safetensors"
        if not path.exists():
            _encode_shard(network, source, size, range(first, first + count), path)
        tensors, facts = read_tensors(path)
        found = facts.get("sentences", [])
        if "latents" not in tensors or len(tensors["latents"]) != len(found) or len(found) < count:
            raise UsageError(f"{path} is not of this run: remove it and start again")
        parts.append(tensors["latents"][:count])
        sentences += found[:count]
        progress(len(sentences))
    return Latents(torch.cat(parts), sentences)


@torch.no_grad()
def _encode_shard(
    network: Autoencoder, source: ClipSource, size: int, numbers: range, path: Path
) -> None:
    latents, sentences = [], []
    for number in numbers:
        clip, sentence = source.sample(number, size)
        latents.append(network.encode(pixels_of(clip.frames)[None]).half())
        sentences.append(sentence)
    write_tensors(path, {"latents": torch.cat(latents)}, {"sentences": sentences})
