"""From settings to a decoder of the torch backend, on either device."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch

from goodput.core.config import EngineConfig
from goodput.core.errors import UsageError
from goodput.models.config import ModelConfig
from goodput.models.ops.torch.decode_graphs import GraphDecoder
from goodput.models.ops.torch.decoder import TorchDecoder
from goodput.models.ops.torch.operations import TorchOps

Weights = Mapping[str, npt.NDArray[np.generic]]


def shared_decoder(
    config: ModelConfig, weights: Weights, memory: npt.NDArray[np.uint8], engine: EngineConfig
) -> TorchDecoder:
    """float32 on the CPU, over the host's pool ``memory`` in place."""
    torch.set_num_threads(engine.threads)
    shape = (-1, *_block_shape(config, engine))
    pool = torch.from_numpy(memory.view(np.float32).reshape(shape))
    return TorchDecoder(TorchOps(config, weights, pool))


def own_decoder(
    config: ModelConfig,
    weights: Weights,
    engine: EngineConfig,
    num_blocks: int,
    *,
    device: str = "cuda",
    dtype: torch.dtype = torch.bfloat16,
) -> GraphDecoder:
    """bfloat16 on a GPU, over ``num_blocks`` blocks (and a spare one) of its own memory there.

    ``device`` "cpu" runs the same without graphs. Raises UsageError when the GPU has no room.
    """
    # It plans anew for every shape (prefills have many), and some versions fail inside graphs.
    torch.backends.cuda.enable_cudnn_sdp(False)
    try:
        shape = (num_blocks + 1, *_block_shape(config, engine))
        ops = TorchOps(config, weights, torch.zeros(shape, dtype=dtype, device=device))
        return GraphDecoder(
            ops, max_sequences=engine.max_sequences, context_length=config.context_length
        )
    except torch.OutOfMemoryError:
        raise UsageError(
            "the GPU has no room for the model, its KV blocks and its largest decode step; lower "
            f"engine.kv_tokens (now {engine.kv_tokens}), engine.max_sequences "
            f"({engine.max_sequences}) or engine.context_length ({config.context_length})"
        ) from None


def _block_shape(config: ModelConfig, engine: EngineConfig) -> tuple[int, ...]:
    return (config.layers, 2, config.kv_heads, engine.block_size, config.head_dim)
