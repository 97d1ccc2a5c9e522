"""Drafts with a real model: tokens and logprobs bit for bit those of a run without drafts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaForCausalLM

from goodput.core.clock import MonotonicClock
from goodput.core.config import EngineConfig
from goodput.core.request import GenerationRequest, SamplingParams, TokenLogprobs
from goodput.engine.engine import Engine
from goodput.engine.model_executor import ModelExecutor, build_model_executor
from goodput.kv.block_pool import BlockPool
from goodput.kv.layout import kv_bytes_per_block
from goodput.kv.shared_pool import SharedPool
from goodput.models.checkpoint import open_checkpoint

Answers = dict[str, list[tuple[int, TokenLogprobs]]]
LIMITS = EngineConfig(kv_tokens=64 * 16, token_budget=64, max_sequences=4, row_cost=0.15)


@pytest.fixture(scope="module")
def executor(tmp_path_factory: pytest.TempPathFactory) -> ModelExecutor:
    """A small random Llama with so few tokens that its texts repeat themselves."""
    folder = tmp_path_factory.mktemp("tiny")
    torch.manual_seed(4)
    config = LlamaConfig(
        vocab_size=24,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        initializer_range=0.2,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return build(folder, tmp_path_factory.mktemp("home"))


def build(folder: Path, home: Path) -> ModelExecutor:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOODPUT_HOME", str(home))
        pool = SharedPool.create(64, kv_bytes_per_block(open_checkpoint(folder).config, 16, "cpu"))
        return build_model_executor(folder, pool, LIMITS, "cpu")


def serve(
    executor: ModelExecutor, requests: Sequence[tuple[list[int], SamplingParams]], drafts: int
) -> tuple[Answers, int]:
    """All answers, and how many drafts were accepted."""
    config = msgspec.structs.replace(LIMITS, speculative_tokens=drafts)
    engine = Engine(config, BlockPool(0, 64, 16), executor, MonotonicClock())
    for number, (prompt, sampling) in enumerate(requests):
        engine.add(
            GenerationRequest(
                id=f"r{number}", prompt=prompt, sampling=sampling, received=0.0, eos_token_ids=(3,)
            )
        )
    answers: Answers = {}
    while engine.has_work:
        for delta in engine.step().deltas:
            assert delta.logprobs is not None
            heard = zip(delta.token_ids, delta.logprobs, strict=True)
            answers.setdefault(delta.request_id, []).extend(heard)
        engine.check_invariants()
    return answers, engine.load().accepted


@settings(max_examples=30, deadline=None)
@given(
    requests=st.lists(
        st.tuples(
            st.lists(st.integers(0, 23), min_size=1, max_size=5).map(lambda part: part * 5),
            st.builds(
                SamplingParams,
                temperature=st.sampled_from([0.0, 0.3, 1.0]),
                seed=st.integers(0, 9),
                frequency_penalty=st.sampled_from([0.0, -0.3, 0.5]),
                repetition_penalty=st.sampled_from([1.0, 1.2]),
                min_tokens=st.sampled_from([0, 20]),
                max_tokens=st.integers(1, 60),
                logprobs=st.integers(0, 3),
            ),
        ),
        min_size=1,
        max_size=4,
    ),
    drafts=st.integers(1, 7),
)
def test_tokens_and_logprobs_are_those_without_drafts(
    executor: ModelExecutor, requests: list[tuple[list[int], SamplingParams]], drafts: int
) -> None:
    assert serve(executor, requests, drafts)[0] == serve(executor, requests, 0)[0]


def test_the_comparison_has_drafts_in_it(executor: ModelExecutor) -> None:
    """Greedy and at a temperature, alone and beside others."""
    # A negative penalty: what was said is said again, so the texts are easy to guess.
    common: dict[str, Any] = {
        "frequency_penalty": -0.8,
        "max_tokens": 60,
        "min_tokens": 60,
        "logprobs": 1,
    }
    every = [
        ([5, 9, 2, 14] * 6, SamplingParams(temperature=heat, seed=1, **common))
        for heat in (0.0, 0.4)
    ]
    for requests in (every[:1], every[1:], every):
        answers, accepted = serve(executor, requests, 7)
        assert accepted > 20
        assert answers == serve(executor, requests, 0)[0]
