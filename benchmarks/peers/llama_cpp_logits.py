"""Run by llama.cpp's own interpreter: answers requests of `llama_cpp_client.py` over stdin.

    PYTHON llama_cpp_logits.py SOURCE.gguf MODEL.gguf TYPE THREADS CONTEXT

Makes MODEL from SOURCE first when TYPE is not "file" and it is not there yet. Then each line on
stdin is a JSON object, and each gets one JSON line on stdout:

    {"tokens": [..], "save": "x.npy"}             logits of every position, float32 [tokens, vocab]
    {"tokens": [..], "count": n, "stop": [..]}    {"answer": [..]}: greedy, the stop token included

Needs llama-cpp-python and NumPy only.
"""

from __future__ import annotations

import ctypes
import json
import sys
from pathlib import Path

import llama_cpp
import numpy as np

TYPES = {
    "q8_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0,
    "q4_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0,
}


def quantize(source: str, target: str, kind: str) -> None:
    """Write ``source`` anew with weights of ``kind``; exits when llama.cpp refuses."""
    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype = TYPES[kind]
    parameters.allow_requantize = True
    parameters.nthread = 1
    partial = target + ".partial"
    code = llama_cpp.llama_model_quantize(
        source.encode(), partial.encode(), ctypes.byref(parameters)
    )
    if code:
        sys.exit(f"llama.cpp cannot make {kind} weights of {source}")
    Path(partial).replace(target)


def respond(llama: llama_cpp.Llama, request: dict) -> dict:
    """Do what one line asks for."""
    tokens = request["tokens"]
    llama.reset()
    llama.eval(tokens)
    if "save" in request:
        np.save(request["save"], llama.scores[: len(tokens)])
        return {}
    answer: list[int] = []
    while True:
        chosen = int(llama.scores[len(tokens) + len(answer) - 1].argmax())
        answer.append(chosen)
        if chosen in request["stop"] or len(answer) == request["count"]:
            return {"answer": answer}
        llama.eval([chosen])


def main() -> None:
    source, model, kind, threads, context = sys.argv[1:]
    if kind != "file" and not Path(model).exists():
        quantize(source, model, kind)
    llama = llama_cpp.Llama(
        model,
        n_ctx=int(context),
        n_batch=512,
        n_threads=int(threads),
        n_threads_batch=int(threads),
        logits_all=True,
        verbose=False,
    )
    print(json.dumps({"version": llama_cpp.__version__}), flush=True)
    for line in sys.stdin:
        print(json.dumps(respond(llama, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
