"""Time to first token of conversations that return, with memory tiers and without.

    python benchmarks/tiers.py --sessions 12 --turns 3 --kv-tokens 4096

Each session opens with a long text of its own. Sessions take turns, so that between two turns of
one the KV pool has given its blocks to others. A server without tiers computes the history anew at
every turn; the others read it back, from RAM, from disk, and after a restart. One mixed worker with
one thread each, asked one request at a time, one server after the other in every round.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from goodput.cli.serve import load
from goodput.control.fleet import Fleet
from goodput.core.config import DeploymentConfig, EngineConfig, WorkerCounts
from goodput.core.files import write_atomically
from goodput.core.request import GenerationRequest, SamplingParams
from goodput.core.tiers_config import TiersConfig

ANSWER = 16
QUESTION = 24


def deployment(model: str, kv_tokens: int, tiers: TiersConfig) -> DeploymentConfig:
    """One mixed worker with a small pool."""
    config = DeploymentConfig(
        model=model,
        workers=WorkerCounts(prefill=0, decode=0, mixed=1),
        engine=EngineConfig(kv_tokens=kv_tokens),
        tiers=tiers,
    )
    config.check()
    return config


async def converse(
    fleet: Fleet, histories: list[list[int]], turns: int, dice: random.Random, restart: bool
) -> list[tuple[int, float, int]]:
    """(tokens, seconds to the first token, tokens not computed) of every returning turn."""
    seen = []
    for turn in range(turns):
        for number, history in enumerate(histories):
            history += [dice.randrange(100, 40_000) for _ in range(QUESTION)]
            first, cached, answer = await _ask(fleet, f"{turn}-{number}", history)
            if turn or restart:
                seen.append((len(history), first, cached))
            history += answer
    return seen


async def _ask(fleet: Fleet, name: str, prompt: Sequence[int]) -> tuple[float, int, list[int]]:
    request = GenerationRequest(
        id=name,
        prompt=list(prompt),
        sampling=SamplingParams(max_tokens=ANSWER, temperature=0.0, ignore_eos=True),
        received=time.monotonic(),
    )
    first, cached, answer = 0.0, 0, []
    async for delta in fleet.generate(request):
        if delta.token_ids and not answer:
            first = time.monotonic() - request.received
        answer += delta.token_ids
        if delta.finish_reason is not None:
            cached = delta.cached_tokens or 0
    return first, cached, answer


async def measure(options: argparse.Namespace) -> dict[str, list[tuple[int, float, int]]]:
    """Variant → its returning turns."""
    disk = TiersConfig(disk_mb=8192, folder=tempfile.mkdtemp(prefix="goodput-kv-"))
    variants = {
        "no tiers": TiersConfig(),
        "RAM": TiersConfig(ram_mb=4096),
        "disk": disk,
        "disk, after a restart": disk,
    }
    results: dict[str, list[tuple[int, float, int]]] = {name: [] for name in variants}
    for turn in range(options.rounds):
        for name, tiers in variants.items():
            dice = random.Random(turn)
            histories = [
                [dice.randrange(100, 40_000) for _ in range(options.history)]
                for _ in range(options.sessions)
            ]
            config = deployment(options.model, options.kv_tokens, tiers)
            facts, _ = load(config)
            fleet = Fleet(config, facts)
            fleet.start()
            await fleet.wait_ready()
            restart = name.endswith("restart")
            turns = 1 if restart else options.turns
            results[name] += await converse(fleet, histories, turns, dice, restart)
            await fleet.stop()
    return results


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="smollm2:135m")
    parser.add_argument("--sessions", type=int, default=8)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--history", type=int, default=1000, help="tokens of a first text")
    parser.add_argument("--kv-tokens", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = asyncio.run(measure(options))
    base = np.median([first for _, first, _ in results["no tiers"]])
    print("| returning turns | TTFT p50, ms | p90, ms | against none | tokens not computed |")
    print("| --- | --- | --- | --- | --- |")
    for name, turns in results.items():
        tokens, firsts, cached = (np.array(column) for column in zip(*turns, strict=True))
        p50, p90 = np.percentile(firsts, (50, 90)) * 1e3
        print(
            f"| {name} | {p50:.0f} | {p90:.0f} | {base * 1e3 / p50:.1f}x "
            f"| {cached.sum() / tokens.sum():.0%} |"
        )
    if options.json is not None:
        write_atomically(options.json, json.dumps(msgspec.to_builtins(results)).encode())


if __name__ == "__main__":
    main()
