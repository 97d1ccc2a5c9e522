"""One network being optimised: steps, a running mean, a state that goes on bit for bit.

Nothing random is remembered: what a step draws is a function of the seed and the step's number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

import torch
from torch import Tensor, nn

from goodput.core.errors import UsageError
from goodput.video.training.recipe import Optimising

Loss = Callable[[int, torch.Generator], Tensor]
"""The loss of a step of that number, all of whose random draws come from the generator."""

_MOMENTS: Final = ("exp_avg", "exp_avg_sq")


def generator_of(seed: int, *numbers: int) -> torch.Generator:
    """A generator for one purpose: equal numbers, equal draws."""
    generator = torch.Generator()
    mixed = seed
    for number in numbers:
        mixed = (mixed * 6_364_136_223_846_793_005 + number + 1_442_695_040_888_963_407) % 2**63
    generator.manual_seed(mixed)
    return generator


class Optimiser:
    """Owns the weights' gradients, moments and running mean. ``step_number`` steps are done."""

    def __init__(self, network: nn.Module, settings: Optimising, seed: int) -> None:
        self.network = network
        self.settings = settings
        self.step_number = 0
        self._seed = seed
        self._names = [name for name, x in network.named_parameters() if x.requires_grad]
        self._weights = [x for x in network.parameters() if x.requires_grad]
        self._mean = [weight.detach().clone() for weight in self._weights]
        self._adam = torch.optim.AdamW(
            self._weights,
            lr=settings.learning_rate,
            betas=(0.9, 0.99),
            weight_decay=settings.weight_decay,
            foreach=True,
        )

    def step(self, loss: Loss) -> float:
        """Take one step; its loss. Raises UsageError when that is not a number any more."""
        settings = self.settings
        for group in self._adam.param_groups:
            group["lr"] = settings.learning_rate * self._warmth()
        value = loss(self.step_number, generator_of(self._seed, self.step_number))
        if not torch.isfinite(value):
            raise UsageError(
                f"the loss of step {self.step_number} is {value.item()}: "
                "a smaller learning_rate may help; the last checkpoint is whole"
            )
        self._adam.zero_grad(set_to_none=True)
        value.backward()
        torch.nn.utils.clip_grad_norm_(self._weights, settings.clip)
        self._adam.step()
        self.step_number += 1
        # Early on the mean would remember little but the beginning.
        keep = min(settings.ema, self.step_number / (10 + self.step_number))
        torch._foreach_lerp_(self._mean, [weight.detach() for weight in self._weights], 1 - keep)
        return value.item()

    def _warmth(self) -> float:
        """The share of the learning rate that this step has."""
        settings, done = self.settings, self.step_number
        if done < settings.warmup:
            return (done + 1) / settings.warmup
        along = (done - settings.warmup) / max(1, settings.steps - settings.warmup)
        return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, along)))

    def use_mean(self) -> None:
        """Give the network the running mean of its weights; training does not go on from there."""
        with torch.no_grad():
            for weight, mean in zip(self._weights, self._mean, strict=True):
                weight.copy_(mean)

    def mean_in(self, copy: nn.Module) -> None:
        """Have ``copy``, a network of the same shape, hold the running mean from now on."""
        for weight, mean in zip(copy.parameters(), self._mean, strict=True):
            weight.requires_grad_(False)
            weight.data = mean

    def state(self) -> dict[str, Tensor]:
        """All tensors that the next step depends on, by name; they are the living ones."""
        tensors: dict[str, Tensor] = {}
        for name, weight, mean in zip(self._names, self._weights, self._mean, strict=True):
            tensors[f"weight.{name}"] = weight
            tensors[f"mean.{name}"] = mean
            for moment in _MOMENTS:
                tensors[f"{moment}.{name}"] = self._adam.state[weight][moment]
        return tensors

    def restore(self, tensors: Mapping[str, Tensor], step: int) -> None:
        """Go on after ``step`` steps with what ``state`` gave then, exactly as without a break.

        Raises UsageError when it is of another network.
        """
        wanted = [f"{part}.{n}" for part in ("weight", "mean", *_MOMENTS) for n in self._names]
        odd = sorted({*wanted} ^ {*tensors})
        if odd:
            raise UsageError(f"it is of another network: {odd[0]} is missing or too much")
        with torch.no_grad():
            for name, weight, mean in zip(self._names, self._weights, self._mean, strict=True):
                _take(weight, tensors[f"weight.{name}"], name)
                _take(mean, tensors[f"mean.{name}"], name)
                self._adam.state[weight] = {
                    "step": torch.tensor(float(step)),
                    **{moment: tensors[f"{moment}.{name}"].clone() for moment in _MOMENTS},
                }
        self.step_number = step


def _take(into: Tensor, tensor: Tensor, name: str) -> None:
    if into.shape != tensor.shape:
        shapes = f"{list(tensor.shape)}, not {list(into.shape)}"
        raise UsageError(f"it is of another network: {name} is {shapes}")
    into.copy_(tensor)
