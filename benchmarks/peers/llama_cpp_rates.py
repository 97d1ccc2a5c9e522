"""Run by llama.cpp's own interpreter: times its steps on request of `engine_llama_cpp.py`.

    PYTHON llama_cpp_rates.py SOURCE.gguf FOLDER THREADS

Weights of kind "q8_0" and "q4_0" are made from SOURCE in FOLDER unless they are there; "file" is
SOURCE itself. Each line on stdin is a JSON object, and each gets one JSON line on stdout:

    {"kind": "q4_0", "flash": true, "rows": 512, "sequences": 1, "context": 0}    {"seconds": 1.2}

One step feeds ``rows`` tokens to each of ``sequences``, after ``context`` tokens that are already
in the cache, and computes the logits of each sequence's last token. The answer is the mean of as
many steps as last 0.2 s. A sequence has its own part of the cache, as where nothing is shared.
"""

from __future__ import annotations

import functools
import json
import sys
import time
from pathlib import Path

import llama_cpp
from llama_cpp_logits import quantize

LEAST_SECONDS = 0.2
MOST_ROWS = 512


@functools.cache
def load(kind: str):
    """The model with weights of ``kind``; made first where it has to be."""
    source, folder = Path(sys.argv[1]), Path(sys.argv[2])
    path = source if kind == "file" else folder / f"{source.stem}.{kind}.gguf"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        quantize(str(source), str(path), kind)
    model = llama_cpp.llama_model_load_from_file(
        str(path).encode(), llama_cpp.llama_model_default_params()
    )
    return model or sys.exit(f"llama.cpp cannot load {path}")


class Step:
    """One kind of step in a context of its own, whose cache holds what came before."""

    def __init__(self, kind: str, flash: bool, rows: int, sequences: int, context: int) -> None:
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = sequences * 512
        parameters.n_batch = parameters.n_ubatch = MOST_ROWS
        parameters.n_seq_max = sequences
        parameters.n_threads = parameters.n_threads_batch = int(sys.argv[3])
        parameters.flash_attn_type = int(flash)  # LLAMA_FLASH_ATTN_TYPE_ENABLED or _DISABLED
        parameters.kv_unified = False  # what llama.cpp advises where prefixes are not shared
        parameters.no_perf = True
        self._context = llama_cpp.llama_init_from_model(load(kind), parameters)
        if not self._context:
            sys.exit(f"llama.cpp cannot make a context of {sequences} sequences")
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(MOST_ROWS, 0, 1)
        self._rows, self._sequences, self._before = rows, sequences, context
        if context:
            self._feed(context, 1, 0)
            for sequence in range(1, sequences):
                llama_cpp.llama_memory_seq_cp(self._memory, 0, sequence, -1, -1)
        self.run()  # copies what was just asked to be copied, and warms up

    def run(self) -> float:
        """Seconds of one step, after which the cache is as before."""
        seconds = self._feed(self._rows, self._sequences, self._before)
        for sequence in range(self._sequences):
            llama_cpp.llama_memory_seq_rm(self._memory, sequence, self._before, -1)
        return seconds

    def _feed(self, rows: int, sequences: int, first: int) -> float:
        """Tokens at positions ``first ..`` of each sequence; the seconds without filling in."""
        batch = self._batch
        batch.n_tokens = rows * sequences
        for sequence in range(sequences):
            for row in range(rows):
                at = sequence * rows + row
                batch.token[at] = 100 + 37 * at % 20_000
                batch.pos[at] = first + row
                batch.n_seq_id[at] = 1
                batch.seq_id[at][0] = sequence
                batch.logits[at] = row == rows - 1
        start = time.perf_counter()
        code = llama_cpp.llama_decode(self._context, batch)
        llama_cpp.llama_synchronize(self._context)
        seconds = time.perf_counter() - start
        if code:
            sys.exit(f"llama_decode answered {code}")
        return seconds


@functools.cache
def make_step(**request) -> Step:
    return Step(**request)


def main() -> None:
    llama_cpp.llama_backend_init()
    print(json.dumps({"version": llama_cpp.__version__}), flush=True)
    for line in sys.stdin:
        step = make_step(**json.loads(line))
        seconds = [step.run()]
        while sum(seconds) < LEAST_SECONDS:
            seconds.append(step.run())
        print(json.dumps({"seconds": sum(seconds) / len(seconds)}), flush=True)


if __name__ == "__main__":
    main()
