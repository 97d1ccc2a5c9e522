"""Blocks that a sliding window has left behind are not even read by the CPU backend."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.models.small_models import GEMMA3, TOKENS, save
from tests.models.stepping import BLOCK, logits_of, step
from transformers import Gemma3ForCausalLM, Gemma3TextConfig

from goodput.kv.layout import kv_bytes_per_block
from goodput.models import weights
from goodput.models.ops.cpu.backend import CpuDecoder

WINDOW = GEMMA3["sliding_window"]
LOCAL_ONLY = GEMMA3 | {"layer_types": ["sliding_attention"] * GEMMA3["num_hidden_layers"]}
NAN = 0xFF
"""Two such bytes are a float16 that spoils every sum it comes into, even with a weight of zero."""


@pytest.mark.parametrize("rows", [1, 2, 7])
@pytest.mark.parametrize("before", [100, 103, 111, 112])
def test_what_is_outside_of_it_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: int, rows: int
) -> None:
    monkeypatch.setenv("GOODPUT_HOME", str(tmp_path / "home"))
    folder = save(Gemma3ForCausalLM(Gemma3TextConfig(**LOCAL_ONLY)), tmp_path / "model")
    config, arrays = weights.load(weights.prepare(folder, "cpu"))
    table = list(range(10))
    block_bytes = kv_bytes_per_block(config, BLOCK, "cpu")
    pool = np.zeros(len(table) * block_bytes, np.uint8)
    model = CpuDecoder(config, arrays, pool, max_rows=128, max_samples=128)
    logits_of(model, TOKENS[:before], [before], table)
    new = TOKENS[before : before + rows]
    expected = step(model, [(new, before, table)])
    assert np.isfinite(expected).all()
    first_seen = (before - WINDOW + 1) // BLOCK
    pool[: first_seen * block_bytes] = NAN
    assert np.array_equal(step(model, [(new, before, table)]), expected)
    pool[first_seen * block_bytes : (first_seen + 1) * block_bytes] = NAN
    spoiled = step(model, [(new, before, table)])
    assert not np.array_equal(spoiled, expected), "the test would not notice"
