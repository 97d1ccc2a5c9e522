"""GGUF files of every architecture, with the gguf library's own names, give the same logits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from tests.models.small_models import TOKENS, expected_logits, random_model
from tests.models.stepping import build, logits_of

from goodput.core.errors import CheckpointError
from goodput.models.checkpoint import open_checkpoint

ARCHES = {
    "llama": gguf.MODEL_ARCH.LLAMA,
    "llama-linear": gguf.MODEL_ARCH.LLAMA,
    "qwen2": gguf.MODEL_ARCH.QWEN2,
    "qwen3": gguf.MODEL_ARCH.QWEN3,
    "gemma3": gguf.MODEL_ARCH.GEMMA3,
    "gemma3-linear": gguf.MODEL_ARCH.GEMMA3,
}


def write_model(
    path: Path, name: str, model: Any, change: Callable[[gguf.GGUFWriter], None] | None = None
) -> None:
    """Store ``model`` as llama.cpp's converter would: its names, its order of rotary pairs."""
    config, arch = model.config, ARCHES[name]
    writer = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[arch])
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // 4
    writer.add_key_length(head_dim)
    writer.add_value_length(head_dim)
    rope = config.rope_parameters
    if arch == gguf.MODEL_ARCH.GEMMA3:
        writer.add_sliding_window(config.sliding_window)
        writer.add_sliding_window_pattern([kind[0] == "s" for kind in config.layer_types])
        writer.add_float32("gemma3.rope.freq_base_swa", rope["sliding_attention"]["rope_theta"])
        rope = rope["full_attention"]
    writer.add_rope_freq_base(rope["rope_theta"])
    if rope["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    if change is not None:
        change(writer)
    names = gguf.get_tensor_name_map(arch, config.num_hidden_layers)
    for key, parameter in model.state_dict().items():
        if key == "lm_head.weight" and config.tie_word_embeddings:
            continue
        values = parameter.numpy()
        stored = names.get_name(key, try_suffixes=(".weight", ".bias"))
        assert stored is not None, key
        if arch == gguf.MODEL_ARCH.GEMMA3 and key.endswith("norm.weight"):
            values = values + 1
        if arch == gguf.MODEL_ARCH.LLAMA and (".q_proj." in key or ".k_proj." in key):
            pairs = values.reshape(-1, 2, head_dim // 2, config.hidden_size)
            values = pairs.swapaxes(1, 2).reshape(values.shape)
        writer.add_tensor(stored, np.ascontiguousarray(values))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOODPUT_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("name", sorted(ARCHES))
def test_logits_equal_those_of_transformers(tmp_path: Path, name: str) -> None:
    model = random_model(name)
    if "gemma" in name:  # GGUF has no key for another query scale than the head's
        for layer in model.model.layers:
            layer.self_attn.scaling = model.config.head_dim**-0.5
    write_model(tmp_path / "m.gguf", name, model)
    got = logits_of(build(tmp_path / "m.gguf", "torch"), TOKENS, [50, 1, 99], list(range(10)))
    np.testing.assert_allclose(got, expected_logits(model), atol=2e-4)


def test_where_gemma3_files_are_silent_the_family_speaks(tmp_path: Path) -> None:
    model = random_model("gemma3")
    path = tmp_path / "m.gguf"

    def forget(writer: gguf.GGUFWriter) -> None:
        for key in ("attention.sliding_window_pattern", "rope.freq_base", "rope.freq_base_swa"):
            del writer.kv_data[0][f"gemma3.{key}"]
        writer.kv_data[0]["gemma3.block_count"].value = 13

    write_model(path, "gemma3", model, forget)
    config = open_checkpoint(path).config
    assert config.local_layers == (0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 12)
    assert (config.rope_theta, config.local_rope_theta) == (1_000_000.0, 10_000.0)
    assert (config.architecture, config.context_length) == ("gemma3_text", 512)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda w: w.add_final_logit_softcapping(30.0), "final_logit_softcapping is not supported"),
        (lambda w: w.add_rope_scaling_type(gguf.RopeScalingType.YARN), "rope scaling 'yarn'"),
        (lambda w: w.kv_data[0].pop("gemma3.attention.sliding_window_pattern")
         and w.add_sliding_window_pattern([True]), "has 1 values for 3 layers"),
        (lambda w: w.kv_data[0].pop("gemma3.attention.value_length")
         and w.add_value_length(16), "wider or narrower than keys"),
        (lambda w: w.kv_data[0].pop("gemma3.block_count")
         and w.add_block_count(2**31), "layers is 2147483648"),
    ],
)  # fmt: skip
def test_what_is_not_supported_is_named(
    tmp_path: Path, change: Callable[[gguf.GGUFWriter], Any], words: str
) -> None:
    def apply(writer: gguf.GGUFWriter) -> None:
        writer.add_rope_scaling_factor(2.0)
        change(writer)

    write_model(tmp_path / "m.gguf", "gemma3", random_model("gemma3"), apply)
    with pytest.raises(CheckpointError, match=words):
        open_checkpoint(tmp_path / "m.gguf")
