"""What guessing tokens from the text itself brings: tokens per second with and without, in turn.

    python benchmarks/speculation.py [--model smollm2:135m] [--repeats 5] [--json FILE]

One engine over the real model, greedy, one thread. Quoting tasks (a summary, edits of code and of
text), a task with nothing to quote, and the same tasks in batches. Every repeat runs each case with
both settings; both must give the same tokens. Shown are the medians over the repeats of decoded
tokens per second of the process's CPU time, which other programs on the machine move less than the
time of day (the prompts' own steps not counted), and of the ratio.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import track
from rich.table import Table

from goodput.core.clock import MonotonicClock
from goodput.core.config import EngineConfig
from goodput.core.files import write_atomically
from goodput.core.request import GenerationRequest, SamplingParams
from goodput.core.timeline import Timeline
from goodput.engine.engine import Engine
from goodput.engine.executor import Chunk, StepPlan
from goodput.engine.model_executor import ModelExecutor, build_model_executor
from goodput.engine.sequence import Sequence
from goodput.kv.block_pool import BlockPool
from goodput.kv.layout import kv_bytes_per_block
from goodput.kv.shared_pool import SharedPool
from goodput.models.catalog import resolve
from goodput.models.load import load_text_side

CODE = '''def average(values):
    """The mean of a list of numbers."""
    total = 0
    for value in values:
        total = total + value
    return total / len(values)


def median(values):
    """The middle of a list of numbers."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2 == 1:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2
