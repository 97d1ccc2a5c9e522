"""The closed forms against tabulated values, against each other, and against brute force."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodput.plan import queueing


@pytest.mark.parametrize(
    ("servers", "offered", "waits"),
    # From the usual tables of Erlang's C formula.
    [(1, 0.5, 0.5), (2, 1.0, 0.3333), (3, 2.0, 0.4444), (5, 4.0, 0.5541), (10, 8.0, 0.4092)],
)
def test_erlang_c(servers: int, offered: float, waits: float) -> None:
    assert queueing.erlang_c(servers, offered) == pytest.approx(waits, abs=5e-5)


@pytest.mark.parametrize(
    ("load", "mm1", "md1"), [(0.5, 1.0, 0.5), (0.8, 4.0, 2.0), (0.9, 9.0, 4.5), (0.95, 19.0, 9.5)]
)
def test_one_server(load: float, mm1: float, md1: float) -> None:
    """In service times: load/(1 − load), and half of it without variation."""
    assert queueing.mm1_wait_s(load / 3, 3.0) == pytest.approx(3 * mm1)
    assert queueing.md1_wait_s(load / 3, 3.0) == pytest.approx(3 * md1)


@pytest.mark.parametrize("load", [0.3, 0.7, 0.95])
def test_one_server_is_a_case_of_many(load: float) -> None:
    assert queueing.mmc_wait_s(load, 1.0, 1) == pytest.approx(queueing.mm1_wait_s(load, 1.0))
    assert queueing.mdc_wait_s(load, 1.0, 1) == pytest.approx(queueing.md1_wait_s(load, 1.0))


@pytest.mark.parametrize(("servers", "load"), [(2, 0.5), (2, 0.9), (5, 0.8), (10, 0.7), (40, 0.95)])
def test_mdc_mean_and_states_against_the_chain_itself(servers: int, load: float) -> None:
    """Solve X' = max(X − c, 0) + Poisson as a plain truncated Markov chain."""
    offered = servers * load
    size = 8 * servers + 500
    weights = np.array([_poisson(offered, count) for count in range(size)])
    chain = np.zeros((size, size))
    for state in range(size):
        left = max(state - servers, 0)
        chain[state, left:] = weights[: size - left]
    chain /= chain.sum(axis=1, keepdims=True)
    system = chain.T - np.eye(size)
    system[-1] = 1.0
    states = np.linalg.solve(system, np.eye(size)[-1])
    queued = float(np.maximum(np.arange(size) - servers, 0) @ states)
    assert queueing.mdc_wait_s(offered, 1.0, servers) == pytest.approx(queued / offered, rel=1e-6)
    ours = queueing.mdc_state_probabilities(offered, 1.0, servers)
    assert ours.sum() == pytest.approx(1.0)
    assert ours[: servers * 3] == pytest.approx(states[: servers * 3], abs=1e-9)


def test_md1_distribution_against_erlangs_sum() -> None:
    """Erlang's alternating series is exact too, as long as few terms cancel."""
    rate, seconds = 0.7, 2.3
    terms = (
        (-rate * (seconds - k)) ** k / math.factorial(k) * math.exp(rate * (seconds - k))
        for k in range(3)
    )
    exact = (1 - rate) * sum(terms)
    assert queueing.mdc_wait_at_most(seconds, rate, 1.0, 1) == pytest.approx(exact)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.9), (3, 0.8), (16, 0.9)])
def test_the_mean_is_the_integral_of_the_distribution(servers: int, load: float) -> None:
    rate, step = servers * load / 2.0, 0.02
    ends = np.arange(0, 120, step) + step / 2
    longer = [1 - queueing.mdc_wait_at_most(float(end), rate, 2.0, servers) for end in ends]
    mean = queueing.mdc_wait_s(rate, 2.0, servers)
    assert sum(longer) * step == pytest.approx(mean, rel=2e-3)


@given(st.integers(1, 12), st.floats(0.05, 0.95), st.floats(0.01, 5.0))
def test_regular_services_wait_less_than_random_ones(
    servers: int, load: float, service_s: float
) -> None:
    """M/D/c lies between half of M/M/c and M/M/c, and its distribution grows from 0 to 1."""
    rate = servers * load / service_s
    regular = queueing.mdc_wait_s(rate, service_s, servers)
    random = queueing.mmc_wait_s(rate, service_s, servers)
    assert random / 2 <= regular * (1 + 1e-9) <= random * (1 + 1e-9)
    times = [0.0, 0.3 * service_s, service_s, 2.5 * service_s, 40 * service_s]
    shares = [queueing.mdc_wait_at_most(time, rate, service_s, servers) for time in times]
    assert all(low <= high + 1e-9 for low, high in pairwise(shares))
    assert shares[0] >= 0 and shares[-1] <= 1 + 1e-9


def test_exponential_waits() -> None:
    """M/M/1 waits more than t with the chance load·e^(−(1 − load)·t/mean)."""
    chance = queueing.mmc_wait_at_most(3.0, 0.8, 1.0, 1)
    assert chance == pytest.approx(1 - 0.8 * math.exp(-0.2 * 3))


def test_distserves_formulas() -> None:
    """As section 3.1 writes them, for D = 0.2 s, R = 3/s, K = 1.6."""
    D, R, K = 0.2, 3.0, 1.6  # noqa: N806
    intra = D / K + R * D**2 / (2 * K * (K - R * D))
    inter = D + R * D**2 / (4 * (2 - R * D))
    assert queueing.intra_op_ttft_s(R, D, K) == pytest.approx(intra)
    assert queueing.inter_op_ttft_s(R, D, 2) == pytest.approx(inter)


def test_tensor_parallelism_wins_at_low_rates_and_pipelines_at_high_ones() -> None:
    def gain(rate: float) -> float:
        return queueing.inter_op_ttft_s(rate, 0.2, 2) - queueing.intra_op_ttft_s(rate, 0.2, 1.5)

    assert gain(0.5) > 0 > gain(7.4)


def test_an_overloaded_queue_never_ends() -> None:
    assert queueing.mm1_wait_s(2.0, 0.5) == math.inf
    assert queueing.mmc_wait_s(4.0, 1.0, 4) == math.inf
    assert queueing.mdc_wait_s(5.0, 1.0, 4) == math.inf
    assert queueing.mdc_wait_at_most(1e9, 5.0, 1.0, 4) == 0.0
    with pytest.raises(ValueError, match="no steady state"):
        queueing.mdc_state_probabilities(5.0, 1.0, 4)


def _poisson(mean: float, count: int) -> float:
    return math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))
