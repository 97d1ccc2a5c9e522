"""An engine with less memory than its texts need reads back what it computed before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodput.core.clock import ManualClock
from goodput.core.config import EngineConfig
from goodput.core.request import GenerationRequest, SamplingParams
from goodput.core.tiers_config import TiersConfig
from goodput.engine.engine import Engine
from goodput.engine.modelled import CheckedExecutor, LatencyModel, modelled_token
from goodput.kv.block_pool import BlockPool
from goodput.kv.shared_pool import SharedPool
from goodput.kv.tiers.tiers import Tiers
from goodput.workers.kv_marks import BYTES_PER_TOKEN, KvMarks

BLOCK, BLOCKS, VOCAB = 4, 12, 50
LATENCY = LatencyModel(step_s=0.01, prefill_token_s=0.05)

MakeEngine = Callable[..., Engine]


class Small:
    """An engine over 48 tokens of real memory, every read of which is checked."""

    def __init__(self, pool: SharedPool, folder: Path, config: TiersConfig) -> None:
        self.tiers = Tiers(config, pool, folder)
        clock = ManualClock()
        marks = KvMarks(pool, BLOCK)
        executor = CheckedExecutor(LATENCY, clock.advance, VOCAB, kv=marks, block_size=BLOCK)
        limits = EngineConfig(
            block_size=BLOCK, kv_tokens=BLOCK * BLOCKS, token_budget=64, max_sequences=4
        )
        blocks = BlockPool(0, BLOCKS, BLOCK)
        self.engine = Engine(limits, blocks, executor, clock, tiers=self.tiers)
        self._number = 0

    def ask(self, prompt: list[int], tokens: int = 3) -> tuple[list[int], int]:
        """The answer, and how many tokens of the prompt were not computed."""
        self._number += 1
        request = GenerationRequest(
            id=str(self._number),
            prompt=prompt,
            sampling=SamplingParams(max_tokens=tokens, temperature=0.0),
            received=0.0,
        )
        self.engine.add(request)
        answer: list[int] = []
        for _ in range(100):
            result = self.engine.step()
            self.engine.check_invariants()
            for delta in result.deltas:
                answer += delta.token_ids
                if delta.finish_reason is not None:
                    return answer, delta.cached_tokens
        raise AssertionError("the request never ended")


@pytest.fixture
def pool() -> Iterator[SharedPool]:
    pool = SharedPool.create(BLOCKS, BLOCK * BYTES_PER_TOKEN)
    yield pool
    pool.close()


def text(number: int, length: int = 21) -> list[int]:
    return [(number * 17 + place * 3) % VOCAB for place in range(length)]


def answered(prompt: list[int], tokens: int = 3) -> list[int]:
    known = list(prompt)
    for _ in range(tokens):
        known.append(modelled_token(known, VOCAB))
    return known[len(prompt) :]


@pytest.mark.parametrize(
    "config", [TiersConfig(ram_mb=1), TiersConfig(disk_mb=1), TiersConfig(ram_mb=1, disk_mb=1)]
)
def test_an_evicted_text_is_read_back_and_answered_the_same(
    pool: SharedPool, tmp_path: Path, config: TiersConfig
) -> None:
    small = Small(pool, tmp_path, config)
    for number in range(6):
        assert small.ask(text(number)) == (answered(text(number)), 0)
    # Five of its six blocks are whole and known; the last token is computed in any case.
    assert small.ask(text(0)) == (answered(text(0)), 20)


def test_without_tiers_it_is_computed_again(pool: SharedPool, tmp_path: Path) -> None:
    small = Small(pool, tmp_path, TiersConfig())
    for number in range(6):
        small.ask(text(number))
    assert small.ask(text(0)) == (answered(text(0)), 0)


def test_a_text_survives_the_engine(pool: SharedPool, tmp_path: Path) -> None:
    first = Small(pool, tmp_path, TiersConfig(disk_mb=1))
    first.ask(text(0))
    first.engine.settle(60.0)
    pool.buffer[:] = bytes(len(pool.buffer))
    assert Small(pool, tmp_path, TiersConfig(disk_mb=1)).ask(text(0)) == (answered(text(0)), 20)


@settings(max_examples=25, deadline=None)
@given(
    order=st.lists(st.tuples(st.integers(0, 4), st.integers(1, 30)), min_size=1, max_size=25),
    ram=st.booleans(),
)
def test_whatever_the_order_answers_are_those_without_tiers(
    tmp_path_factory: pytest.TempPathFactory, order: list[tuple[int, int]], ram: bool
) -> None:
    pool = SharedPool.create(BLOCKS, BLOCK * BYTES_PER_TOKEN)
    folder = tmp_path_factory.mktemp("kv")
    small = Small(pool, folder, TiersConfig(ram_mb=int(ram), disk_mb=1))
    for number, length in order:
        prompt = text(number, length)
        answer, cached = small.ask(prompt)
        assert answer == answered(prompt)
        assert cached < length
