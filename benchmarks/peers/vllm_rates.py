"""Run by vLLM's own interpreter: times its engine's steps for the engine benchmark.

    PYTHON vllm_rates.py FOLDER THREADS

FOLDER is a checkpoint in float32 (`float_folder.py`). A step is one of the whole engine: its
scheduler and its sampling are in the time, a few tenths of a millisecond. The sequences of a decode
step share the blocks of their prompt, since filling 64 caches would take minutes: a small advantage
for vLLM. The context of a decode step grows by the steps that were timed.
"""

from __future__ import annotations

import itertools
import os
import random
import sys
import time
import weakref

from step_server import serve_steps

MOST_ROWS = 2304
SEQUENCES = 64
BLOCK = 32

_numbers = itertools.count()


class Engine:
    """vLLM in this process, on the cores that it may use."""

    def __init__(self, folder: str) -> None:
        from vllm import LLM

        self._llm = LLM(
            folder,
            skip_tokenizer_init=True,
            dtype="float32",
            max_model_len=MOST_ROWS,
            max_num_batched_tokens=MOST_ROWS,
            max_num_seqs=SEQUENCES,
            block_size=BLOCK,
            disable_log_stats=True,
        )
        self._engine = self._llm.llm_engine

    def add(self, tokens: list[int], count: int) -> str:
        from vllm import SamplingParams

        name = str(next(_numbers))
        greedy = SamplingParams(temperature=0, max_tokens=count, detokenize=False, ignore_eos=True)
        self._engine.add_request(name, {"prompt_token_ids": tokens}, greedy)
        return name

    def step(self) -> float:
        start = time.perf_counter()
        self.made = self._engine.step()
        return time.perf_counter() - start

    def drain(self) -> float:
        """Seconds until nothing is left to do."""
        seconds = 0.0
        while self._engine.has_unfinished_requests():
            seconds += self.step()
        return seconds

    def stop(self, names: list[str]) -> None:
        self._engine.abort_request(names)
        self.drain()


class Prefill:
    """A prompt that nobody has seen, to its first token."""

    def __init__(self, engine: Engine, rows: int) -> None:
        self._engine, self._rows = engine, rows

    def __call__(self) -> float:
        self._engine.add(random.choices(range(10, 20_000), k=self._rows), 1)
        return self._engine.drain()


class Decode:
    """A batch that has its prompts' tokens in the cache."""

    def __init__(self, engine: Engine, sequences: int, before: int) -> None:
        prompt = random.choices(range(10, 20_000), k=before)
        engine.add(prompt, 1)
        engine.drain()
        names = [engine.add(prompt, MOST_ROWS - before) for _ in range(sequences)]
        weakref.finalize(self, engine.stop, names)
        self._engine = engine
        started: set[str] = set()
        while len(started) < sequences:
            engine.step()
            started.update(output.request_id for output in engine.made if output.outputs)

    def __call__(self) -> float:
        return self._engine.step()


def main() -> None:
    cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[: int(sys.argv[2])]))
    os.environ.update(
        VLLM_CPU_OMP_THREADS_BIND=cores,
        VLLM_CPU_KVCACHE_SPACE="1",
        VLLM_ENABLE_V1_MULTIPROCESSING="0",
        VLLM_LOGGING_LEVEL="ERROR",
        VLLM_NO_USAGE_STATS="1",
        HF_HUB_OFFLINE="1",
    )
    engine = Engine(sys.argv[1])

    def make_step(variant: str, rows: int, sequences: int, before: int) -> Prefill | Decode:
        return Decode(engine, sequences, before) if before else Prefill(engine, rows)

    import vllm

    serve_steps(vllm.__version__, ["float32"], make_step)


if __name__ == "__main__":
    main()
