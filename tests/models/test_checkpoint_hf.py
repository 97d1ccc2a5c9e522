"""Hugging Face folders written here: weights, configuration, tokenizer and template."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tokenizers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save, save_file

from goodput.core.errors import CheckpointError, GoodputError
from goodput.models.checkpoint import open_checkpoint
from goodput.models.config import RopeScaling
from goodput.models.load import load_text_side

CONFIG: dict[str, Any] = {
    "model_type": "llama",
    "vocab_size": 262,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "rms_norm_eps": 1e-6,
    "bos_token_id": 256,
    "eos_token_id": [257],
}
TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}[{{ m.role }}]{{ m.content }}{{ eos_token }}{% endfor %}"
)


def write_folder(folder: Path, config: dict[str, Any], tensors: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG | config))
    save_file(tensors, folder / "model.safetensors")
    backend = tokenizers.Tokenizer(
        tokenizers.models.BPE(
            {c: i for i, c in enumerate(sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()))}, []
        )
    )
    backend.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = tokenizers.decoders.ByteLevel()
    backend.add_special_tokens(["<s>", "</s>"])
    backend.save(str(folder / "tokenizer.json"))
    settings_ = {"bos_token": "<s>", "eos_token": {"content": "</s>"}, "chat_template": TEMPLATE}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings_))
    return folder


def embedding() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {"model.embed_tokens.weight": rng.standard_normal((262, 64)).astype(np.float32)}


def test_config(tmp_path: Path) -> None:
    config = open_checkpoint(write_folder(tmp_path / "m", {}, embedding())).config
    assert (config.architecture, config.layers, config.heads, config.kv_heads) == ("llama", 2, 4, 2)
    assert (config.head_dim, config.context_length, config.rms_norm_eps) == (16, 512, 1e-6)
    assert config.rope_theta == 10_000.0 and config.rope_scaling is None
    assert config.tie_embeddings, "no lm_head in the file and nothing said: it is shared"
    assert (config.bos_token_id, config.eos_token_ids) == (256, (257,))


@pytest.mark.parametrize("field", ["rope_scaling", "rope_parameters"])
def test_llama3_scaling_in_both_spellings(tmp_path: Path, field: str) -> None:
    rope = {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }
    theta = {"rope_theta": 5e5} if field == "rope_scaling" else {}
    if field == "rope_parameters":
        rope["rope_theta"] = 5e5
    config = open_checkpoint(write_folder(tmp_path / "m", {field: rope, **theta}, {})).config
    assert config.rope_theta == 5e5
    assert config.rope_scaling == RopeScaling(
        factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position=8192
    )


@pytest.mark.parametrize(
    ("change", "context", "bias"),
    [
        ({"model_type": "mistral", "sliding_window": 128}, 128, False),
        ({"model_type": "mistral", "sliding_window": None}, 512, False),
        ({"model_type": "qwen2", "sliding_window": 128, "use_sliding_window": False}, 512, True),
        ({"model_type": "qwen2", "sliding_window": 128, "use_sliding_window": True}, 128, True),
    ],
)
def test_windows_and_biases_of_the_families(
    tmp_path: Path, change: dict[str, Any], context: int, bias: bool
) -> None:
    config = open_checkpoint(write_folder(tmp_path / "m", change, {})).config
    assert (config.context_length, config.qkv_bias) == (context, bias)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model_type": "mamba"}, "model_type 'mamba' is not supported"),
        ({"rope_scaling": {"rope_type": "yarn", "factor": 4.0}}, "rope scaling 'yarn'"),
        ({"attention_bias": True}, "attention_bias is not supported"),
        ({"hidden_act": "gelu"}, "hidden_act 'gelu'"),
        ({"num_key_value_heads": 3}, "4 heads cannot share 3"),
        ({"vocab_size": 10**12}, "vocab_size is 1000000000000"),
        ({"hidden_size": "big"}, "hidden_size"),
        ({"head_dim": 15}, "even head_dim"),
    ],
)
def test_configs_that_are_refused(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    with pytest.raises(CheckpointError, match=words) as caught:
        open_checkpoint(write_folder(tmp_path / "m", change, embedding()))
    assert "config.json" in caught.value.message


def test_bfloat16_and_float16_are_widened(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "m", {}, {"half": np.array([0.5, -2], np.float16)})
    assert open_checkpoint(folder).tensor("half").tolist() == [0.5, -2.0]
    # bfloat16 by hand: 1.0 is 0x3F80, -2.5 is 0xC020; one odd byte before, so nothing is aligned
    header = json.dumps(
        {
            "__metadata__": {"format": "pt"},
            "x": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]},
            "w": {"dtype": "BF16", "shape": [1, 2], "data_offsets": [1, 5]},
        }
    ).encode()
    content = len(header).to_bytes(8, "little") + header + b"\0" + bytes.fromhex("803f20c0")
    (folder / "model.safetensors").write_bytes(content)
    checkpoint = open_checkpoint(folder)
    assert checkpoint.tensor("w").tolist() == [[1.0, -2.5]]
    with pytest.raises(CheckpointError, match="x is of type U8"):
        checkpoint.tensor("x")
    (folder / "model.safetensors").write_bytes(content[:-1])
    with pytest.raises(CheckpointError, match="w lies beyond its end"):
        open_checkpoint(folder)


def test_shards_and_tied_heads(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "m", {"tie_word_embeddings": True}, {})
    (folder / "model.safetensors").unlink()
    save_file(embedding(), folder / "a.safetensors")
    save_file({"lm_head.weight": np.zeros((2, 2), np.float32)}, folder / "b.safetensors")
    index = {"weight_map": {"model.embed_tokens.weight": "a.safetensors", "l": "b.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    checkpoint = open_checkpoint(folder)
    assert list(checkpoint.names()) == ["model.embed_tokens.weight"]
    assert checkpoint.tensor("model.embed_tokens.weight").shape == (262, 64)
    index["weight_map"]["l"] = "../secret.safetensors"
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(CheckpointError, match="not a shard of this folder"):
        open_checkpoint(folder)


def test_text_side_of_a_folder(tmp_path: Path) -> None:
    side = load_text_side(write_folder(tmp_path / "m", {}, {}))
    assert side.tokenizer.bos_token_id == 256 and side.config.eos_token_ids == (257,)
    ids = side.encode_chat([{"role": "user", "content": "é</s>"}])
    assert ids[0] == 256 and ids[-1] == 257 and ids.count(257) == 1
    assert side.tokenizer.decode(ids) == "[user]é</s>"
    template = tmp_path / "m" / "chat_template.jinja"
    template.write_text("{{ messages[0].content }}!")
    assert load_text_side(tmp_path / "m").chat_template.render([{"content": "hi"}]) == "hi!"  # type: ignore[union-attr]


def test_sentencepiece_style_bytes(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "m", {}, {})
    vocabulary = {"<unk>": 0, "<0x0A>": 1, "<0xE2>": 2, "▁": 3, "h": 4, "i": 5, "hi": 6, "▁hi": 7}
    backend = tokenizers.Tokenizer(
        tokenizers.models.BPE(vocabulary, [("h", "i"), ("▁", "hi")], byte_fallback=True)
    )
    backend.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    backend.decoder = tokenizers.decoders.Sequence(
        [tokenizers.decoders.Replace("▁", " "), tokenizers.decoders.ByteFallback()]
    )
    backend.save(str(folder / "tokenizer.json"))
    tokenizer = load_text_side(folder).tokenizer
    assert tokenizer.encode("hi hi", special=False) == [7, 7]
    assert [tokenizer.token_bytes(i) for i in (1, 2, 7, 99)] == [b"\n", b"\xe2", b" hi", b""]


@pytest.mark.parametrize("name", ["tokenizer.json", "config.json", "tokenizer_config.json"])
def test_damaged_json_is_one_sentence(tmp_path: Path, name: str) -> None:
    folder = write_folder(tmp_path / "m", {}, {})
    for content in (b"", b"{", b"[]", b"\xff\xfe"):
        (folder / name).write_bytes(content)
        with pytest.raises(CheckpointError, match=name):
            load_text_side(folder)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    edits=st.lists(st.tuples(st.integers(0, 200), st.binary(min_size=1, max_size=4)), max_size=4),
    keep=st.integers(0, 2_000),
)
def test_damaged_safetensors_never_give_a_traceback(
    tmp_path: Path, edits: list[tuple[int, bytes]], keep: int
) -> None:
    folder = tmp_path / "m"
    if not folder.exists():
        write_folder(folder, {}, {})
    data = bytearray(save({"a": np.ones((3, 4), np.float32), "b": np.ones(5, np.float16)}))
    for at, value in edits:
        data[at : at + len(value)] = value
    (folder / "model.safetensors").unlink()  # an earlier example may still be mapped
    (folder / "model.safetensors").write_bytes(data[:keep])
    try:
        checkpoint = open_checkpoint(folder)
        for name in checkpoint.names():
            checkpoint.tensor(name)
    except GoodputError as error:
        assert "\n" not in error.message


GEMMA3 = {
    "model_type": "gemma3_text",
    "num_hidden_layers": 7,
    "head_dim": 32,
    "hidden_activation": "gelu_pytorch_tanh",
}
LOCAL, GLOBAL = "sliding_attention", "full_attention"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, (4096, (0, 1, 2, 3, 4, 6), 1e6, 1e4, 1.0)),
        ({"layer_types": [GLOBAL] * 7}, (None, (), 1e6, None, 1.0)),
        ({"sliding_window": 8, "sliding_window_pattern": 2}, (8, (0, 2, 4, 6), 1e6, 1e4, 1.0)),
        ({"layer_types": [GLOBAL] * 3 + [LOCAL] * 4}, (4096, (3, 4, 5, 6), 1e6, 1e4, 1.0)),
        (
            {
                "rope_theta": 5e5,
                "rope_local_base_freq": 2e3,
                "rope_scaling": {"rope_type": "linear", "factor": 8.0},
            },
            (4096, (0, 1, 2, 3, 4, 6), 5e5, 2e3, 8.0),
        ),
        (
            {
                "rope_parameters": {
                    LOCAL: {"rope_type": "default", "rope_theta": 3e3},
                    GLOBAL: {"rope_type": "linear", "rope_theta": 7e5, "factor": 4.0},
                }
            },
            (4096, (0, 1, 2, 3, 4, 6), 7e5, 3e3, 4.0),
        ),
    ],
)
def test_gemma3_in_old_and_new_spellings(
    tmp_path: Path, change: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    config = open_checkpoint(write_folder(tmp_path / "m", GEMMA3 | change, embedding())).config
    assert config.context_length == 512, "windows do not limit a model that has them by layers"
    assert expected == (
        config.sliding_window,
        config.local_layers,
        config.rope_theta,
        config.local_rope_theta,
        config.rope_linear_factor,
    )
    assert (config.embedding_scale, config.query_scale) == (8.0, 1 / 16)
    assert config.qk_norm and config.post_norms and config.activation == "gelu_tanh"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"final_logit_softcapping": 30.0}, "final_logit_softcapping is not supported"),
        ({"attn_logit_softcapping": 50.0}, "attn_logit_softcapping is not supported"),
        ({"use_bidirectional_attention": True}, "use_bidirectional_attention is not supported"),
        ({"hidden_activation": "relu"}, "hidden_activation 'relu'"),
        ({"layer_types": ["full_attention"]}, "1 layer_types for 7 layers"),
        ({"layer_types": ["linear_attention"] * 7}, "layer type 'linear_attention'"),
        ({"query_pre_attn_scalar": 0}, "query_pre_attn_scalar is 0"),
        ({"num_hidden_layers": 10**12}, "layers is 1000000000000"),
        ({"sliding_window": -5}, "sliding_window is -5"),
        ({"sliding_window": None}, "sliding_window is None"),
        ({"rope_local_base_freq": 0}, "local_rope_theta is 0"),
        ({"rope_scaling": {"rope_type": "linear"}}, "Expected `float`"),
        ({"rope_scaling": {"rope_type": "linear", "factor": 0}}, "rope_linear_factor is 0"),
        (
            {"rope_parameters": {LOCAL: {"rope_type": "yarn"}, GLOBAL: {}}},
            "rope scaling 'yarn'",
        ),
        ({"rope_parameters": {LOCAL: 7}}, "Expected `object`"),
        ({"model_type": "gemma3"}, "model_type 'gemma3' is not supported"),
    ],
)
def test_gemma3_configs_that_are_refused(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(CheckpointError, match=words) as caught:
        open_checkpoint(write_folder(tmp_path / "m", GEMMA3 | change, embedding()))
    assert "config.json" in caught.value.message


def test_qwen3_has_head_norms_and_a_head_dim_of_its_own(tmp_path: Path) -> None:
    config = open_checkpoint(write_folder(tmp_path / "m", {"model_type": "qwen3"}, {})).config
    assert config.qk_norm and config.head_dim == 128 and not config.qkv_bias


def test_gemmas_norms_gain_one_and_nothing_else_does(tmp_path: Path) -> None:
    norms = ("model.norm", "model.layers.0.self_attn.q_norm", "model.layers.0.input_layernorm")
    tensors = {f"{name}.weight": np.array([0.5, -1], np.float32) for name in norms}
    tensors["model.layers.0.mlp.up_proj.weight"] = np.array([[0.5, -1]], np.float32)
    for kind, extra in ((GEMMA3, 1.0), ({"model_type": "qwen3"}, 0.0)):
        checkpoint = open_checkpoint(write_folder(tmp_path / f"m{extra}", kind, tensors))
        for name in norms:
            assert checkpoint.tensor(f"{name}.weight").tolist() == [0.5 + extra, -1 + extra]
        assert checkpoint.tensor("model.layers.0.mlp.up_proj.weight").tolist() == [[0.5, -1.0]]
