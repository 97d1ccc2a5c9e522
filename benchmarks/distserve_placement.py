"""The paper's placement algorithms, with every placement judged by simulation.

Algorithm 1 (fast links between nodes) finds the best parallelism of each phase by itself and then
as many instances of each as balance the other. Algorithm 2 (slow links) keeps a prefill and a
decode instance on one node, so that KV never leaves it; a pipeline crosses nodes with both phases
alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from distserve_paper import Case, Parallel
from distserve_systems import System, aggregated, disaggregated, goodput, one_phase
from goodput.core.slo import SLO
from goodput.plan.library import named_profile

_NODE = 8
_LARGEST = 8
_MOST_INSTANCES = 6

Judged = tuple[float, System]


def best_vllm(case: Case, requests: int) -> Judged:
    """vLLM++: aggregated, with the parallelism that serves most per GPU."""
    systems = (aggregated(case, parallel, "vLLM++") for parallel in _parallels(case, "vllm"))
    return _best(case, systems, requests)


def algorithm_2(case: Case, requests: int) -> Judged:
    """DistServe-Low: one prefill and one decode instance that share their nodes."""
    pairs = product(_parallels(case, "distserve"), repeat=2)
    systems = (
        disaggregated(case, prefill, decode, "DistServe-Low")
        for prefill, decode in pairs
        if _shares_nodes(prefill, decode)
    )
    return _best(case, systems, requests)


def algorithm_1(case: Case, requests: int) -> Judged:
    """DistServe-High: the best of each phase, in the numbers that serve most per GPU together."""
    found = {phase: _best_of_phase(case, phase, requests) for phase in ("prefill", "decode")}
    prefill, decode = found["prefill"], found["decode"]
    counts = product(range(1, _MOST_INSTANCES + 1), repeat=2)
    systems = (disaggregated(case, prefill, decode, "DistServe-High", pair) for pair in counts)
    return _best(case, systems, requests)


def _best_of_phase(case: Case, phase: str, requests: int) -> Parallel:
    """By its own bound and its own GPUs, as if the other phase were done elsewhere in no time."""
    slo = SLO(ttft=case.slo.ttft) if phase == "prefill" else SLO(tpot=case.slo.tpot)

    def rate(parallel: Parallel) -> float:
        system = disaggregated(case, parallel, parallel, phase)
        if system is None:
            return 0.0
        alone = one_phase(system, phase)
        gpus = parallel[0] * parallel[1]
        return goodput(alone, case, slo, requests) * alone.fleet.accelerators / gpus

    return max(_parallels(case, "distserve"), key=rate)


def _parallels(case: Case, engine: str) -> list[Parallel]:
    workers = named_profile(f"{case.model}-a100-{engine}").workers
    return [(one.tensor, one.pipeline) for one in workers if one.accelerators <= _LARGEST]


def _shares_nodes(prefill: Parallel, decode: Parallel) -> bool:
    """Whether both pipelines can be cut into equal numbers of parts that fit a node together."""
    return any(
        prefill[1] % parts == 0
        and decode[1] % parts == 0
        and (prefill[0] * prefill[1] + decode[0] * decode[1]) // parts <= _NODE
        for parts in (1, 2, 4)
    )


def _best(case: Case, systems: Iterator[System | None], requests: int) -> Judged:
    judged = [(goodput(one, case, case.slo, requests), one) for one in systems if one is not None]
    return max(judged, key=lambda pair: pair[0])
