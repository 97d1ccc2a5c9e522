"""Flow matching: a film on a straight line between itself (σ = 0) and noise (σ = 1).

x_σ = (1 - σ) x₀ + σ ε, with velocity ε - x₀ (Lipman et al., 2023; Liu et al., 2023).
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

LEAST_SIGMA: Final = 0.05
"""Below it the velocity of a predicted film would magnify its errors."""


def shifted(sigma: Tensor, shift: float) -> Tensor:
    """Noise levels moved towards noise: σ' = s σ / (1 + (s - 1) σ) (Esser et al., 2024)."""
    return shift * sigma / (1 + (shift - 1) * sigma)


def schedule(steps: int, shift: float) -> Tensor:
    """Noise levels of a sampler: (steps + 1,), from 1 down to 0."""
    return shifted(torch.linspace(1, 0, steps + 1), shift)


def noised(clean: Tensor, noise: Tensor, sigma: Tensor) -> Tensor:
    """The film at its noise level; ``sigma`` is (batch,)."""
    level = _wide(sigma, clean)
    return (1 - level) * clean + level * noise


def velocity(noisy: Tensor, clean: Tensor, sigma: Tensor) -> Tensor:
    """dx/dσ where ``clean`` is the film that ``noisy`` is taken for."""
    return (noisy - clean) / _wide(sigma, noisy).clamp(min=LEAST_SIGMA)


def velocity_loss(predicted: Tensor, clean: Tensor, noisy: Tensor, sigma: Tensor) -> Tensor:
    """Mean square of the velocity's error: ‖v_θ(x_σ, σ) - (ε - x₀)‖²."""
    error = velocity(noisy, predicted, sigma) - velocity(noisy, clean, sigma)
    return error.pow(2).mean()


def guided(unasked: Tensor, asked: Tensor, guidance: float) -> Tensor:
    """Classifier-free guidance: further from any film towards the one that was asked for."""
    return unasked + guidance * (asked - unasked)


def stepped(noisy: Tensor, clean: Tensor, sigma: Tensor, following: Tensor) -> Tensor:
    """One Euler step from noise level ``sigma`` to ``following``, both (batch,)."""
    return noisy + _wide(following - sigma, noisy) * velocity(noisy, clean, sigma)


def _wide(sigma: Tensor, like: Tensor) -> Tensor:
    return sigma.view(-1, *[1] * (like.ndim - 1))
