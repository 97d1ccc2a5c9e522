"""Whole answers through the engine with a GPU's decoder (here on the CPU, in float32).

What the engine does to it: prompts in chunks beside decoding rows, cached prefixes, preemption.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.engine.hosts import BLOCK, BLOCKS_EACH, Host, Mode
from tests.models.small_models import TOKENS, random_model, save

from goodput.core.config import EngineConfig
from goodput.core.request import GenerationRequest, SamplingParams
from goodput.engine.executor import Executor
from goodput.engine.model_executor import ModelExecutor, build_model_executor
from goodput.kv.layout import kv_bytes_per_block
from goodput.kv.shared_pool import SharedPool
from goodput.models import weights
from goodput.models.grammar import GrammarMasks
from goodput.models.load import load_text_side
from goodput.models.ops.torch.build import own_decoder

LIMITS = EngineConfig(max_sequences=8)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOODPUT_HOME", str(tmp_path_factory.mktemp("home")))
        yield save(random_model("llama"), tmp_path_factory.mktemp("llama"))


def reference(model: Path) -> ModelExecutor:
    """float32 over a shared pool, every step as it comes."""
    config, _ = weights.load(weights.prepare(model, "torch"))
    pool = SharedPool.create(2 * BLOCKS_EACH, kv_bytes_per_block(config, BLOCK, "torch"))
    return build_model_executor(model, pool, LIMITS, "torch")


def in_its_own_memory(model: Path) -> ModelExecutor:
    config, arrays = weights.load(weights.prepare(model, "torch"))
    decoder = own_decoder(
        config, arrays, LIMITS, 2 * BLOCKS_EACH, device="cpu", dtype=torch.float32
    )
    return ModelExecutor(decoder, GrammarMasks(lambda: load_text_side(model).tokenizer, 1))


def requests() -> list[GenerationRequest]:
    """Prompts of all lengths; every other one begins as the one before it does."""
    lengths = np.random.default_rng(5).integers(1, 120, 6)
    return [
        GenerationRequest(
            id=f"r{number}",
            prompt=TOKENS[: length + 1] if number % 2 else TOKENS[number : number + length],
            sampling=SamplingParams(max_tokens=20, temperature=0.0, ignore_eos=True),
            received=0.0,
        )
        for number, length in enumerate(lengths.tolist())
    ]


def answers(executor: Executor, mode: Mode) -> tuple[Host, dict[str, list[int]]]:
    host = Host(mode, [executor, executor])
    host.run(requests())
    return host, {name: [token for token, _ in answer] for name, answer in host.answers.items()}


def test_answers_are_those_of_the_reference(model: Path) -> None:
    _, expected = answers(reference(model), Mode(sequences=1, prefix_cache=False))
    tight = Mode(blocks=12, budget=24, saturation=16)
    host, got = answers(in_its_own_memory(model), tight)
    assert host.preemptions > 0
    assert any(end.cached_tokens for end in host.ended.values())
    assert got == expected
