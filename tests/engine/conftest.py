"""Engines over a KV pool that notices when it is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from goodput.core.clock import ManualClock
from goodput.core.config import EngineConfig, Role
from goodput.core.request import GenerationRequest, SamplingParams, TokenDelta
from goodput.engine.engine import Engine
from goodput.engine.modelled import CheckedExecutor, FakeKV, LatencyModel
from goodput.engine.report import StepResult
from goodput.kv.block_pool import BlockPool

VOCAB = 50
LATENCY = LatencyModel(step_s=0.01, prefill_token_s=0.001, decode_sequence_s=0.002)


@dataclass
class Rig:
    """The engines of one host on one clock and one KV memory, and what they answered."""

    block_size: int = 4
    clock: ManualClock = field(default_factory=ManualClock)
    kv: FakeKV = field(default_factory=dict)
    vocab: int = VOCAB
    engines: list[Engine] = field(default_factory=list)
    answers: dict[str, list[int]] = field(default_factory=dict)
    ends: dict[str, TokenDelta] = field(default_factory=dict)

    def engine(
        self,
        *,
        blocks: int = 64,
        budget: int = 16,
        saturation: int = 64,
        sequences: int = 8,
        role: Role = "mixed",
        prefix_cache: bool = True,
        context: int | None = None,
        drafts: int = 7,
        draft_rows: int = 8,
    ) -> Engine:
        """One more engine, whose blocks follow those of the engines before it."""
        first = sum(engine.pool.num_blocks for engine in self.engines)
        config = EngineConfig(
            block_size=self.block_size,
            kv_tokens=blocks * self.block_size,
            token_budget=budget,
            row_cost=0.15,  # guesses are worth much, so that there are many
            saturation_tokens=saturation,
            max_sequences=sequences,
            context_length=context,
            prefix_cache=prefix_cache,
            speculative_tokens=drafts,
            speculative_rows=draft_rows,
        )
        executor = CheckedExecutor(
            LATENCY, self.clock.advance, self.vocab, kv=self.kv, block_size=self.block_size
        )
        pool = BlockPool(first, blocks, self.block_size, prefix_cache)
        self.engines.append(Engine(config, pool, executor, self.clock, role))
        return self.engines[-1]

    def step(self, engine: Engine) -> StepResult:
        """One step, checked; its tokens are added to the answers."""
        result = engine.step()
        engine.check_invariants()
        for delta in result.deltas:
            assert delta.request_id not in self.ends, "an answer went on after its end"
            self.answers.setdefault(delta.request_id, []).extend(delta.token_ids)
            if delta.finish_reason is not None:
                self.ends[delta.request_id] = delta
        return result

    def run(self, engine: Engine, limit: int = 500) -> None:
        """Step until nothing is left to do."""
        for _ in range(limit):
            if not engine.has_work:
                return
            self.step(engine)
        raise AssertionError(f"still working after {limit} steps: {engine.load()}")


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.fixture(scope="session")
def rigs() -> Callable[[], Rig]:
    """For tests that need a fresh host for each example."""
    return Rig


@pytest.fixture(scope="session")
def request_of() -> Callable[..., GenerationRequest]:
    """``request_of(id, prompt, max_tokens=.., priority=.., eos=.., generated=..)``."""

    def make(
        name: str,
        prompt: list[int],
        *,
        eos: tuple[int, ...] = (),
        priority: int = 0,
        generated: list[int] | None = None,
        **sampling: object,
    ) -> GenerationRequest:
        return GenerationRequest(
            id=name,
            prompt=prompt,
            sampling=SamplingParams(**sampling),  # type: ignore[arg-type]
            received=0.0,
            eos_token_ids=eos,
            priority=priority,
            generated=generated or [],
        )

    return make
