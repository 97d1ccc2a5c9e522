"""Converted weights: made once, whole or absent, and in memory once for all who map them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from goodput.core.errors import CheckpointError
from goodput.models import weights


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.setenv("GOODPUT_HOME", str(tmp_path / "home"))
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=4096,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
    )
    LlamaForCausalLM(config).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def test_it_is_converted_once_and_progress_counts_layers(model):
    seen = []
    first = weights.prepare(model, "cpu", lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]
    stamp = first.stat().st_mtime_ns
    assert weights.prepare(model, "cpu", lambda *_: seen.append("again")) == first
    assert first.stat().st_mtime_ns == stamp
    assert "again" not in seen


def test_backends_do_not_share_a_file(model):
    assert weights.prepare(model, "cpu") != weights.prepare(model, "torch")


def test_arrays_come_back_as_they_were(model):
    config, arrays = weights.load(weights.prepare(model, "torch"))
    assert config.layers == 2
    embedding = LlamaForCausalLM.from_pretrained(model).model.embed_tokens.weight
    assert np.array_equal(arrays["model.embed_tokens.weight"], embedding.detach().numpy())


def test_a_home_that_cannot_be_written_is_one_sentence(model, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("GOODPUT_HOME", str(tmp_path / "file"))
    with pytest.raises(CheckpointError, match="cannot write the converted weights"):
        weights.prepare(model, "cpu")


def test_two_processes_hold_one_copy(model):
    """Every page that was read is one of the page cache; none is a copy."""
    path = weights.prepare(model, "torch")
    _, arrays = weights.load(path)
    assert sum(float(array.sum()) for array in arrays.values()) != 0
    reader = (
        "import sys; from pathlib import Path; from goodput.models import weights\n"
        "arrays = weights.load(Path(sys.argv[1]))[1]\n"
        "[array.sum() for array in arrays.values()]\n"
        "print(open('/proc/self/smaps').read())\n"
    )
    other = subprocess.run(
        [sys.executable, "-c", reader, str(path)], capture_output=True, text=True, check=True
    ).stdout
    for smaps in (Path("/proc/self/smaps").read_text(), other):
        _, _, entry = smaps.partition(str(path))
        sizes = {
            name: int(kb) for name, kb in re.findall(r"(\w+): +(\d+) kB", entry.split("VmFlags")[0])
        }
        assert sizes["Rss"] > 1000
        assert sizes["Anonymous"] == 0
