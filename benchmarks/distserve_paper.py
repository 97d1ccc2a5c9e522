"""What the DistServe paper (arXiv 2401.09670) evaluated, and requests that are alike.

The datasets themselves are not here. ShareGPT's lengths are drawn between the deciles of the 19,700
requests of the authors' own runs on A100 (means 765 and 183 tokens). Those of the other two are
lognormal with the means that the paper prints beside its histograms; their spread is ours. Prompt
and answer together fit OPT's context, as the authors kept them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from goodput.core.slo import SLO
from goodput.plan.scale.traffic import Arrivals

_CONTEXT = 2048

Parallel = tuple[int, int]
"""Tensor and pipeline parallelism of one instance."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Tokens at evenly spaced quantiles (the first 0, the last 1), of prompts and of answers."""

    name: str
    prompts: tuple[float, ...]
    outputs: tuple[float, ...]


def _lognormal(mean: float, sigma: float) -> tuple[float, ...]:
    """Quantiles of a lognormal distribution, its outermost twentieths cut."""
    normal = NormalDist(math.log(mean) - sigma**2 / 2, sigma)
    return tuple(math.exp(normal.inv_cdf(0.05 + 0.9 * step / 20)) for step in range(21))


SHAREGPT = Dataset(
    "ShareGPT",
    (2, 91, 252, 387, 533, 690, 859, 1050, 1300, 1518, 2031),
    (1, 9, 14, 22, 36, 76, 163, 248, 351, 481, 1809),
)
HUMANEVAL = Dataset("HumanEval", _lognormal(171.3, 0.45), _lognormal(98.2, 0.6))
LONGBENCH = Dataset("LongBench", _lognormal(1738.3, 0.1), _lognormal(90.7, 0.6))


@dataclass(frozen=True, slots=True)
class Case:
    """One experiment: the paper's SLO and placements, its rate for SLO scales, and its ratios.

    ``distserve`` is (prefill, decode). ``slo_rate`` is per GPU. A ratio is None where the paper
    gives only a range over several experiments (``chat``: 2.0 to 4.6 in rate, 1.8 to 3.2 in SLO).
    """

    title: str
    model: str
    dataset: Dataset
    slo: SLO
    vllm: Parallel
    distserve: tuple[Parallel, Parallel]
    slo_rate: float
    rate_ratio: str
    slo_ratio: str


CASES = {
    "13b-chat": Case(
        title="OPT-13B, ShareGPT",
        model="opt-13b",
        dataset=SHAREGPT,
        slo=SLO(ttft=0.25, tpot=0.1),
        vllm=(1, 1),
        distserve=((2, 1), (1, 1)),
        slo_rate=1.5,
        rate_ratio="2.0–4.6",
        slo_ratio="1.8–3.2",
    ),
    "66b-chat": Case(
        title="OPT-66B, ShareGPT (SLO of the artifact)",
        model="opt-66b",
        dataset=SHAREGPT,
        slo=SLO(ttft=0.4, tpot=0.1),
        vllm=(4, 1),
        distserve=((4, 1), (2, 2)),
        slo_rate=0.25,
        rate_ratio="2.0–4.6",
        slo_ratio="1.8–3.2",
    ),
    "66b-chat-wide": Case(
        title="OPT-66B, ShareGPT (SLO of the paper)",
        model="opt-66b",
        dataset=SHAREGPT,
        slo=SLO(ttft=2.5, tpot=0.15),
        vllm=(4, 1),
        distserve=((4, 1), (2, 2)),
        slo_rate=0.25,
        rate_ratio="2.0–4.6",
        slo_ratio="1.8–3.2",
    ),
    "66b-code": Case(
        title="OPT-66B, HumanEval",
        model="opt-66b",
        dataset=HUMANEVAL,
        slo=SLO(ttft=0.125, tpot=0.2),
        vllm=(4, 1),
        distserve=((4, 1), (2, 2)),
        slo_rate=0.875,
        rate_ratio="5.7",
        slo_ratio="1.4",
    ),
    "66b-summarize": Case(
        title="OPT-66B, LongBench",
        model="opt-66b",
        dataset=LONGBENCH,
        slo=SLO(ttft=15.0, tpot=0.15),
        vllm=(4, 1),
        distserve=((4, 1), (2, 2)),
        slo_rate=0.375,
        rate_ratio="4.3",
        slo_ratio="12.6",
    ),
}


def arrivals(dataset: Dataset, rate: float, count: int, seed: int = 0) -> Arrivals:
    """Poisson requests at ``rate`` per second: the same ones, only closer, at a higher rate."""
    prompts, outputs = _lengths(dataset, count, seed)
    gaps = np.random.default_rng((seed, 1)).exponential(1.0, count)
    return Arrivals(np.cumsum(gaps) / rate, prompts, outputs)


@cache
def _lengths(
    dataset: Dataset, count: int, seed: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    rng = np.random.default_rng((seed, 2))
    columns = [
        _drawn(rng, quantiles, 4 * count) for quantiles in (dataset.prompts, dataset.outputs)
    ]
    drawn = np.stack(columns, axis=1)
    fits = drawn[drawn.sum(axis=1) < _CONTEXT][:count]
    return np.ascontiguousarray(fits[:, 0]), np.ascontiguousarray(fits[:, 1])


def _drawn(
    rng: np.random.Generator, quantiles: tuple[float, ...], count: int
) -> npt.NDArray[np.int64]:
    places = rng.random(count) * (len(quantiles) - 1)
    logs = np.interp(places, np.arange(len(quantiles)), np.log(quantiles))
    return np.maximum(np.rint(np.exp(logs)), 1).astype(np.int64)
