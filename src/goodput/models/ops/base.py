"""What turns a step's rows into logits: a decoder, or the operations that one is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int32]
FloatArray = npt.NDArray[np.float32]
Hidden = TypeVar("Hidden")
Rows = TypeVar("Rows", contravariant=True)


@dataclass(slots=True, frozen=True)
class ForwardBatch:
    """One step's rows: the new tokens of several sequences, one after the other.

    ``tokens`` and ``positions``: [rows]. Sequence ``s`` owns rows
    ``row_starts[s] .. row_starts[s + 1]`` (``row_starts``: [sequences + 1]), at consecutive
    positions. ``block_tables``: [sequences, blocks], KV block ids of the whole shared pool; the
    entry for block ``i`` covers positions ``i * block_size ..``; unused entries are zero.
    ``sample_rows``: rows whose logits are wanted.
    """

    tokens: IntArray
    positions: IntArray
    row_starts: IntArray
    block_tables: IntArray
    sample_rows: IntArray


class Decoder(Protocol):
    """A model over a KV pool."""

    def forward(self, batch: ForwardBatch) -> FloatArray:
        """Logits of ``batch.sample_rows``: [len(sample_rows), vocab_size], valid until next call.

        Mutates the KV pool at the rows' positions.
        """
        ...


class Ops(Protocol[Rows, Hidden]):
    """The four pieces of a decoder on one kind of hardware.

    ``Rows`` is a step's input where that hardware reads it; ``Hidden`` is a float32 buffer there,
    [rows, hidden_size] between the layers.
    """

    layers: int

    def embed(self, rows: Rows) -> Hidden:
        """Token embeddings. The buffer is valid until the next ``embed``."""
        ...

    def attention(self, layer: int, hidden: Hidden, rows: Rows) -> None:
        """hidden += attention(norm(hidden)); writes the rows' keys and values to the KV pool."""
        ...

    def mlp(self, layer: int, hidden: Hidden) -> None:
        """hidden += mlp(norm(hidden))."""
        ...

    def logits(self, hidden: Hidden, rows: Rows) -> Hidden:
        """[rows that are sampled, vocab_size]."""
        ...
