"""Ratios between servers on hand-made records whose figures are known."""

from __future__ import annotations

import random

import pytest

from goodput.bench.compare.ratios import judge_ratios
from goodput.bench.results import CompareResult, Ratio
from goodput.core.record import RequestRecord, TokenStamp
from goodput.core.slo import SLO


def record(ttft: float | None, tpot: float = 0.01, bound: float = 1.0) -> RequestRecord:
    """Three tokens after ``ttft`` seconds; None is a request that was rejected."""
    slo = SLO(ttft=bound)
    if ttft is None:
        return RequestRecord(id="r", workload="w", scheduled=0.0, status="rejected", slo=slo)
    stamps = [TokenStamp(ttft + index * tpot) for index in range(3)]
    return RequestRecord(
        id="r",
        workload="w",
        scheduled=0.0,
        sent=0.0,
        token_times=stamps,
        end=stamps[-1].time,
        status="ok",
        output_tokens=3,
        slo=slo,
    )


def ratio(result: CompareResult, figure: str, name: str = "b") -> Ratio:
    [one] = [each for each in result.ratios if (each.name, each.figure) == (name, figure)]
    return one


def blocks(ttfts: list[list[float]], factor: float) -> list[dict[str, list[RequestRecord]]]:
    return [
        {
            "a": [record(ttft) for ttft in block],
            "b": [record(ttft * factor, 0.01 * factor) for ttft in block],
        }
        for block in ttfts
    ]


def drawn(seed: int, low: float, high: float) -> list[list[float]]:
    rng = random.Random(seed)
    return [[rng.uniform(low, high) for _ in range(30)] for _ in range(4)]


def test_what_is_exactly_twice_as_slow_is_twice_in_every_replicate() -> None:
    result = judge_ratios(["a", "b"], blocks(drawn(1, 0.05, 0.4), 2.0), block_s=10.0, seed=0)
    for figure in ("ttft_p50", "ttft_p99", "tpot_p90", "e2e_p90"):
        one = ratio(result, figure)
        assert one.better == "lower"
        assert (one.value, one.low, one.high) == pytest.approx((2.0, 2.0, 2.0)), (
            "the same requests are drawn for both: their common luck cancels"
        )
    assert ratio(result, "goodput").value == 1.0 and result.blocks == 4
    assert "TTFT (p90) is 2.00 times" in result.words and "higher --rate" in result.words


def test_goodput_counts_what_met_and_the_better_one_is_named() -> None:
    rng = random.Random(3)
    made = [
        {
            "a": [record(rng.choice((0.5, 2.0))) for _ in range(40)],
            "b": [record(rng.choice((0.5,) * 6 + (2.0, None))) for _ in range(40)],
        }
        for _ in range(4)
    ]
    result = judge_ratios(["a", "b"], made, block_s=10.0, seed=0)
    met = {name: sum(r.met() for block in made for r in block[name]) for name in ("a", "b")}
    one = ratio(result, "goodput")
    assert one.value == pytest.approx(met["b"] / met["a"])
    assert (one.own, one.base) == pytest.approx((met["b"] / 40, met["a"] / 40)), "req/s"
    assert one.low is not None and one.high is not None and 1 < one.low < one.value < one.high
    assert result.words.startswith("b is better: its goodput is ")
    turned = judge_ratios(["b", "a"], made, block_s=10.0, seed=0)
    assert turned.words.startswith("a is worse: its goodput is ")


def test_chance_is_not_called_a_difference() -> None:
    rng = random.Random(5)
    made = [
        {name: [record(rng.uniform(0.2, 1.4)) for _ in range(25)] for name in ("a", "b")}
        for _ in range(4)
    ]
    result = judge_ratios(["a", "b"], made, block_s=10.0, seed=0)
    assert result.words.startswith("No difference in goodput is shown: b has ")


def test_a_baseline_that_met_nothing_has_no_ratio_but_a_verdict() -> None:
    made = [{"a": [record(None)] * 5, "b": [record(0.5)] * 5, "c": [record(2.0)] * 5}] * 2
    result = judge_ratios(["a", "b", "c"], made, block_s=10.0, seed=0)
    assert ratio(result, "goodput").value is None and ratio(result, "ttft_p50").value is None
    assert "b is better: a met the SLO of no request at all." in result.words
    assert "Neither a nor c met the SLO of a single request." in result.words


def test_blocks_that_differ_widen_the_interval() -> None:
    def spread(ttfts: list[list[float]]) -> float:
        made = [{"a": [record(0.3)] * 30, "b": [record(ttft) for ttft in block]} for block in ttfts]
        one = ratio(judge_ratios(["a", "b"], made, block_s=10.0, seed=0), "ttft_p50")
        assert one.low is not None and one.high is not None
        return one.high / one.low

    alike = [[0.3, 0.6] * 15 for _ in range(4)]
    drifting = [[0.3] * 30, [0.3] * 30, [0.6] * 30, [0.6] * 30]
    assert spread(drifting) >= spread(alike) >= 1
