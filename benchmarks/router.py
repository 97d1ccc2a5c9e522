"""How long a routing decision takes, and what the index remembers it in.

    python benchmarks/router.py --workers 1000 --blocks 1000000 --prompt 2048

Each worker holds its share of the blocks as texts of the prompt's length, all of which begin with
one shared prefix. Decisions are for texts that are new, half known and known to the last token,
while workers report a step each in between. One process, one thread; microseconds.
"""

from __future__ import annotations

import argparse
import random
import time
import tracemalloc
from collections.abc import Callable, Sequence
from itertools import cycle

import numpy as np

from goodput.core.config import Role
from goodput.core.request import GenerationRequest, SamplingParams
from goodput.core.router_config import RouterConfig
from goodput.core.slo import SLO
from goodput.core.speeds import Speeds
from goodput.kv.hashing import block_hashes
from goodput.router.policy import WorkerView
from goodput.router.router import Prompt, Router
from goodput.workers.messages import Report, WorkerLoad

BLOCK = 16
SHARED_TOKENS = 512


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=1000)
    parser.add_argument("--blocks", type=int, default=1_000_000)
    parser.add_argument("--prompt", type=int, default=2048)
    parser.add_argument("--decisions", type=int, default=2000)
    parser.add_argument("--conditional", action="store_true")
    options = parser.parse_args()
    rng = random.Random(0)
    router = Router(BLOCK, RouterConfig(conditional=options.conditional))
    fleet = [_view(number, options.workers, rng) for number in range(options.workers)]
    tracemalloc.start()
    texts = _fill(router, fleet, options.blocks, options.prompt, rng)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    blocks = sum(len(router.believed(view.name)) for view in fleet)
    print(f"{len(fleet)} workers, {blocks} blocks indexed, {held / blocks:.0f} bytes each")
    half = options.prompt // 2
    kinds: dict[str, Callable[[list[int]], list[int]]] = {
        "new": lambda text: _tokens(rng, options.prompt),
        "shared prefix": lambda text: (
            text[:SHARED_TOKENS] + _tokens(rng, options.prompt - SHARED_TOKENS)
        ),
        "half known": lambda text: text[:half] + _tokens(rng, options.prompt - half),
        "known": lambda text: text,
    }
    for name, make in kinds.items():
        times = _measure(router, fleet, texts, make, options.decisions)
        p50, p99 = np.percentile(times, (50, 99)) * 1e6
        print(f"{name:14} p50 {p50:6.0f} µs   p99 {p99:6.0f} µs")


def _view(number: int, workers: int, rng: random.Random) -> WorkerView:
    role: Role = "prefill" if number < workers // 2 else "decode"
    return WorkerView(
        name=f"{role}-{number}",
        role=role,
        max_sequences=64,
        chunk_tokens=64,
        load=WorkerLoad(free_blocks=900, total_blocks=2048, slack_s=0.1, pace_s=0.04),
        queued_tokens=rng.randrange(3000) if role == "prefill" else 0,
        sequences=rng.randrange(40) if role == "decode" else 0,
        speeds=Speeds(5e-4, 0.02, 20, 5e-4, True, True),
    )


def _fill(
    router: Router, fleet: Sequence[WorkerView], blocks: int, prompt: int, rng: random.Random
) -> list[list[int]]:
    """Give every worker its share of blocks; some of the texts."""
    shared = _tokens(rng, SHARED_TOKENS)
    holders = [view for view in fleet if view.role == "prefill"]
    kept: list[list[int]] = []
    per_text = (prompt - SHARED_TOKENS) // BLOCK
    per_worker = blocks // len(holders) - SHARED_TOKENS // BLOCK
    for view in holders:
        hashes: dict[bytes, None] = {}
        for number in range(per_worker // per_text + 1):
            text = shared + _tokens(rng, prompt - SHARED_TOKENS)
            hashes |= dict.fromkeys(block_hashes(text, BLOCK))
            if number == 0:
                kept.append(text)
        router.take_in(view.name, Report(view.load, stored=list(hashes), cache_number=1))
    return kept


def _measure(
    router: Router,
    fleet: Sequence[WorkerView],
    texts: Sequence[list[int]],
    make: Callable[[list[int]], list[int]],
    decisions: int,
) -> list[float]:
    by_name = {view.name: view for view in fleet}
    slo, sampling = SLO(ttft=0.4, tpot=0.05), SamplingParams(max_tokens=200)
    reporters, chosen = cycle(fleet), cycle(texts)
    times = []
    for _ in range(decisions):
        tokens = make(next(chosen))
        request = GenerationRequest(id="r", prompt=tokens, sampling=sampling, received=0.0, slo=slo)
        for _ in range(3):  # Others' loads change between decisions.
            view = next(reporters)
            router.take_in(view.name, Report(view.load, cache_number=_number(view)))
        prompt = Prompt(tokens)
        views = list(fleet)  # As the registry gives them: a new list each time.
        began = time.perf_counter()
        _, placement = router.place(request, prompt, views, 0.0)
        assert placement is not None
        router.sent(placement.prefill, prompt, 0.0)
        times.append(time.perf_counter() - began)
        by_name[placement.prefill].queued_tokens += 1
    return times


def _number(view: WorkerView) -> int:
    return 1 if view.role == "prefill" else 0


def _tokens(rng: random.Random, count: int) -> list[int]:
    return [rng.randrange(50_000) for _ in range(count)]


if __name__ == "__main__":
    main()
