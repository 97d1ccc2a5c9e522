"""ModelConfig from GGUF metadata."""

from __future__ import annotations

from typing import Any

from goodput.core.errors import CheckpointError
from goodput.models.checkpoint import gemma3
from goodput.models.checkpoint.gguf_file import GgufFile
from goodput.models.checkpoint.gguf_gemma3 import read_gemma3
from goodput.models.checkpoint.gguf_metadata import Metadata
from goodput.models.checkpoint.gguf_rope import linear_factor, llama3_scaling
from goodput.models.checkpoint.validate import check_config, sized_within_window
from goodput.models.config import ModelConfig

# GGUF's names to Hugging Face's. Files call Mistral 7B "llama" too: the same network with other
# numbers.
MODEL_TYPES = {
    "llama": "llama",
    "qwen2": "qwen2",
    "qwen3": "qwen3",
    "gemma3": gemma3.MODEL_TYPE,
}
_BIASES = ("attn_output", "ffn_gate", "ffn_up", "ffn_down")


def read_gguf_config(file: GgufFile) -> ModelConfig:
    """The model's shape; raises CheckpointError naming what is missing or not supported."""
    architecture = str(file.scalar("general.architecture"))
    model_type = MODEL_TYPES.get(architecture)
    if model_type is None:
        raise CheckpointError(
            f"{file.path}: the architecture {architecture!r} is not supported; "
            f"goodput reads {', '.join(MODEL_TYPES)}"
        )
    read = Metadata(file, architecture)
    for refused in ("expert_count", "attention.clamp_kqv"):
        if read.number(refused, 0):
            raise CheckpointError(f"{file.path}: {architecture}.{refused} is not supported")
    if any(f"blk.0.{name}.bias" in file.tensors for name in _BIASES):
        raise CheckpointError(f"{file.path}: biases outside q, k and v are not supported")

    hidden, heads = read.integer("embedding_length"), read.integer("attention.head_count")
    head_dim = read.integer("attention.key_length", hidden // max(heads, 1))
    if read.integer("rope.dimension_count", head_dim) != head_dim:
        raise CheckpointError(f"{file.path}: rotary positions on a part of a head: not supported")
    if read.integer("attention.value_length", head_dim) != head_dim:
        raise CheckpointError(f"{file.path}: values wider or narrower than keys: not supported")
    is_gemma = model_type == gemma3.MODEL_TYPE
    rope_theta = read.number("rope.freq_base", gemma3.ROPE_THETA if is_gemma else 10_000.0)
    context, layers = read.integer("context_length"), read.integer("block_count")
    features: dict[str, Any]
    if is_gemma:
        features = read_gemma3(
            file, read, hidden=hidden, layers=layers, heads=heads, head_dim=head_dim
        )
    else:
        features = {"qk_norm": "blk.0.attn_q_norm.weight" in file.tensors}
        context = sized_within_window(context, read.integer("attention.sliding_window", 0))
    eos = [file.scalar(f"tokenizer.ggml.{name}_token_id") for name in ("eos", "eot")]
    bos = file.scalar("tokenizer.ggml.bos_token_id")
    config = ModelConfig(
        architecture=model_type,
        vocab_size=_vocab_size(file),
        hidden_size=hidden,
        intermediate_size=read.integer("feed_forward_length"),
        layers=layers,
        heads=heads,
        kv_heads=read.integer("attention.head_count_kv", heads),
        head_dim=head_dim,
        context_length=context,
        rms_norm_eps=read.number("attention.layer_norm_rms_epsilon", 1e-5),
        rope_theta=rope_theta,
        rope_scaling=llama3_scaling(file, head_dim, rope_theta),
        rope_linear_factor=linear_factor(file, read),
        tie_embeddings="output.weight" not in file.tensors,
        qkv_bias="blk.0.attn_q.bias" in file.tensors,
        bos_token_id=bos if isinstance(bos, int) else None,
        eos_token_ids=tuple(dict.fromkeys(token for token in eos if isinstance(token, int))),
        **features,
    )
    return check_config(config, file.path)


def _vocab_size(file: GgufFile) -> int:
    embedding = file.tensors.get("token_embd.weight")
    if embedding is None or len(embedding.shape) != 2:
        raise CheckpointError(f"{file.path}: the tensor token_embd.weight is missing")
    return int(embedding.shape[1])
