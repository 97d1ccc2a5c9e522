"""Limits are what the arithmetic says, and no simulation goes beyond them."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.plan.search.toys import toy_candidate, toy_demand, toy_worker

from goodput.core.slo import SLO
from goodput.plan.profile.schema import Line, Link
from goodput.plan.search.bounds import impossibility, lowest_limit, waits_too_long
from goodput.plan.search.candidate import Candidate
from goodput.plan.search.demand import Demand
from goodput.plan.search.judge import FleetJudge
from goodput.plan.search.work import _below_both, decode_s, prefill_s

LOOSE = SLO(ttft=10.0, tpot=0.2)
# All rows of a step share its ten milliseconds, so that only memory bounds how many there are.
SHARED = toy_worker(token_s=1e-6, base_s=10e-3, row_s=0.0, kv_tokens=400)


def group(candidate: Candidate, role: str):  # type: ignore[no-untyped-def]
    found = candidate.group(role)  # type: ignore[arg-type]
    assert found is not None
    return found


def test_work_of_equal_requests() -> None:
    candidate = toy_candidate(prefill=3, decode=1)
    demand = toy_demand(prompt=300, output=11)
    assert prefill_s(group(candidate, "prefill"), demand) == pytest.approx(0.3)
    assert decode_s(group(candidate, "decode"), demand, LOOSE) == pytest.approx(10 * 10e-3)


def test_a_base_is_shared_by_as_many_rows_as_keep_the_pace() -> None:
    worker = toy_worker(base_s=20e-3, row_s=5e-3)
    candidate = toy_candidate(prefill=1, decode=1, worker=worker)
    demand = toy_demand(output=11)
    # TPOT ≤ 40 ms: four rows share 20 ms, so ten steps cost 10·(20/4 + 5) ms. All but the last
    # tenth of the answers must keep it, so only nine tenths of the base are sure.
    seconds = decode_s(group(candidate, "decode"), demand, SLO(tpot=0.04))
    assert seconds == pytest.approx(0.9 * 10 * 5e-3 + 10 * 5e-3)


@pytest.mark.parametrize(
    ("prefill", "decode", "constraint", "rate"),
    [(3, 1, "prefill queue", 10.0), (2, 2, "prefill queue", 2 / 0.3), (4, 1, "decode step", 10.0)],
)
def test_the_busier_phase_limits(prefill: int, decode: int, constraint: str, rate: float) -> None:
    limit = lowest_limit(toy_candidate(prefill, decode), toy_demand(), LOOSE)
    assert limit.rate == pytest.approx(rate)
    assert limit.constraint == constraint
    assert "fully busy" in limit.words


def test_pipeline_stages_work_on_different_steps() -> None:
    demand = toy_demand()
    one, two = (toy_candidate(1, 1, worker=toy_worker(pipeline=stages)) for stages in (1, 2))
    assert lowest_limit(two, demand, LOOSE).rate == pytest.approx(
        2 * lowest_limit(one, demand, LOOSE).rate
    )


def test_memory_limits_what_can_be_held() -> None:
    candidate = toy_candidate(1, 1, worker=SHARED)
    limit = lowest_limit(candidate, toy_demand(), LOOSE)
    # An answer holds 300 to 309 tokens for ten steps of at least 10 ms.
    assert limit.constraint == "memory"
    assert limit.rate == pytest.approx(400 / ((10 * 300 + 45) * 10e-3))


@pytest.mark.parametrize(
    ("slo", "worker", "words"),
    [
        (SLO(ttft=0.29), toy_worker(), "300 tokens.*takes 300 ms, over the TTFT bound of 290 ms"),
        (SLO(tpot=0.009), toy_worker(), "up to 10 ms a token"),
        (SLO(ttft=1.0), toy_worker(kv_tokens=310), "needs KV for 311 tokens, but 310 fit"),
    ],
)
def test_the_impossible_is_said_in_words(slo: SLO, worker, words: str) -> None:  # type: ignore[no-untyped-def]
    for candidate in (toy_candidate(1, 1, worker=worker), toy_candidate(mixed=2, worker=worker)):
        limit = lowest_limit(candidate, toy_demand(), slo)
        assert limit.rate == 0
        assert re.search(words, limit.words), limit.words


def test_a_slow_link_is_told_from_a_slow_step() -> None:
    candidate = toy_candidate(1, 1)
    slow = replace(candidate.fleet, link=Link(base_s=0.5, bytes_per_s=1e9))
    limit = impossibility(replace(candidate, fleet=slow), toy_demand(), SLO(tpot=0.03))
    assert limit is not None and limit.constraint == "transfer"


def test_waiting_by_md1() -> None:
    candidate = toy_candidate(prefill=3, decode=1)
    # One server of 100 ms at 9.5 req/s: far more than a tenth waits longer than 100 ms.
    limit = waits_too_long(candidate, 9.5, toy_demand(), SLO(ttft=0.4, tpot=0.2))
    assert limit is not None and "M/D/1" in limit.words
    assert waits_too_long(candidate, 2.0, toy_demand(), SLO(ttft=0.4, tpot=0.2)) is None
    constant = Demand("toy", np.arange(1.0, 9.0), np.full(8, 300), np.full(8, 11), memoryless=False)
    assert waits_too_long(candidate, 9.5, constant, SLO(ttft=0.4)) is None


@given(
    small=st.tuples(st.floats(1, 50), st.floats(0.01, 1)),
    large=st.tuples(st.floats(1, 50), st.floats(0.01, 1)),
    batch=st.integers(2, 200),
    rows=st.integers(1, 400),
)
def test_lines_below_both_are_below_both(
    small: tuple[float, float], large: tuple[float, float], batch: int, rows: int
) -> None:
    one, two = (Line(base_s=base, decode_row_s=row) for base, row in (small, large))
    true = one if rows < batch else two
    for line in _below_both(one, two, batch, 0.0):
        base = line.base_s + line.decode_row_s * rows
        assert base <= true.base_s + true.decode_row_s * rows + 1e-9


@settings(max_examples=25, deadline=None)
@given(
    counts=st.sampled_from([(1, 1, 0), (2, 1, 0), (1, 2, 0), (0, 0, 2), (1, 1, 1)]),
    base_ms=st.sampled_from([0.0, 5.0, 20.0]),
    row_ms=st.sampled_from([0.1, 1.0, 10.0]),
    prompt=st.sampled_from([50, 300, 900]),
    output=st.sampled_from([2, 11, 60]),
    tpot=st.sampled_from([0.05, 0.2]),
)
def test_nothing_holds_what_theory_excludes(
    counts: tuple[int, int, int],
    base_ms: float,
    row_ms: float,
    prompt: int,
    output: int,
    tpot: float,
) -> None:
    worker = toy_worker(base_s=base_ms / 1e3, row_s=row_ms / 1e3)
    candidate = toy_candidate(*counts, worker=worker)
    demand, slo = toy_demand(prompt, output, requests=1500), SLO(ttft=1.5, tpot=tpot)
    limit = lowest_limit(candidate, demand, slo)
    rate = limit.rate * 1.15 if limit.rate > 0 else 0.01
    assert FleetJudge(slo).attainment(candidate, rate, demand) < slo.target, limit.words
