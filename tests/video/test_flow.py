"""Noise levels and steps, worked out by hand."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from goodput.video import flow


def test_schedule_by_hand() -> None:
    assert flow.schedule(2, 1.0).tolist() == [1.0, 0.5, 0.0]
    # 3 · 0.5 / (1 + 2 · 0.5)
    assert flow.schedule(2, 3.0).tolist() == [1.0, 0.75, 0.0]


def test_a_perfect_guess_arrives_in_any_number_of_steps() -> None:
    clean, noise = torch.randn(1, 2, 3), torch.randn(1, 2, 3)
    for steps in (1, 2, 7):
        levels, x = flow.schedule(steps, 3.0), noise
        for at, following in zip(levels[:-1, None], levels[1:, None], strict=True):
            assert torch.allclose(x, flow.noised(clean, noise, at), atol=1e-5)
            x = flow.stepped(x, clean, at, following)
        assert torch.allclose(x, clean, atol=1e-5)


def test_velocity_is_noise_minus_clean() -> None:
    clean, noise = torch.randn(2, 5), torch.randn(2, 5)
    sigma = torch.tensor([0.3, 1.0])
    noisy = flow.noised(clean, noise, sigma)
    assert torch.allclose(flow.velocity(noisy, clean, sigma), noise - clean, atol=1e-5)


def test_guidance_by_hand() -> None:
    assert flow.guided(torch.tensor(1.0), torch.tensor(3.0), 2.5).item() == 6.0


@given(st.floats(0, 1), st.floats(1, 20))
def test_shifts_keep_the_ends_and_go_towards_noise(sigma: float, shift: float) -> None:
    level = flow.shifted(torch.tensor(sigma, dtype=torch.float64), shift).item()
    assert sigma - 1e-9 <= level <= 1 + 1e-9
    assert level == pytest.approx(sigma) if sigma in (0, 1) else True
