"""What our own models can be asked for."""

from __future__ import annotations

from typing import Final

from goodput.core.errors import InvalidRequestError
from goodput.video.models.autoencoder import FRAMES_PER_LATENT, PIXELS_PER_LATENT
from goodput.video.sampling.order import Order

_MOST_FRAMES: Final = 80
_MOST_STEPS: Final = 200


def check(order: Order, model: str, size: int, multiple: int) -> None:
    """Raise InvalidRequestError unless ``model``, of pictures of ``size``, can make the film.

    ``multiple`` is the number of frames that it makes together.
    """
    if order.size != size:
        raise InvalidRequestError(f"size must be {size}x{size} with {model}", param="size")
    if order.frames % multiple or not 0 < order.frames <= _MOST_FRAMES:
        raise InvalidRequestError(
            f"frames must be a multiple of {multiple} up to {_MOST_FRAMES}, not {order.frames}",
            param="frames",
        )
    if not 1 <= order.steps <= _MOST_STEPS:
        raise InvalidRequestError(
            f"steps must be 1 to {_MOST_STEPS}, not {order.steps}", param="steps"
        )


def latent_shape(order: Order) -> tuple[int, int, int]:
    """Latent frames, height and width of the film."""
    side = order.size // PIXELS_PER_LATENT
    return order.frames // FRAMES_PER_LATENT, side, side
