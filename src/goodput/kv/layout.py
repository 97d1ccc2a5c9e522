"""How one KV block lies in memory, per backend. A block is contiguous: all layers, then the next.

cpu: per layer keys [kv_heads, head_dim, block] then values [kv_heads, head_dim / 16, block, 16],
float16. torch: per layer keys then values, each [kv_heads, block, head_dim], float32.
"""

from __future__ import annotations

from goodput.core.config import Backend
from goodput.models.config import ModelConfig

ELEMENT_BYTES: dict[Backend, int] = {"cpu": 2, "torch": 4}


def kv_bytes_per_block(config: ModelConfig, block_size: int, backend: Backend) -> int:
    """Bytes of one block: keys and values of ``block_size`` positions in all layers."""
    per_position = 2 * config.kv_heads * config.head_dim * ELEMENT_BYTES[backend]
    return config.layers * block_size * per_position
