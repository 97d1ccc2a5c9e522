"""Slow against peers, or against its own past; never because all are slow, or at the start."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodput.control.health.slowness import Slowness
from goodput.core.speeds import StepCost


def feed(slowness: Slowness, worker: str, seconds: float, steps: int, batch: int = 4) -> None:
    for _ in range(steps):
        slowness.observe(worker, StepCost(seconds, 0, batch))


def test_slower_than_a_peer_at_the_same_work() -> None:
    slowness = Slowness()
    for _ in range(60):
        feed(slowness, "a", 0.010, 1)
        feed(slowness, "b", 0.050, 1)
    assert slowness.factor("a") == pytest.approx(1.0)
    assert slowness.factor("b") == pytest.approx(5.0, rel=0.01)


def test_slower_than_its_own_past_and_well_again() -> None:
    slowness = Slowness()
    feed(slowness, "a", 0.010, 100)
    assert slowness.factor("a") == pytest.approx(1.0)
    feed(slowness, "a", 0.060, 200)
    assert slowness.factor("a") == pytest.approx(6.0, rel=0.01)
    feed(slowness, "a", 0.010, 40)
    assert slowness.factor("a") < 1.1


def test_larger_batches_and_prompts_are_other_work() -> None:
    slowness = Slowness()
    feed(slowness, "a", 0.010, 100, batch=1)
    feed(slowness, "a", 0.080, 100, batch=32)
    for _ in range(50):
        slowness.observe("a", StepCost(0.4, 512, 0))
    assert slowness.factor("a") == pytest.approx(1.0)


def test_a_machine_that_slows_down_makes_nobody_slow() -> None:
    slowness = Slowness()
    for seconds in [0.010] * 60 + [0.060] * 100:
        feed(slowness, "a", seconds, 1)
        feed(slowness, "b", seconds, 1)
    assert slowness.factor("a") < 1.5
    assert slowness.factor("b") < 1.5


def test_a_new_process_is_not_judged_by_its_first_steps() -> None:
    slowness = Slowness()
    feed(slowness, "b", 0.010, 60)
    feed(slowness, "a", 1.0, 10)
    assert slowness.factor("a") == 1.0
    slowness.forget("b")
    assert slowness.factor("b") == 1.0


@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.floats(),
            st.integers(0, 600),
            st.integers(0, 64),
        ),
        max_size=80,
    )
)
def test_the_factor_is_finite_and_at_least_one(
    steps: list[tuple[str, float, int, int]],
) -> None:
    slowness = Slowness()
    for worker, seconds, prompt, batch in steps:
        slowness.observe(worker, StepCost(seconds, prompt, batch))
        assert 1.0 <= slowness.factor(worker) < float("inf")
