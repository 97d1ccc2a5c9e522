"""The executor without a model: its times and its independence of everything but the tokens."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from goodput.core.clock import ManualClock
from goodput.core.request import GenerationRequest
from goodput.core.timeline import Timeline
from goodput.engine.executor import Chunk, StepPlan
from goodput.engine.modelled import LatencyModel, ModelledExecutor, modelled_token
from goodput.engine.sequence import Sequence


def test_a_step_takes_the_sum_of_its_parts(
    request_of: Callable[..., GenerationRequest],
) -> None:
    clock = ManualClock()
    latency = LatencyModel(
        step_s=1.0, prefill_token_s=10.0, decode_sequence_s=100.0, context_token_s=1000.0
    )
    a = Sequence(request_of("a", [1] * 8), Timeline(received=0.0), 0)
    b = Sequence(request_of("b", [1] * 8), Timeline(received=0.0), 1)
    plan = StepPlan([Chunk(a, 7, 1, True), Chunk(b, 0, 3, False)])
    first, second = ModelledExecutor(latency, clock.advance, 50).execute(plan)
    assert [x.token for x in first] == [modelled_token([1] * 8, 50)] and second == []
    assert clock.now() == 1.0 + 100.0 + 7 * 1000.0 + 3 * 10.0


def test_tokens_depend_on_the_tokens_before_and_the_seed() -> None:
    tokens = list(range(40))
    assert modelled_token(tokens, 1000) == modelled_token(list(tokens), 1000)
    others = [tokens[:-1], [*tokens[:-1], 5]]
    assert modelled_token(tokens, 1000) not in [modelled_token(x, 1000) for x in others]
    assert modelled_token(tokens, 1000) != modelled_token(tokens, 1000, seed=1)


def test_the_engine_needs_no_heavy_library() -> None:
    program = (
        "import sys, goodput.engine.engine, goodput.engine.modelled, goodput.kv.leases;"
        "print({'torch', 'numpy', 'numba'} & sys.modules.keys() or 'none')"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout.strip() == "none", result