'''
TEXT = (
    "The old lighthouse on the northern cape was built in 1871 by a company of stonemasons from "
    "the mainland. It is 34 metres high and its lamp could be seen from a distance of 22 nautical "
    "miles. For almost a century a keeper and his family lived in the small house beside the "
    "tower. They kept a garden, two goats and a boat. In 1968 the lamp was made electric and the "
    "last keeper, a man called Aksel Brandt, moved to the village. Today the lighthouse is a "
    "museum, and every summer about twelve thousand people climb its 199 steps."
)
TASKS = {
    "code edit": f"Repeat this code with a comment before each return:\n```python\n{CODE}```",
    "text edit": f"Correct the spelling of this text and write all of it again:\n\n{TEXT}",
    "summary": f"Summarize this text in a few sentences, quoting the important ones:\n\n{TEXT}",
    "no source": "Write a story about a fox who learns to swim.",
}


@dataclass(frozen=True)
class Case:
    """Some prompts, sent at once."""

    name: str
    prompts: list[list[int]]


@dataclass
class Result:
    """Of one case: tokens per second, one number per repeat, and what share of drafts was right."""

    case: str
    plain: list[float] = field(default_factory=list)
    drafted: list[float] = field(default_factory=list)
    acceptance: float = 0.0
    tokens_per_step: float = 0.0

    @property
    def ratio(self) -> float:
        pairs = zip(self.drafted, self.plain, strict=True)
        return statistics.median(ours / theirs for ours, theirs in pairs)


@dataclass(frozen=True)
class Run:
    """One pass over a case."""

    answers: dict[str, list[int]]
    seconds: float
    steps: int
    tokens: int
    acceptance: float


def run(case: Case, executor: ModelExecutor, config: EngineConfig, eos: tuple[int, ...]) -> Run:
    """Serve the case with a fresh engine. Counts from when the last prompt has its first token."""
    pool = BlockPool(0, config.kv_tokens // config.block_size, config.block_size, False)
    engine = Engine(config, pool, executor, MonotonicClock())
    for number, prompt in enumerate(case.prompts):
        sampling = SamplingParams(temperature=0, max_tokens=160)
        engine.add(
            GenerationRequest(
                id=f"{number}", prompt=prompt, sampling=sampling, received=0.0, eos_token_ids=eos
            )
        )
    answers: dict[str, list[int]] = {}
    steps = tokens = 0
    began = 0.0
    while engine.has_work:
        load = engine.load()
        if not steps and not load.waiting and load.running and not load.waiting_prefill_tokens:
            began = time.process_time()
        result = engine.step()
        steps += bool(began)
        for delta in result.deltas:
            answers.setdefault(delta.request_id, []).extend(delta.token_ids)
            tokens += len(delta.token_ids) if began else 0
    seconds = time.process_time() - began
    load = engine.load()
    return Run(answers, seconds, steps, tokens, load.accepted / max(load.drafted, 1))


def row_cost(executor: ModelExecutor, rows: int = 8, repeats: int = 30) -> float:
    """Time of each further row of a step, over that of a step with one row, context 256."""
    request = GenerationRequest(
        id="r", prompt=list(range(256)), sampling=SamplingParams(temperature=0), received=0.0
    )
    sequence = Sequence(request, Timeline(received=0.0), 0)
    sequence.blocks = list(range(17))
    times: dict[int, list[float]] = {1: [], rows: []}
    for _ in range(repeats):
        for count, seconds in times.items():
            plan = StepPlan([Chunk(sequence, 255, 1, True, drafts=(0,) * (count - 1))])
            began = time.process_time()
            executor.execute(plan)
            seconds.append(time.process_time() - began)
    one, many = (statistics.median(seconds) for seconds in times.values())
    return (many / one - 1) / (rows - 1)


def measure(
    case: Case, executor: ModelExecutor, config: EngineConfig, eos: tuple[int, ...], repeats: int
) -> Result:
    result = Result(case.name)
    plain = msgspec.structs.replace(config, speculative_tokens=0)
    for _ in range(repeats):
        before = run(case, executor, plain, eos)
        after = run(case, executor, config, eos)
        if before.answers != after.answers:
            raise SystemExit(f"{case.name}: the answers differ")
        result.plain.append(before.tokens / before.seconds)
        result.drafted.append(after.tokens / after.seconds)
        result.acceptance = after.acceptance
        result.tokens_per_step = after.tokens / after.steps / len(case.prompts)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="smollm2:135m")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--drafts", type=int, default=EngineConfig().speculative_tokens)
    parser.add_argument("--rows", type=int, default=EngineConfig().speculative_rows)
    parser.add_argument("--only", default="", help="a part of the names of the cases to run")
    parser.add_argument("--json", type=Path, help="also write the results here")
    arguments = parser.parse_args()
    config = EngineConfig(
        kv_tokens=16_384,
        speculative_tokens=arguments.drafts,
        speculative_rows=arguments.rows,
    )
    model = resolve(arguments.model, pull=True)
    side = load_text_side(model)
    blocks = config.kv_tokens // config.block_size
    shared = SharedPool.create(blocks, kv_bytes_per_block(side.config, config.block_size, "cpu"))
    executor = build_model_executor(model, shared, config, "cpu")
    prompts = {
        name: side.encode_chat([{"role": "user", "content": text}]) for name, text in TASKS.items()
    }
    cases = [Case(name, [prompt]) for name, prompt in prompts.items()]
    every = list(prompts.values())
    cases += [Case(f"all, batch {size}", every * (size // len(every))) for size in (4, 16)]
    cases = [case for case in cases if arguments.only in case.name]
    eos = side.config.eos_token_ids
    results = [
        measure(case, executor, config, eos, arguments.repeats)
        for case in track(cases, "measuring")
    ]
    table = Table(title=f"{arguments.model}, one thread, decoded tokens per CPU second")
    for heading in ("case", "plain", "with drafts", "ratio", "accepted", "tokens per step"):
        table.add_column(heading, justify="left" if heading == "case" else "right")
    for result in results:
        table.add_row(
            result.case,
            f"{statistics.median(result.plain):.0f}",
            f"{statistics.median(result.drafted):.0f}",
            f"{result.ratio:.2f}x",
            f"{result.acceptance:.0%}",
            f"{result.tokens_per_step:.2f}",
        )
    Console().print(table)
    Console().print(f"A further row costs {row_cost(executor):.3f} of a step with one row.")
    if arguments.json:
        rows = [{**asdict(result), "ratio": result.ratio} for result in results]
        write_atomically(arguments.json, json.dumps(rows, indent=2).encode())


if __name__ == "__main__":
    main()
