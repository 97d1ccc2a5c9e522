"""Offers the same load to several servers in turn, in blocks, so that drift hits all alike."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

from goodput.bench.arrivals import ClosedLoop
from goodput.bench.compare.ratios import Block, judge_ratios
from goodput.bench.run.ledger import Ledger
from goodput.bench.run.live import LiveView
from goodput.bench.run.promise import needs_unloaded
from goodput.bench.run.runner import Step
from goodput.bench.run.session import Load, Session, Target
from goodput.bench.run.steps import SEED_STRIDE
from goodput.core.errors import UsageError
from goodput.core.record import RequestRecord


def check_comparison(load: Load, step: Step) -> None:
    """Raise UsageError that names what cannot work, before anything is sent."""
    if isinstance(load.arrivals, ClosedLoop):
        raise UsageError(
            "a comparison needs an open loop: in a closed one the servers set the rate"
        )
    if needs_unloaded(load.slo):
        raise UsageError(
            "a comparison needs an SLO in absolute times: multiples of each server's own latency "
            "would promise less where the server is slower"
        )
    load.check(step)


async def run_compare(
    targets: Mapping[str, Target],
    load: Load,
    step: Step,
    blocks: int,
    stop: asyncio.Event,
    live: LiveView,
) -> Ledger:
    """``blocks`` times offer ``step`` to every target: A B, then B A, and so on.

    All get the same seed in a block, so the same requests at the same times. Blocks that not all
    of them finished are in the ledger, but in no ratio.
    """
    origin = time.monotonic()
    finished: list[Block] = []
    async with AsyncExitStack() as stack:
        sessions = {
            name: await stack.enter_async_context(Session(target, load, stop, origin=origin))
            for name, target in targets.items()
        }
        ledger = Ledger.open("compare", sessions)
        for number in range(blocks):
            block: dict[str, Sequence[RequestRecord]] = {}
            turn = list(sessions) if number % 2 == 0 else list(reversed(sessions))
            for name in turn:
                live.say(f"block {number + 1} of {blocks}: {name}")
                outcome = await sessions[name].offer(
                    step, seed=load.seed + SEED_STRIDE * number, watch=live.watch
                )
                ledger.enter(sessions[name], outcome, name)
                if stop.is_set():
                    break
                block[name] = outcome.window.measured(outcome.records)
            if stop.is_set():
                break
            finished.append(block)
    if finished and all(any(block[name] for block in finished) for name in targets):
        ledger.summary.compare = judge_ratios(list(targets), finished, step.duration, load.seed)
    return ledger
