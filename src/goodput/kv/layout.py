"""How one KV block lies in memory, per backend. A block is contiguous: all layers, then the next.

cpu: per layer keys [kv_heads, head_dim, block] then values [kv_heads, head_dim / 16, block, 16],
float16. torch: per layer keys then values, each [kv_heads, block, head_dim], float32 on the CPU and
bfloat16 on a GPU.
"""

from __future__ import annotations

from goodput.core.config import Backend, Device
from goodput.models.config import ModelConfig

ELEMENT_BYTES: dict[tuple[Backend, Device], int] = {
    ("cpu", "cpu"): 2,
    ("torch", "cpu"): 4,
    ("torch", "cuda"): 2,
}


def kv_bytes_per_block(
    config: ModelConfig, block_size: int, backend: Backend, device: Device = "cpu"
) -> int:
    """Bytes of one block: keys and values of ``block_size`` positions in all layers."""
    per_position = 2 * config.kv_heads * config.head_dim * ELEMENT_BYTES[backend, device]
    return config.layers * block_size * per_position
