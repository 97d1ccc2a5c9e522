"""A checkpoint as a folder of float32 safetensors, for peers that do not read its format."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from goodput.core.files import atomic_path, write_atomically
from goodput.models.checkpoint.open import open_checkpoint


def float_folder(model: Path, folder: Path) -> Path:
    """Write ``model`` there in Hugging Face's form, unless it is there; returns ``folder``."""
    checkpoint = open_checkpoint(model)
    shape = checkpoint.config
    if shape.architecture != "llama":
        raise SystemExit(f"vLLM is measured with llama models, not {shape.architecture}")
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": shape.vocab_size,
        "hidden_size": shape.hidden_size,
        "intermediate_size": shape.intermediate_size,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.head_dim,
        "max_position_embeddings": shape.context_length,
        "rms_norm_eps": shape.rms_norm_eps,
        "rope_parameters": {"rope_type": "default", "rope_theta": shape.rope_theta},
        "tie_word_embeddings": shape.tie_embeddings,
        "torch_dtype": "float32",
    }
    file = folder / "model.safetensors"
    if not file.exists():
        arrays = {
            name: np.ascontiguousarray(checkpoint.tensor(name)) for name in checkpoint.names()
        }
        with atomic_path(file) as partial:
            save_file(arrays, partial, {"format": "pt"})
    write_atomically(folder / "config.json", json.dumps(config).encode())
    return folder
