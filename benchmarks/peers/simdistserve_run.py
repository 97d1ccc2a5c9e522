"""Run DistServe's simulator (simdistserve) on a workload and print its seconds and attainment.

    python simdistserve_run.py FOLDER WORKLOAD.json TTFT-MS TPOT-MS

FOLDER holds the package ``simdistserve`` of github.com/LLMServe/DistServe; its own requirements
(simpy, numpy, pandas) must be installed in this Python. One prefill and one decode instance of
OPT-13B without parallelism. Only the event loop is timed, not the reading nor the statistics.
"""

from __future__ import annotations

import sys
import time
from typing import Any


def main() -> None:
    """Run, and print two numbers."""
    folder, workload, ttft_ms, tpot_ms = sys.argv[1:5]
    sys.path.insert(0, folder)
    import simpy
    from simdistserve.benchmarks.simulate_dist import parse_args, run_experiment

    spent: list[float] = []
    run = simpy.Environment.run

    def timed(environment: Any, *args: Any) -> Any:
        began = time.perf_counter()
        try:
            return run(environment, *args)
        finally:
            spent.append(time.perf_counter() - began)

    simpy.Environment.run = timed
    arguments = [
        *("--backend", "distserve", "--model", "facebook/opt-13b", "--workload", workload),
        *("--arrival", "custom", "--rate", "1", "--N", str(_count(workload))),
        *("--prefill-target", ttft_ms, "--decode-target", tpot_ms),
        *("--slo-scales", "[1.0]", "--slas", "[]"),
    ]
    *_, table = run_experiment(parse_args(arguments))
    both = table[table["pd"] == "both"]["attainment"].iloc[0]
    print(sum(spent), both / 100)


def _count(workload: str) -> int:
    import json
    from pathlib import Path

    return len(json.loads(Path(workload).read_text()))


if __name__ == "__main__":
    main()
