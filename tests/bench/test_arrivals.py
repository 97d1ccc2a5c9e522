"""Arrival schedules and the chat workload: seeded, absolute, of the shape that they promise."""

from __future__ import annotations

import itertools
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodput.bench.arrivals import ARRIVALS, constant, poisson
from goodput.bench.workloads import WORKLOADS, find_workload
from goodput.core.errors import UsageError


@given(
    name=st.sampled_from(sorted(ARRIVALS)),
    rate=st.floats(0.1, 50),
    start=st.floats(0, 100),
    length=st.floats(0, 20),
    seed=st.integers(),
)
def test_schedules_are_sorted_inside_and_repeatable(
    name: str, rate: float, start: float, length: float, seed: int
) -> None:
    times = ARRIVALS[name](rate, start, start + length, seed)
    assert times == sorted(times)
    assert all(start <= time < start + length for time in times)
    assert times == ARRIVALS[name](rate, start, start + length, seed)


def test_poisson_gaps_are_exponential() -> None:
    times = poisson(10.0, 0.0, 2000.0, seed=1)
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert len(times) == pytest.approx(20_000, rel=0.03)
    assert statistics.mean(gaps) == pytest.approx(0.1, rel=0.03)
    assert statistics.stdev(gaps) == pytest.approx(0.1, rel=0.03)
    assert sum(gap > 0.1 for gap in gaps) / len(gaps) == pytest.approx(0.3679, abs=0.015)


def test_seeds_differ_and_rates_keep_the_pattern() -> None:
    assert poisson(1.0, 0.0, 50.0, seed=1) != poisson(1.0, 0.0, 50.0, seed=2)
    slow, fast = poisson(1.0, 0.0, 50.0, seed=1), poisson(2.0, 0.0, 25.0, seed=1)
    assert fast == pytest.approx([time / 2 for time in slow])


def test_constant_arrivals_do_not_drift() -> None:
    times = constant(3.0, 5.0, 1005.0, seed=0)
    assert len(times) == 3000
    assert times[-1] == pytest.approx(5.0 + 2999 / 3, abs=1e-9)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf"), 1e9])
def test_impossible_rates_are_refused(rate: float) -> None:
    for arrivals in ARRIVALS.values():
        with pytest.raises(UsageError):
            arrivals(rate, 0.0, 10.0, 0)


def test_every_workload_is_registered_by_its_name() -> None:
    assert all(workload.name == name for name, workload in WORKLOADS.items())
    with pytest.raises(UsageError, match="there is: chat"):
        find_workload("chats")


def test_chat_lengths_and_prefixes() -> None:
    chat = find_workload("chat")
    requests = [chat.request(0, index) for index in range(1000)]
    words = [len(request.messages[0].content.split()) for request in requests]
    answers = [request.max_tokens for request in requests]
    assert 95 < statistics.median(words) < 130 and max(words) <= 512
    assert 40 < statistics.median(answers) < 50
    assert min(answers) >= 8 and max(answers) <= 160
    # A block of 16 tokens is the least that a prefix cache reuses.
    starts = {tuple(request.messages[0].content.split()[:8]) for request in requests}
    assert len(starts) == 1000


@given(seed=st.integers(0, 1000), index=st.integers(0, 10_000))
def test_a_request_depends_on_nothing_but_seed_and_index(seed: int, index: int) -> None:
    chat = find_workload("chat")
    assert chat.request(seed, index) == chat.request(seed, index)
    assert chat.request(seed, index) != chat.request(seed + 1, index)
