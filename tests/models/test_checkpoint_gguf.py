"""GGUF files written here, read back in Hugging Face's names and layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from gguf import GGMLQuantizationType as Kind
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goodput.core.errors import CheckpointError, GoodputError
from goodput.models.checkpoint import open_checkpoint
from goodput.models.config import RopeScaling
from goodput.models.load import load_text_side

HIDDEN, HEADS, KV_HEADS, HEAD_DIM, WIDE, VOCAB = 256, 8, 2, 32, 512, 262
Change = Callable[[gguf.GGUFWriter], None]


def byte_alphabet() -> list[str]:
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(0x100 + i) for i, _ in enumerate(others)]


def write_gguf(
    path: Path,
    *,
    arch: str = "llama",
    pre: str = "smollm",
    kind: Kind = Kind.F32,
    skip: tuple[str, ...] = (),
    change: Change | None = None,
) -> dict[str, np.ndarray[Any, Any]]:
    """A one-layer model with random weights; returns what was written, by GGUF name."""
    rng = np.random.default_rng(0)
    writer = gguf.GGUFWriter(path, arch)
    writer.add_block_count(1)
    writer.add_context_length(128)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(WIDE)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10_000.0)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    tokens = [*byte_alphabet(), "he", "<|im_start|>", "<|im_end|>", "<tool>", "<|endoftext|>", "Ġ1"]
    writer.add_token_list(tokens)
    writer.add_token_types([1] * 257 + [3, 3, 4, 3, 1])
    writer.add_token_merges(["h e", "Ġ 1"])
    writer.add_eos_token_id(258)
    writer.add_bos_token_id(257)
    if change is not None:
        change(writer)
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (VOCAB, HIDDEN),
        "output_norm.weight": (HIDDEN,),
        "blk.0.attn_norm.weight": (HIDDEN,),
        "blk.0.attn_q.weight": (HEADS * HEAD_DIM, HIDDEN),
        "blk.0.attn_k.weight": (KV_HEADS * HEAD_DIM, HIDDEN),
        "blk.0.attn_v.weight": (KV_HEADS * HEAD_DIM, HIDDEN),
        "blk.0.attn_output.weight": (HIDDEN, HIDDEN),
        "blk.0.ffn_norm.weight": (HIDDEN,),
        "blk.0.ffn_gate.weight": (WIDE, HIDDEN),
        "blk.0.ffn_up.weight": (WIDE, HIDDEN),
        "blk.0.ffn_down.weight": (HIDDEN, WIDE),
    }
    written = {}
    for name, shape in shapes.items():
        values = rng.standard_normal(shape).astype(np.float32)
        written[name] = values
        if name in skip:
            continue
        if kind == Kind.F32 or len(shape) == 1:
            writer.add_tensor(name, values)
        else:
            writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return written


def as_llama_cpp_stores(weight: np.ndarray[Any, Any], heads: int) -> np.ndarray[Any, Any]:
    """Row order of a converted file: head by head, the two numbers of each pair side by side."""
    rows = []
    for head in range(heads):
        for pair in range(HEAD_DIM // 2):
            rows += [head * HEAD_DIM + pair, head * HEAD_DIM + HEAD_DIM // 2 + pair]
    return weight[rows]


def test_config_and_names(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    written = write_gguf(path)
    checkpoint = open_checkpoint(path)
    config = checkpoint.config
    assert (config.architecture, config.layers, config.heads, config.kv_heads) == ("llama", 1, 8, 2)
    assert (config.head_dim, config.vocab_size, config.context_length) == (32, VOCAB, 128)
    assert config.rms_norm_eps == 1e-5 and config.rope_theta == 10_000.0
    assert config.tie_embeddings and not config.qkv_bias
    assert (config.bos_token_id, config.eos_token_ids) == (257, (258,))
    assert set(checkpoint.names()) == {
        "model.embed_tokens.weight",
        "model.norm.weight",
        *(
            f"model.layers.0.{part}.weight"
            for part in (
                *("input_layernorm", "post_attention_layernorm"),
                *(f"self_attn.{x}_proj" for x in "qkvo"),
                *(f"mlp.{x}_proj" for x in ("gate", "up", "down")),
            )
        ),
    }
    down = checkpoint.tensor("model.layers.0.mlp.down_proj.weight")
    assert np.array_equal(down, written["blk.0.ffn_down.weight"])
    down[0, 0] = 7  # the array is the caller's: nothing else changes
    assert checkpoint.tensor("model.layers.0.mlp.down_proj.weight")[0, 0] != 7


def test_rotary_rows_return_to_halves_for_llama_only(tmp_path: Path) -> None:
    for arch in ("llama", "qwen2"):
        path = tmp_path / f"{arch}.gguf"
        written = write_gguf(path, arch=arch, pre="qwen2")
        checkpoint = open_checkpoint(path)
        for part, heads in (("q", HEADS), ("k", KV_HEADS)):
            ours = checkpoint.tensor(f"model.layers.0.self_attn.{part}_proj.weight")
            stored = written[f"blk.0.attn_{part}.weight"]
            back = as_llama_cpp_stores(ours, heads) if arch == "llama" else ours
            assert np.array_equal(back, stored)


@pytest.mark.parametrize("kind", [Kind.F16, Kind.BF16, Kind.Q4_0, Kind.Q4_1, Kind.Q8_0])
def test_quantized_types_are_close_to_what_was_written(tmp_path: Path, kind: Kind) -> None:
    path = tmp_path / "tiny.gguf"
    written = write_gguf(path, kind=kind)["blk.0.ffn_up.weight"]
    read = open_checkpoint(path).tensor("model.layers.0.mlp.up_proj.weight")
    assert read.dtype == np.float32 and read.shape == written.shape
    error = np.abs(read - written).max() / np.abs(written).max()
    assert error < {Kind.Q4_0: 0.2, Kind.Q4_1: 0.15}.get(kind, 0.01)


@pytest.mark.parametrize("kind", [Kind.Q4_K, Kind.Q5_K, Kind.Q6_K])
def test_k_quants_keep_shape(tmp_path: Path, kind: Kind) -> None:
    path = tmp_path / "tiny.gguf"
    block, size = gguf.GGML_QUANT_SIZES[kind]
    packed = np.random.default_rng(1).integers(0, 50, (WIDE, HIDDEN // block * size), dtype="u1")

    def add(writer: gguf.GGUFWriter) -> None:
        writer.add_tensor("output.weight", packed, raw_dtype=kind)

    write_gguf(path, change=add)
    checkpoint = open_checkpoint(path)
    assert not checkpoint.config.tie_embeddings
    read = checkpoint.tensor("lm_head.weight")
    assert read.shape == (WIDE, HIDDEN)
    assert np.array_equal(read, gguf.quants.dequantize(packed, kind))


def test_an_unsupported_type_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    size = gguf.GGML_QUANT_SIZES[Kind.Q2_K][1]

    def add(writer: gguf.GGUFWriter) -> None:
        writer.add_tensor("output.weight", np.zeros((4, size), np.uint8), raw_dtype=Kind.Q2_K)

    write_gguf(path, change=add)
    with pytest.raises(CheckpointError, match=r"output\.weight is of type Q2_K"):
        open_checkpoint(path).tensor("lm_head.weight")


def test_an_unknown_architecture_is_refused_by_name(tmp_path: Path) -> None:
    write_gguf(tmp_path / "tiny.gguf", arch="mamba")
    with pytest.raises(CheckpointError, match="'mamba' is not supported"):
        open_checkpoint(tmp_path / "tiny.gguf")


def test_missing_tensors_are_named(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    write_gguf(path, skip=("blk.0.ffn_up.weight",))
    with pytest.raises(CheckpointError, match=r"model\.layers\.0\.mlp\.up_proj\.weight is missing"):
        open_checkpoint(path).tensor("model.layers.0.mlp.up_proj.weight")
    write_gguf(path, skip=("token_embd.weight",))
    with pytest.raises(CheckpointError, match=r"token_embd\.weight is missing"):
        open_checkpoint(path)


def llama3_divisors(factor: float, theta: float = 10_000.0) -> np.ndarray[Any, Any]:
    divisors = []
    for pair in range(HEAD_DIM // 2):
        wavelength = 2 * np.pi * theta ** (2 * pair / HEAD_DIM)
        if wavelength < 8192 / 4:
            divisors.append(1.0)
        elif wavelength > 8192 / 1:
            divisors.append(factor)
        else:
            smooth = (8192 / wavelength - 1) / (4 - 1)
            divisors.append(1 / ((1 - smooth) / factor + smooth))
    return np.array(divisors, np.float32)


def test_llama3_rope_scaling_comes_back_from_its_divisors(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    divisors = llama3_divisors(32.0)
    assert 1 < np.median(divisors[divisors > 1]) <= 32
    write_gguf(path, change=lambda writer: writer.add_tensor("rope_freqs.weight", divisors))
    assert open_checkpoint(path).config.rope_scaling == RopeScaling(
        factor=32.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position=8192
    )
    odd = np.linspace(1, 3, HEAD_DIM // 2, dtype=np.float32)
    write_gguf(path, change=lambda writer: writer.add_tensor("rope_freqs.weight", odd))
    with pytest.raises(CheckpointError, match=r"rope_freqs\.weight is not Llama 3"):
        open_checkpoint(path)


def test_weights_that_are_not_finite_are_damage(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    broken = np.array([1, np.nan], np.float32)
    write_gguf(path, change=lambda writer: writer.add_tensor("blk.0.attn_q.bias", broken))
    with pytest.raises(CheckpointError, match=r"blk\.0\.attn_q\.bias holds numbers that are not"):
        open_checkpoint(path).tensor("model.layers.0.self_attn.q_proj.bias")


def test_an_empty_tensor_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    nothing = np.zeros((0, 4), np.float32)
    write_gguf(path, change=lambda writer: writer.add_tensor("output.weight", nothing))
    with pytest.raises(CheckpointError, match=r"the tensor output\.weight is empty"):
        open_checkpoint(path)


def test_fingerprint_changes_with_the_weights_only(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    write_gguf(path)
    first = open_checkpoint(path).fingerprint
    assert first == open_checkpoint(path).fingerprint and len(first) == 16
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    assert open_checkpoint(path).fingerprint != first


def test_tokenizer_of_a_tiny_file(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    write_gguf(path)
    side = load_text_side(path)
    tokenizer = side.tokenizer
    assert side.chat_template is None
    assert tokenizer.eos_token_ids == side.config.eos_token_ids == (258, 260)
    # "smollm" cuts before a digit, so the merge "Ġ 1" can never apply; GPT-2's own rule keeps it.
    assert 261 not in tokenizer.encode(" 1", special=False)
    write_gguf(path, pre="gpt-2")
    assert load_text_side(path).tokenizer.encode(" 1", special=False) == [261]
    # A user-defined token is no control token: it is read in plain text too.
    assert tokenizer.encode("<tool>", special=False) == [259] and not tokenizer.is_special(259)
    assert tokenizer.encode("<|im_end|>", special=True) == [258] and tokenizer.is_special(258)
    assert 258 not in tokenizer.encode("<|im_end|>", special=False)


def test_llama_bpe_starts_plain_prompts_with_bos(tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    write_gguf(path, pre="llama-bpe")
    tokenizer = load_text_side(path).tokenizer
    assert tokenizer.encode_prompt("he") == [257, 256]
    assert tokenizer.encode("he", special=False) == [256]
    write_gguf(path, pre="llama-bpe", change=lambda writer: writer.add_add_bos_token(False))
    assert load_text_side(path).tokenizer.encode_prompt("he") == [256]


def test_an_unknown_pre_tokenizer_is_refused_by_name(tmp_path: Path) -> None:
    write_gguf(tmp_path / "tiny.gguf", pre="tekken")
    with pytest.raises(CheckpointError, match="pre-tokenizer 'tekken' is not supported"):
        load_text_side(tmp_path / "tiny.gguf")


@pytest.mark.parametrize("content", [b"", b"GGUF", b"\0" * 100, b"GGUF\x03\0\0\0" + b"\xff" * 64])
def test_garbage_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"bad\.gguf is damaged, cut short or not a GGUF"):
        open_checkpoint(path)


def test_an_array_that_claims_more_than_the_file_holds(tmp_path: Path) -> None:
    # magic, version 3, no tensors, one key "k" of type array (9) of 2**60 uint8 (0)
    parts = [b"GGUF", 3, 0, 1, 1, b"k", 9, 0, 1 << 60]
    sizes = [4, 4, 8, 8, 8, 1, 4, 4, 8]
    path = tmp_path / "bad.gguf"
    path.write_bytes(
        b"".join(
            part if isinstance(part, bytes) else part.to_bytes(size, "little")
            for part, size in zip(parts, sizes, strict=True)
        )
    )
    with pytest.raises(CheckpointError, match="reaches beyond the end"):
        open_checkpoint(path)


@pytest.fixture(scope="module")
def tiny_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("fuzz") / "tiny.gguf"
    write_gguf(path, kind=Kind.Q4_0)
    return path.read_bytes()


HEADER_BYTES = 8_000


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    edits=st.lists(
        st.tuples(st.integers(0, HEADER_BYTES), st.binary(min_size=1, max_size=8)), max_size=6
    ),
    keep=st.one_of(st.none(), st.integers(0, 2 * HEADER_BYTES)),
)
def test_damage_never_gives_a_traceback(
    tiny_bytes: bytes, tmp_path: Path, edits: list[tuple[int, bytes]], keep: int | None
) -> None:
    damaged = bytearray(tiny_bytes)
    for at, value in edits:
        damaged[at : at + len(value)] = value
    del damaged[keep or len(damaged) :]
    path = tmp_path / "fuzz.gguf"
    path.unlink(missing_ok=True)  # an earlier example may still be mapped: make a new file
    path.write_bytes(damaged)
    try:
        checkpoint = open_checkpoint(path)
        for name in checkpoint.names():
            checkpoint.tensor(name)
        load_text_side(path).tokenizer.encode("hello 1", special=True)
    except GoodputError as error:
        assert "\n" not in error.message
