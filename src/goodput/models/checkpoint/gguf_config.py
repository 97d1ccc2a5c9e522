"""ModelConfig from GGUF metadata."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from goodput.core.errors import CheckpointError
from goodput.models.checkpoint.gguf_file import GgufFile
from goodput.models.checkpoint.validate import check_config, sized_within_window
from goodput.models.config import ModelConfig, RopeScaling

# GGUF files call Mistral 7B "llama" too: the same network with other numbers.
ARCHITECTURES = ("llama", "qwen2")


def read_gguf_config(file: GgufFile) -> ModelConfig:
    """The model's shape; raises CheckpointError naming what is missing or not supported."""
    architecture = str(file.scalar("general.architecture"))
    if architecture not in ARCHITECTURES:
        raise CheckpointError(
            f"{file.path}: the architecture {architecture!r} is not supported; "
            f"goodput reads {', '.join(ARCHITECTURES)}"
        )
    read = _Metadata(file, architecture)
    for refused in ("expert_count", "attention.clamp_kqv"):
        if read.number(refused, 0):
            raise CheckpointError(f"{file.path}: {architecture}.{refused} is not supported")
    if "blk.0.attn_output.bias" in file.tensors or "blk.0.ffn_up.bias" in file.tensors:
        raise CheckpointError(f"{file.path}: biases outside q, k and v are not supported")

    hidden, heads = read.integer("embedding_length"), read.integer("attention.head_count")
    head_dim = read.integer("attention.key_length", hidden // max(heads, 1))
    if read.integer("rope.dimension_count", head_dim) != head_dim:
        raise CheckpointError(f"{file.path}: rotary positions on a part of a head: not supported")
    rope_theta = read.number("rope.freq_base", 10_000.0)
    eos = [file.scalar(f"tokenizer.ggml.{name}_token_id") for name in ("eos", "eot")]
    bos = file.scalar("tokenizer.ggml.bos_token_id")
    config = ModelConfig(
        architecture=architecture,
        vocab_size=_vocab_size(file),
        hidden_size=hidden,
        intermediate_size=read.integer("feed_forward_length"),
        layers=read.integer("block_count"),
        heads=heads,
        kv_heads=read.integer("attention.head_count_kv", heads),
        head_dim=head_dim,
        context_length=sized_within_window(
            read.integer("context_length"), read.integer("attention.sliding_window", 0)
        ),
        rms_norm_eps=read.number("attention.layer_norm_rms_epsilon", 1e-5),
        rope_theta=rope_theta,
        rope_scaling=_rope_scaling(file, read, head_dim, rope_theta),
        tie_embeddings="output.weight" not in file.tensors,
        qkv_bias="blk.0.attn_q.bias" in file.tensors,
        bos_token_id=bos if isinstance(bos, int) else None,
        eos_token_ids=tuple(dict.fromkeys(token for token in eos if isinstance(token, int))),
    )
    return check_config(config, file.path)


class _Metadata:
    """Typed reads of one architecture's keys."""

    def __init__(self, file: GgufFile, architecture: str) -> None:
        self._file = file
        self._prefix = architecture

    def value(self, key: str) -> Any:
        return self._file.scalar(f"{self._prefix}.{key}")

    def number(self, key: str, default: float) -> float:
        value = self.value(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise CheckpointError(f"{self._file.path}: {self._prefix}.{key} is not a number")
        # GGUF stores float32; its shortest decimal is what the author wrote (1e-5, not 9.99e-6).
        return value if isinstance(value, int) else float(str(np.float32(value)))

    def integer(self, key: str, default: int | None = None) -> int:
        value = self.value(key)
        if value is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            raise CheckpointError(
                f"{self._file.path}: the metadata lacks the whole number {self._prefix}.{key}"
            )
        return value


def _vocab_size(file: GgufFile) -> int:
    embedding = file.tensors.get("token_embd.weight")
    if embedding is None or len(embedding.shape) != 2:
        raise CheckpointError(f"{file.path}: the tensor token_embd.weight is missing")
    return int(embedding.shape[1])


def _rope_scaling(
    file: GgufFile, read: _Metadata, head_dim: int, theta: float
) -> RopeScaling | None:
    kind = read.value("rope.scaling.type")
    factor = read.number("rope.scaling.factor", 1.0)
    if kind not in (None, "none") and factor not in (0, 1):
        raise CheckpointError(f"{file.path}: the rope scaling {kind!r} is not supported")
    stored = file.tensors.get("rope_freqs.weight")
    if stored is None:
        return None
    # Llama 3 files hold the divisor of each frequency instead of the parameters that made it.
    divisors = np.asarray(stored.data, dtype=np.float32)
    largest = float(divisors.max()) if divisors.size else 1.0
    if not math.isfinite(largest):
        raise CheckpointError(f"{file.path}: rope_freqs.weight is damaged")
    if bool(np.all(divisors == 1)):
        return None
    scaling = RopeScaling(
        factor=largest, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position=8192
    )
    if not np.allclose(divisors, _divisors(scaling, head_dim, theta), rtol=1e-3):
        raise CheckpointError(f"{file.path}: rope_freqs.weight is not Llama 3's frequency scaling")
    return scaling


def _divisors(scaling: RopeScaling, head_dim: int, theta: float) -> npt.NDArray[np.float64]:
    """What Llama 3's scaling divides each of the ``head_dim / 2`` frequencies by."""
    frequencies = theta ** (-np.arange(0, head_dim, 2, dtype=np.float64) / head_dim)
    turns = scaling.original_max_position * frequencies / (2 * np.pi)
    low, high = scaling.low_freq_factor, scaling.high_freq_factor
    smooth = np.clip((turns - low) / (high - low), 0.0, 1.0)
    return np.asarray(1.0 / ((1.0 - smooth) / scaling.factor + smooth))
