"""llama.cpp's own HTTP server, from the wheel that holds it (xllamacpp), until it is killed.

    PYTHON llama_cpp_server.py MODEL.gguf PORT THREADS SLOTS CONTEXT

Run by ``benchmarks/serving.py`` with an interpreter that has xllamacpp; imports nothing of ours.
"""

from __future__ import annotations

import signal
import sys

import xllamacpp


def main() -> None:
    model, port, threads, slots, context = sys.argv[1], *map(int, sys.argv[2:6])
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_parallel = slots
    params.n_ctx = slots * context
    params.cont_batching = True
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
