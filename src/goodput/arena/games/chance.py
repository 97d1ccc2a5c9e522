"""Random numbers for games: a function of a seed and a counter, so that a state can carry its own.

A state keeps the seed and how many numbers it has drawn; the next one is ``draw(seed, drawn, n)``.
Nothing is hidden anywhere, so a copy of the state draws what the original would have drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

_MASK: Final = (1 << 64) - 1
_STRIDE: Final = 0x9E3779B97F4A7C15

Item = TypeVar("Item")


def mixed(bits: int) -> int:
    """The finalizer of splitmix64 (Steele, Lea, Flood 2014) on the low 64 bits of ``bits``."""
    bits &= _MASK
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & _MASK
    return bits ^ (bits >> 31)


def draw(seed: int, counter: int, bound: int) -> int:
    """The ``counter``-th number of the stream ``seed``, in [0, bound).

    Any integers do as ``seed`` and ``counter``; ``bound`` is from 1 to 2**32, where the largest
    difference between two numbers' chances is below 2**-32 of the chance itself.
    """
    return (mixed(mixed(seed) + (counter + 1) * _STRIDE) * bound) >> 64


def branch(seed: int, name: int) -> int:
    """The seed of another stream, for what must not depend on how much the first one drew."""
    return mixed(mixed(seed ^ _STRIDE) + mixed(name))


def shuffled(seed: int, counter: int, items: Sequence[Item]) -> tuple[Item, ...]:
    """``items`` in a random order (Fisher-Yates). Uses ``len(items) - 1`` numbers from ``counter``
    on, so the next free one is ``counter + len(items) - 1``."""
    order = list(items)
    for drawn, last in enumerate(range(len(order) - 1, 0, -1)):
        other = draw(seed, counter + drawn, last + 1)
        order[last], order[other] = order[other], order[last]
    return tuple(order)
