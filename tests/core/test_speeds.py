"""What a worker's steps teach."""

from __future__ import annotations

import pytest

from goodput.core.speeds import Speeds, StepCost


def test_speeds_are_learned_from_steps() -> None:
    speeds = Speeds()
    speeds.observe(StepCost(seconds=0.05, prefill_tokens=100, decode_tokens=0))
    assert speeds.prefill_token_s == pytest.approx(0.0005)
    speeds.observe(StepCost(seconds=0.010, prefill_tokens=0, decode_tokens=4))
    assert speeds.decode_step_s == pytest.approx(0.010)
    # A mixed step: 10 ms of it are the decodes', the rest the prompt's.
    speeds.observe(StepCost(seconds=0.060, prefill_tokens=100, decode_tokens=4))
    assert speeds.prefill_token_s == pytest.approx(0.0005)
    # Later ones move the estimate by a fifth.
    speeds.observe(StepCost(seconds=0.10, prefill_tokens=100, decode_tokens=0))
    assert speeds.prefill_token_s == pytest.approx(0.0006)


def test_the_growth_of_a_step_is_learned_from_batches_of_several_sizes() -> None:
    speeds = Speeds()
    for turn in range(400):
        sequences = 2 + turn // 5 % 7
        speeds.observe(StepCost(0.005 + 0.0005 * sequences, 0, sequences))
    assert speeds.step_s(1) == pytest.approx(0.0055, rel=0.05)
    assert speeds.step_s(20) == pytest.approx(0.015, rel=0.05)


def test_batches_of_one_size_say_nothing_of_growth() -> None:
    speeds = Speeds()
    for seconds in (0.01, 0.012, 0.011, 0.02):
        speeds.observe(StepCost(seconds, 0, 3))
    assert speeds.step_s(3) == speeds.step_s(30) == speeds.decode_step_s
