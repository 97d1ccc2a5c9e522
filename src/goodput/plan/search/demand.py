"""What a workload asks for: a sample of its requests, the same for every candidate and rate."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from goodput.core.errors import UsageError
from goodput.plan.scale.traffic import Arrivals

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Demand:
    """Requests in order of arrival; each array has shape (requests,), at least one request.

    ``times_s`` are arrivals from 0 on, at any pace: at a rate the pattern is compressed so that its
    own mean is that rate, to compare candidates and rates on common random numbers. ``prompts`` are
    the tokens to compute, ``outputs`` those to generate (both at least 1). ``memoryless``:
    arrivals are Poisson, so that the closed forms of queueing theory apply.
    """

    name: str
    times_s: Floats
    prompts: Integers
    outputs: Integers
    memoryless: bool = True

    def __post_init__(self) -> None:
        if not self.times_s.size:
            raise UsageError(f"the workload {self.name} has no arrivals: there is nothing to plan")
        if self.prompts.min() < 1 or self.outputs.min() < 1:
            raise UsageError(f"the workload {self.name} has requests without tokens")

    @property
    def requests(self) -> int:
        """How many there are in the sample."""
        return int(self.times_s.size)

    def at(self, rate: float) -> Arrivals:
        """The sample at ``rate`` requests per second, from its start to its last arrival."""
        stretch = self.requests / rate / self.times_s[-1]
        return Arrivals(self.times_s * stretch, self.prompts, self.outputs)

    @cached_property
    def pairs(self) -> Floats:
        """Query-key pairs of each prompt."""
        return np.asarray(self.prompts, np.float64) ** 2 / 2

    @cached_property
    def decode_steps(self) -> Floats:
        """Steps that each answer takes after its first token."""
        return np.asarray(self.outputs - 1, np.float64)

    @cached_property
    def context_steps(self) -> Floats:
        """Tokens of KV that each answer's decode steps read, all steps together."""
        steps = self.decode_steps
        return steps * self.prompts + steps * (steps - 1) / 2

    def resized(self, prompt_tokens: float, output_tokens: float) -> Demand:
        """The same pattern with lengths of other means, as a live server reports them."""
        return Demand(
            name=self.name,
            times_s=self.times_s,
            prompts=_scaled(self.prompts, prompt_tokens),
            outputs=_scaled(self.outputs, output_tokens),
            memoryless=self.memoryless,
        )


def _scaled(lengths: Integers, mean: float) -> Integers:
    scaled = np.rint(lengths * (mean / lengths.mean())).astype(np.int64)
    return np.asarray(np.maximum(1, scaled))
