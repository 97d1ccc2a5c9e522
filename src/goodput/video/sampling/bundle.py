"""A folder with all that makes films: what training leaves, what ships, what sampling loads."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from goodput.core.errors import UsageError
from goodput.video.models.autoencoder import Autoencoder
from goodput.video.models.family import AutoencoderConfig, TransformerConfig
from goodput.video.models.files import config_in, fill, read_tensors, write_network
from goodput.video.models.transformer import FilmTransformer
from goodput.video.sampling.causal import CausalMaker
from goodput.video.sampling.diffusion import DiffusionMaker

AUTOENCODER: Final = "autoencoder.safetensors"
TRANSFORMER: Final = "transformer.safetensors"


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """How a transformer wants to be sampled."""

    size: int
    """Pixels of each side."""
    shift: float
    guidance: float
    steps: int
    """As many as it is asked for when nobody says."""
    chunk: int | None = None
    """Latent frames that are made together, one chunk after the other; None: all at once."""


def write_autoencoder(folder: Path, network: Autoencoder) -> None:
    """Write ``folder``'s autoencoder."""
    write_network(folder / AUTOENCODER, network, network.config)


def read_autoencoder(folder: Path) -> Autoencoder:
    """The folder's autoencoder. Raises UsageError that names the file."""
    path = folder / AUTOENCODER
    tensors, facts = read_tensors(path)
    network = Autoencoder(config_in(facts, AutoencoderConfig, path))
    fill(network, tensors, path)
    return network


def write_transformer(folder: Path, network: FilmTransformer, manner: Manner) -> None:
    """Write ``folder``'s transformer, and how it wants to be sampled."""
    manners = msgspec.to_builtins(manner)
    write_network(folder / TRANSFORMER, network, network.config, manner=manners)


def read_transformer(folder: Path) -> tuple[FilmTransformer, Manner]:
    """The folder's transformer. Raises UsageError that names the file."""
    path = folder / TRANSFORMER
    tensors, facts = read_tensors(path)
    network = FilmTransformer(config_in(facts, TransformerConfig, path))
    fill(network, tensors, path)
    try:
        manner = msgspec.convert(facts.get("manner"), Manner)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path} does not say how it is sampled: {error}") from None
    return network, manner


def load_maker(folder: Path) -> tuple[DiffusionMaker | CausalMaker, Manner]:
    """Everything in ``folder``, ready to make films."""
    transformer, manner = read_transformer(folder)
    return maker_of(folder.name, transformer, read_autoencoder(folder), manner), manner


def maker_of(
    name: str, transformer: FilmTransformer, autoencoder: Autoencoder, manner: Manner
) -> DiffusionMaker | CausalMaker:
    """A maker with these networks, which it owns from now on."""
    size, shift = manner.size, manner.shift
    if manner.chunk is not None:
        return CausalMaker(
            name, transformer, autoencoder, size=size, shift=shift, chunk=manner.chunk
        )
    return DiffusionMaker(
        name, transformer, autoencoder, size=size, shift=shift, guidance=manner.guidance
    )
