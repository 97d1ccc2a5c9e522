"""The autoencoder is causal: it can be decoded as it is made, and no frame knows a later one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from goodput.video.models.autoencoder import Autoencoder, CausalBlock
from goodput.video.models.family import AutoencoderConfig
from goodput.video.models.pixels import frames_of, pixels_of


@pytest.fixture
def network() -> Autoencoder:
    """One whose blocks do look back, as a trained one's do."""
    torch.manual_seed(0)
    made = Autoencoder(AutoencoderConfig(channels=4, width=16))
    for module in made.modules():
        if isinstance(module, CausalBlock):
            nn.init.normal_(module.time.weight, std=0.2)
    return made.eval().requires_grad_(False)


@pytest.mark.parametrize("chunks", [(1, 1, 1, 1, 1), (2, 3), (4, 1)])
def test_decoding_by_chunks_is_decoding_at_once(
    network: Autoencoder, chunks: tuple[int, ...]
) -> None:
    latents = torch.randn(2, 4, 5, 4, 8)
    whole, _ = network.decode(latents)
    assert whole.shape == (2, 3, 20, 16, 32)
    past, parts = None, []
    for part in latents.split(chunks, dim=2):
        pixels, past = network.decode(part, past)
        parts.append(pixels)
    assert torch.allclose(torch.cat(parts, dim=2), whole, atol=1e-5)


def test_nothing_depends_on_what_comes_later(network: Autoencoder) -> None:
    pixels = torch.rand(1, 3, 16, 16, 16)
    changed = pixels.clone()
    changed[:, :, 8:] = 0
    before, after = network.encode(pixels), network.encode(changed)
    assert torch.allclose(before[:, :, :2], after[:, :, :2], atol=1e-6)
    assert not torch.allclose(before[:, :, 2:], after[:, :, 2:], atol=1e-2)
    shown, _ = network.decode(before)
    cut, _ = network.decode(before[:, :, :2])
    assert torch.allclose(shown[:, :, :8], cut, atol=1e-5)


def test_latents_are_standardised(network: Autoencoder) -> None:
    pixels = torch.rand(1, 3, 8, 16, 16)
    raw = network.raw_latents(pixels)
    network.mean.fill_(2.0)
    network.deviation.fill_(4.0)
    assert torch.allclose(network.encode(pixels), (raw - 2) / 4)
    rebuilt, _ = network.decode(network.encode(pixels))
    assert torch.allclose(rebuilt, network.from_raw(raw)[0], atol=1e-4)


def test_pixels_and_back() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    pixels = pixels_of(frames)
    assert pixels.shape == (3, 4, 8, 8) and pixels.min() >= -1 and pixels.max() <= 1
    assert np.array_equal(frames_of(pixels), frames)
    assert frames_of(torch.full((3, 1, 2, 2), 7.0)).max() == 255
