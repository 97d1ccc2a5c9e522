"""Films in the making: steps, company, seeds, and orders that cannot be filled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from goodput.core.errors import InvalidRequestError
from goodput.video.models.autoencoder import Autoencoder
from goodput.video.models.family import AutoencoderConfig, TransformerConfig
from goodput.video.models.transformer import FilmTransformer
from goodput.video.sampling.causal import CausalMaker
from goodput.video.sampling.diffusion import DiffusionMaker
from goodput.video.sampling.order import Order

CONFIG = TransformerConfig(
    width=32, depth=1, heads=2, patch=(1, 2, 2), text_width=32, text_depth=1, latent_channels=4
)


def maker(guidance: float = 1.0) -> DiffusionMaker:
    torch.manual_seed(0)
    transformer = FilmTransformer(CONFIG)
    for weight in transformer.parameters():
        if not weight.any():
            nn.init.normal_(weight, std=0.2)
    autoencoder = Autoencoder(AutoencoderConfig(channels=4, width=16))
    return DiffusionMaker("tiny", transformer, autoencoder, size=32, shift=3.0, guidance=guidance)


def causal() -> CausalMaker:
    by = maker()
    networks = (by._transformer, by._autoencoder)
    return CausalMaker("tiny", *networks, size=32, shift=3.0, chunk=1)


def made(by: Any, *orders: Order) -> list[np.ndarray]:
    """All orders in one batch, until the last is done."""
    films = [by.begin(order) for order in orders]
    done: list[list[np.ndarray]] = [[] for _ in films]
    while going := [film for film in films if film.steps_left]:
        for film, frames in zip(going, by.denoise(going), strict=True):
            assert frames is not None or film.steps_left
            place = next(n for n, other in enumerate(films) if other is film)
            done[place] += [] if frames is None else [frames]
    return [np.concatenate(parts) for parts in done]


MAKERS = {"student": maker, "teacher": lambda: maker(3.0), "causal": causal}


@pytest.mark.parametrize("name", MAKERS)
def test_company_changes_nothing(name: str) -> None:
    by = MAKERS[name]()
    orders = [
        Order("a red ball bounces", seed=1, size=32, frames=8, steps=3),
        Order("two blue squares cross on a navy background", seed=2, size=32, frames=8, steps=1),
        Order("a green ring rests", seed=3, size=32, frames=12, steps=2),
    ]
    together = made(by, *orders)
    for order, frames in zip(orders, together, strict=True):
        (alone,) = made(by, order)
        assert alone.shape == (order.frames, 32, 32, 3)
        # Another batch size may round the last bit of a product otherwise.
        assert np.abs(alone.astype(int) - frames.astype(int)).max() <= 1


def test_seed_and_sentence_decide() -> None:
    by = maker()
    order = Order("a red ball bounces", seed=1, size=32, frames=4, steps=2)
    (first,), (again,) = made(by, order), made(by, order)
    assert np.array_equal(first, again)
    (other,) = made(by, Order("a red ball bounces", seed=2, size=32, frames=4, steps=2))
    assert not np.array_equal(first, other)
    assert set(by.seconds) == {"text", "denoise", "decode"}


def test_the_number_of_steps_may_change_until_the_first() -> None:
    by = maker()
    film = by.begin(Order("a ball", size=32, frames=4, steps=4))
    assert film.steps_left == 4
    film.steps = 2
    assert film.steps_left == 2
    assert by.denoise([film]) == [None]
    film.steps = 9
    assert film.steps_left == 1


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (Order("x", size=64), "size must be 32x32 with tiny"),
        (Order("x", size=32, frames=6), "frames must be a multiple of 4 up to 80, not 6"),
        (Order("x", size=32, frames=0), "frames must be"),
        (Order("x", size=32, frames=4, steps=0), "steps must be 1 to 200, not 0"),
    ],
)
def test_what_cannot_be_made_is_refused(order: Order, message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        maker().begin(order)


def test_chunks_come_as_they_are_made_and_may_change_their_steps() -> None:
    by = causal()
    film = by.begin(Order("a red ball", size=32, frames=12, steps=2))
    assert film.steps_left == 6
    assert by.denoise([film]) == [None]
    film.steps = 1
    assert film.steps_left == 3, "the chunk that has begun keeps its two"
    shown = [by.denoise([film])[0] for _ in range(3)]
    assert film.steps_left == 0
    assert all(frames is not None and frames.shape == (4, 32, 32, 3) for frames in shown)
