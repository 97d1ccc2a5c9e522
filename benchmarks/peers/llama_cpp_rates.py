"""Run by llama.cpp's own interpreter: times its steps for the engine benchmark.

    PYTHON llama_cpp_rates.py SOURCE.gguf FOLDER THREADS

A variant is a kind of weights with flash attention on or off. Weights other than those stored in
SOURCE are made in FOLDER unless they are there. A sequence has its own part of the cache, as where
nothing is shared.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import struct
import sys
import time
import weakref
from pathlib import Path

import llama_cpp
from llama_cpp_logits import quantize
from step_server import serve_steps

KINDS = {"as stored": "file", "Q4_0": "q4_0", "Q8_0": "q8_0"}
ATTENTIONS = {"flash": 1, "plain": 0}  # LLAMA_FLASH_ATTN_TYPE_ENABLED and _DISABLED
MOST_ROWS = 2048
ROUND = 256
"""llama.cpp's contexts are multiples of this."""


@functools.cache
def load(kind: str):
    """The model with weights of ``kind``; made first where it has to be."""
    source, folder = Path(sys.argv[1]), Path(sys.argv[2])
    path = source if kind == "as stored" else folder / f"{source.stem}.{KINDS[kind]}.gguf"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        quantize(str(source), str(path), KINDS[kind])
    model = llama_cpp.llama_model_load_from_file(
        str(path).encode(), llama_cpp.llama_model_default_params()
    )
    return model or sys.exit(f"llama.cpp cannot load {path}")


class Step:
    """One kind of step in a context of its own, whose cache holds what came before."""

    states: dict[tuple[str, int], bytes] = {}  # noqa: RUF012 - shared by all on purpose
    """The cache of one sequence, by variant and length: it takes longer to compute than a step."""

    def __init__(self, variant: str, rows: int, sequences: int, before: int) -> None:
        kind, attention = variant.split(", ")
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = sequences * -(-(before + rows) // ROUND) * ROUND
        parameters.n_batch = MOST_ROWS
        parameters.n_seq_max = sequences
        parameters.n_threads = parameters.n_threads_batch = int(sys.argv[3])
        parameters.flash_attn_type = ATTENTIONS[attention]
        parameters.kv_unified = False  # what llama.cpp advises where prefixes are not shared
        parameters.no_perf = True
        self._context = llama_cpp.llama_init_from_model(load(kind), parameters)
        if not self._context:
            sys.exit(f"llama.cpp cannot make a context of {sequences} sequences")
        weakref.finalize(self, llama_cpp.llama_free, self._context)
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(MOST_ROWS, 0, 1)
        weakref.finalize(self, llama_cpp.llama_batch_free, self._batch)
        self._rows, self._sequences, self._before = rows, sequences, before
        if before:
            self._restore(variant)
            for sequence in range(1, sequences):
                llama_cpp.llama_memory_seq_cp(self._memory, 0, sequence, -1, -1)

    def __call__(self) -> float:
        """Seconds of one step, after which the cache is as before."""
        seconds = self._feed(self._rows, self._sequences, self._before)
        for sequence in range(self._sequences):
            llama_cpp.llama_memory_seq_rm(self._memory, sequence, self._before, -1)
        return seconds

    def _restore(self, variant: str) -> None:
        """Fill the first sequence's cache, by computing it only the first time.

        A state begins with a mark, a sequence and the number of sequences; those without cells are
        a zero at its end. With the number and the zeros exchanged it fits a context of any number,
        which llama.cpp itself would refuse. It checks the rest.
        """
        context, key = self._context, (variant, self._before)
        count, zeros = struct.pack("I", self._sequences), bytes(4 * (self._sequences - 1))
        if key not in self.states:
            self._feed(self._before, 1, 0)
            size = llama_cpp.llama_state_seq_get_size(context, 0)
            whole = (ctypes.c_uint8 * size)()
            llama_cpp.llama_state_seq_get_data(context, whole, size, 0)
            if bytes(whole[8:12]) != count:
                sys.exit("this llama.cpp writes the state of a sequence in another form")
            self.states[key] = bytes(whole)[: size - len(zeros)]
            return
        known = self.states[key]
        state = known[:8] + count + known[12:] + zeros
        buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        if llama_cpp.llama_state_seq_set_data(context, buffer, len(state), 0) != len(state):
            sys.exit("llama.cpp does not take its own cache back")

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


def main() -> None:
    llama_cpp.llama_backend_init()
    variants = [", ".join(pair) for pair in itertools.product(KINDS, ATTENTIONS)]
    load("as stored")
    serve_steps(llama_cpp.__version__, variants, Step)


if __name__ == "__main__":
    main()
