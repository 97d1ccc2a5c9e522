"""Traffic and step costs to needs: finite whatever comes, and right on hand-made cases."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodput.control.planner.costs import StepCosts
from goodput.control.planner.needs import Load, needs_of
from goodput.control.planner.traffic import Traffic, TrafficWindow
from goodput.core.request import GenerationRequest, SamplingParams
from goodput.core.slo import SLO
from goodput.core.speeds import StepCost
from goodput.core.timeline import Timeline

steps = st.builds(
    StepCost,
    seconds=st.floats(),
    prefill_tokens=st.integers(0, 4096),
    decode_tokens=st.integers(0, 64),
)
traffics = st.builds(
    Traffic,
    requests=st.integers(0, 1000),
    request_rate=st.floats(0, 1000),
    prompt_token_rate=st.floats(0, 1e6),
    cached_share=st.floats(0, 1),
    answer_tokens=st.floats(0, 1000),
    tpot=st.none() | st.floats(1e-4, 10),
)


@given(st.lists(steps, max_size=60), traffics, st.integers(0, 10**6), st.integers(0, 500))
def test_needs_are_finite_whatever_was_seen(
    seen: list[StepCost], traffic: Traffic, queued: int, decoding: int
) -> None:
    costs = StepCosts()
    for step in seen:
        costs.observe("w", 0, step)
    needs = needs_of(traffic, Load(queued, decoding), costs, 64)
    if needs is not None:
        assert 0 <= needs.prefill < math.inf
        assert 0 <= needs.decode < math.inf


def learned(
    step_s: float = 0.005, token_s: float = 0.0005, sequence_s: float = 0.0005
) -> StepCosts:
    """Costs learned from the modelled engine's formula, its first steps far off."""
    step_s, token_s, sequence_s = 0.005, 0.0005, 0.0005
    costs = StepCosts()
    for number in range(300):
        cold = 50.0 if number < 10 else 1.0
        batch = 1 + number % 16
        costs.observe("d", 0, StepCost(cold * (step_s + batch * sequence_s), 0, batch))
        costs.observe("p", 0, StepCost(cold * (step_s + 100 * token_s), 100, 0))
    return costs


def test_costs_are_those_of_the_warm_steps() -> None:
    costs = learned()
    assert costs.prefill_token_s == pytest.approx(0.00055, rel=1e-3)
    assert costs.decode_step_s(8) == pytest.approx(0.009, rel=1e-3)
    assert costs.sequences_within(0.010, 64) == pytest.approx(10.0, rel=1e-2)
    assert costs.sequences_within(None, 64) == 64
    assert costs.sequences_within(0.001, 64) == 1


def test_one_frozen_step_does_not_poison_the_costs() -> None:
    costs = learned()
    costs.observe("d", 0, StepCost(15.0, 0, 4))
    costs.observe("p", 0, StepCost(15.0, 100, 0))
    assert costs.decode_step_s(8) == pytest.approx(0.009, rel=0.1)
    assert costs.prefill_token_s == pytest.approx(0.00055, rel=0.1)


def test_a_restarted_worker_is_cold_again() -> None:
    costs = learned()
    for _ in range(10):
        costs.observe("p", 1, StepCost(5.0, 100, 0))
    assert costs.prefill_token_s == pytest.approx(0.00055, rel=1e-3)


def test_needs_of_a_known_traffic() -> None:
    traffic = Traffic(
        requests=100,
        request_rate=10.0,
        prompt_token_rate=2000.0,
        cached_share=0.5,
        answer_tokens=101.0,
        tpot=0.010 / 0.9,
    )
    needs = needs_of(traffic, Load(0, 5), learned(), 64)
    assert needs is not None
    # 1,000 tokens of 0.55 ms; 1,000 tokens a second where a worker gives 10 every 10 ms.
    assert needs.prefill == pytest.approx(0.55, rel=0.01)
    assert needs.decode == pytest.approx(1.0, rel=0.02)
    # A queue, and sequences that are there already, count at once.
    behind = needs_of(traffic, Load(4000, 30), learned(), 64)
    assert behind is not None
    assert behind.prefill == pytest.approx(0.55 + 1.1, rel=0.01)
    assert behind.decode == pytest.approx(3.0, rel=0.02)


def request(prompt: int, slo: SLO | None) -> GenerationRequest:
    return GenerationRequest(
        id="r", prompt=[1] * prompt, sampling=SamplingParams(), received=10.0, slo=slo
    )


def test_the_window_forgets_and_judges() -> None:
    window = TrafficWindow(10.0)
    assert window.traffic(5.0) == Traffic()
    slo = SLO(ttft=1.0, tpot=0.1, target=0.8)
    for number in range(20):
        window.arrived(request(100, slo), 10.0 + number)
    good = Timeline(received=10.0, first_token=10.5, last_token=11.0)
    late = Timeline(received=10.0, first_token=11.5, last_token=12.0)
    slow = Timeline(received=10.0, first_token=10.5, last_token=12.5)
    for timeline in (good, late, slow, None):
        window.ended(request(100, slo), 11, 25, timeline, 29.0)
    window.ended(request(100, None), 1, 0, good, 29.0)
    traffic = window.traffic(30.0)
    assert traffic.requests == 10
    assert traffic.request_rate == pytest.approx(1.0)
    assert traffic.prompt_token_rate == pytest.approx(100.0)
    assert traffic.cached_share == pytest.approx(0.2)
    assert traffic.answer_tokens == pytest.approx(9.0)
    assert (traffic.attainment, traffic.target, traffic.tpot) == (0.25, 0.8, 0.1)
    later = window.traffic(1000.0)
    assert (later.requests, later.request_rate, later.attainment, later.tpot) == (0, 0, None, None)
