"""Calibration: a fresh engine's steps are timed over a grid, and lines are laid through them."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from goodput.core.config import EngineConfig
from goodput.core.request import GenerationRequest, SamplingParams
from goodput.core.timeline import Timeline
from goodput.engine.executor import Chunk, Executor, StepPlan
from goodput.engine.sequence import Sequence as Running
from goodput.plan.profile.fit import Point, fit_line, judged_line, split_batch
from goodput.plan.profile.grid import Shape
from goodput.plan.profile.schema import Line, RegionError, StepLoad, WorkerProfile

Progress = Callable[[float], None]

_FEWEST_SAMPLES: Final = 3
# A step that lasts less is repeated within one sample: the clock and the scheduler are coarse.
_SAMPLE_S: Final = 0.03


@dataclass(frozen=True, slots=True)
class Calibration:
    """What came out: the worker's lines, and their errors on held-out steps."""

    worker: WorkerProfile
    errors: tuple[RegionError, ...]


def calibrate(
    executor: Executor,
    engine: EngineConfig,
    shapes: Sequence[Shape],
    *,
    seconds: float,
    progress: Progress | None = None,
) -> Calibration:
    """Time every shape in turn, round after round, for about ``seconds``; at least three rounds.

    Rounds, so that a slow moment of the machine hits all shapes; the median of a shape's samples
    counts. The executor's KV memory is overwritten.
    """
    plans = {shape: _plan(shape, engine.block_size) for shape in shapes}
    samples: dict[Shape, list[float]] = {shape: [] for shape in shapes}
    began = time.monotonic()
    rounds = 0
    order = list(shapes)
    dice = random.Random(0)
    while rounds < _FEWEST_SAMPLES or time.monotonic() - began < seconds:
        dice.shuffle(order)
        for number, shape in enumerate(order):
            samples[shape].append(_sample(executor, plans[shape]))
            if progress is not None:
                by_time = (time.monotonic() - began) / seconds
                by_rounds = (rounds + number / len(order)) / _FEWEST_SAMPLES
                progress(min(1.0, by_time, by_rounds))
        rounds += 1
    points: dict[str, list[Point]] = {"prefill": [], "decode": [], "mixed": []}
    for shape in shapes:
        point = Point(_load(shape), statistics.median(samples[shape]))
        points[shape.region].append(point)
    return _fitted(points, samples, engine)


def _fitted(
    points: dict[str, list[Point]], samples: dict[Shape, list[float]], engine: EngineConfig
) -> Calibration:
    prefill, prefill_error = judged_line("prefill", points["prefill"])
    mixed, mixed_error = judged_line("mixed", points["mixed"])
    batch = split_batch(points["decode"])
    large: Line | None = None
    few = points["decode"]
    if batch is not None:
        large = fit_line([point for point in few if point.load.decode_rows >= batch])
        few = [point for point in few if point.load.decode_rows < batch]
    decode, decode_error = judged_line("decode", few)
    spread = [
        statistics.median(abs(value / middle - 1) for value in values)
        for values in samples.values()
        if (middle := statistics.median(values))
    ]
    worker = WorkerProfile(
        tensor=engine.threads,
        prefill=prefill,
        decode=decode,
        mixed=mixed,
        large_decode=large,
        large_batch=batch,
        kv_tokens=engine.kv_tokens,
        # Of a normal distribution the median distance from the middle is 0.67 deviations.
        noise=round(statistics.median(spread) / 0.6745, 4),
    )
    return Calibration(worker, (prefill_error, decode_error, mixed_error))


def _sample(executor: Executor, plan: StepPlan) -> float:
    """Seconds of one step: the mean of as many as last long enough."""
    count, began = 0, time.perf_counter()
    while True:
        executor.execute(plan)
        count += 1
        elapsed = time.perf_counter() - began
        if elapsed >= _SAMPLE_S:
            return elapsed / count


def _load(shape: Shape) -> StepLoad:
    return StepLoad(
        prefill_tokens=shape.prompt,
        prefill_pairs=shape.prompt * (shape.cached + shape.prompt / 2),
        decode_rows=shape.batch,
        context_tokens=shape.batch * shape.context,
    )


def _plan(shape: Shape, block: int) -> StepPlan:
    """The step over blocks of its own for each sequence."""
    chunks: list[Chunk] = []
    taken = 0

    def sequence(tokens: int, computed: int) -> Running:
        nonlocal taken
        request = GenerationRequest(
            id=str(taken),
            prompt=[100 + number % 1000 for number in range(tokens)],
            sampling=SamplingParams(temperature=0.0, max_tokens=1),
            received=0.0,
        )
        running = Running(request, Timeline(received=0.0), taken)
        count = -(-tokens // block)
        running.blocks = list(range(taken, taken + count))
        running.num_computed = computed
        taken += count
        return running

    context = shape.context
    chunks += [Chunk(sequence(context + 1, context), context, 1, True) for _ in range(shape.batch)]
    if shape.prompt:
        prompt = sequence(shape.cached + shape.prompt, shape.cached)
        chunks.append(Chunk(prompt, shape.cached, shape.prompt, True))
    return StepPlan(chunks)
