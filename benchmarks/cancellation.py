"""How long after a client leaves all blocks are back, by the state that its request was in.

``python benchmarks/cancellation.py`` cancels requests at random moments of their lives, one at a
time, and asks all workers for their books until every block is free. What a worker is computing
at that moment it finishes: so the bound is one step, which for a prompt is ``token_budget`` rows.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import time
from collections import defaultdict

import numpy as np

from goodput.cli.serve import load
from goodput.control.fleet import Fleet
from goodput.core.config import DeploymentConfig, EngineConfig, ModelledConfig
from goodput.core.request import GenerationRequest, SamplingParams

_LONGEST_LIFE_S = 1.2


async def measure(fleet: Fleet, count: int, prompt: int, seed: int) -> dict[str, list[float]]:
    """Stage → seconds from the cancellation to the last block."""
    dice = random.Random(seed)
    seconds: dict[str, list[float]] = defaultdict(list)
    names = [slot.name for slot in fleet.registry]
    for number in range(count):
        tokens = [dice.randrange(100, 900) for _ in range(prompt)]
        request = GenerationRequest(
            id=f"r{number}",
            prompt=tokens,
            sampling=SamplingParams(max_tokens=400, temperature=0.0, ignore_eos=True),
            received=time.monotonic(),
        )
        client = asyncio.create_task(_read(fleet, request))
        await asyncio.sleep(dice.uniform(0.0, _LONGEST_LIFE_S))
        stages = [job.stage.value for job in fleet.coordinator._jobs]
        began = time.monotonic()
        client.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await client
        for name in names:
            while not await _is_whole(fleet, name):  # noqa: ASYNC110 - each look is a message
                await asyncio.sleep(0)
        if stages:
            seconds[stages[0]].append(time.monotonic() - began)
    return seconds


async def _is_whole(fleet: Fleet, name: str) -> bool:
    report = await fleet.inspect(name)
    return report.free_blocks == report.total_blocks


async def _read(fleet: Fleet, request: GenerationRequest) -> None:
    async with contextlib.aclosing(fleet.generate(request)) as stream:  # type: ignore[type-var]
        async for _ in stream:
            pass


async def run(config: DeploymentConfig, count: int, prompt: int) -> None:
    """Measure a deployment and print a table."""
    facts, _ = load(config)
    fleet = Fleet(config, facts)
    fleet.start()
    await fleet.wait_ready()
    try:
        seconds = await measure(fleet, count, prompt, seed=1)
    finally:
        await fleet.stop()
    print(f"{config.engine_kind}, token_budget {config.engine.token_budget}, {prompt} tokens:")
    seconds["all"] = [value for values in seconds.values() for value in values]
    for stage, values in seconds.items():
        p50, p99 = np.percentile(np.array(values) * 1e3, [50, 99])
        worst = max(values) * 1e3
        print(f"  {stage:9} {len(values):4}  p50 {p50:6.1f}  p99 {p99:6.1f}  max {worst:6.1f} ms")


def main() -> None:
    """Both engines, or one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=["model", "modelled"], default="model")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--prompt", type=int, default=1500)
    parser.add_argument("--token-budget", type=int, default=EngineConfig().token_budget)
    options = parser.parse_args()
    config = DeploymentConfig(
        engine_kind=options.engine,
        modelled=ModelledConfig(step_ms=5.0, prefill_ms_per_token=0.3),
        engine=EngineConfig(kv_tokens=4096, token_budget=options.token_budget, prefix_cache=False),
    )
    config.check()
    asyncio.run(run(config, options.count, options.prompt))


if __name__ == "__main__":
    main()
