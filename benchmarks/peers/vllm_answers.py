"""Run by vLLM's own interpreter: greedy answers in bfloat16, for the fidelity benchmark.

    PYTHON vllm_answers.py FOLDER THREADS

FOLDER is a checkpoint in float32 (`float_folder.py`). Each line on stdin is a JSON object
{"tokens": [..], "count": n, "stop": [..]} and gets {"answer": [..]}, the stop token included.
"""

from __future__ import annotations

import json
import os
import sys


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
    import vllm

    llm = vllm.LLM(
        sys.argv[1],
        skip_tokenizer_init=True,
        dtype="bfloat16",
        max_model_len=1024,
        max_num_seqs=1,
        enable_prefix_caching=False,
        disable_log_stats=True,
    )
    print(json.dumps({"version": vllm.__version__}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        greedy = vllm.SamplingParams(
            temperature=0,
            max_tokens=asked["count"],
            stop_token_ids=asked["stop"],
            detokenize=False,
        )
        prompt = {"prompt_token_ids": asked["tokens"]}
        (output,) = llm.generate([prompt], greedy, use_tqdm=False)
        print(json.dumps({"answer": list(output.outputs[0].token_ids)}), flush=True)


if __name__ == "__main__":
    main()
