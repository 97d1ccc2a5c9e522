"""What a hand-off takes: timed between two real worker processes that compute nothing."""

from __future__ import annotations

import time
from typing import Final

import numpy as np

from goodput.control.fleet import Fleet, ModelFacts
from goodput.core.config import DeploymentConfig, EngineConfig, ModelledConfig
from goodput.core.request import GenerationRequest, SamplingParams
from goodput.plan.profile.schema import Link
from goodput.workers.kv_marks import BYTES_PER_TOKEN

_LENGTHS: Final = (64, 512, 2048)
_REPEATS: Final = 10
# Faster than any memory: blocks that are mapped by both sides are not copied.
_NO_COPY_BYTES_PER_S: Final = 1e12


async def measure_handoff(kv_bytes_per_token: int) -> Link:
    """The line through the hand-offs of prompts of several lengths, on this host.

    About three seconds. The two workers share their memory, so bytes cost next to nothing here.
    """
    block = EngineConfig().block_size
    config = DeploymentConfig(
        engine_kind="modelled",
        modelled=ModelledConfig(step_ms=0.0, prefill_ms_per_token=0.0, decode_ms_per_sequence=0.0),
    )
    facts = ModelFacts(
        path=None,
        vocab_size=50_000,
        context_length=2 * max(_LENGTHS),
        bytes_per_block=block * BYTES_PER_TOKEN,
    )
    fleet = Fleet(config, facts)
    fleet.start()
    try:
        await fleet.wait_ready()
        seconds = [
            [await _handoff_s(fleet, length, number) for number in range(_REPEATS)]
            for length in _LENGTHS
        ]
    finally:
        await fleet.stop()
    medians = np.median(seconds, axis=1)
    slope, base = np.polyfit(np.array(_LENGTHS) * kv_bytes_per_token, medians, 1)
    if slope <= 1 / _NO_COPY_BYTES_PER_S or base <= 0:
        return Link(base_s=float(np.median(medians)), bytes_per_s=_NO_COPY_BYTES_PER_S)
    return Link(base_s=float(base), bytes_per_s=float(1 / slope))


async def _handoff_s(fleet: Fleet, length: int, number: int) -> float:
    """One request's time between the two workers; the rest of it does not count."""
    request = GenerationRequest(
        id=f"handoff-{length}-{number}",
        prompt=[(length + number * 7 + place) % 40_000 for place in range(length)],
        sampling=SamplingParams(max_tokens=3, temperature=0.0, ignore_eos=True),
        received=time.monotonic(),
    )
    async for delta in fleet.generate(request):
        if delta.timeline is not None:
            delta.timeline.finished = time.monotonic()
            return delta.timeline.spans().handoff
    raise AssertionError("an answer ended without its timeline")
