"""The three applications of the DistServe paper share this shape: one prompt, one answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from goodput.bench.workloads.base import Message, PlannedRequest, Workload, generator
from goodput.bench.workloads.text import Length, lognormal
from goodput.core.slo import SLO
from goodput.core.slo_spec import SLOSpec

# The prompt's text, of about so many tokens, from the generator.
Write = Callable[[Random, int], str]


@dataclass(frozen=True, eq=False)
class PromptWorkload(Workload):
    """Single-turn requests of lognormal lengths, each with other words from its first on.

    So a prefix cache can reuse only what the chat template puts in front.
    """

    name: str
    slo: SLO
    prompt: Length
    answer: Length
    write: Write
    relative: SLOSpec

    def request(self, seed: int, index: int) -> PlannedRequest:
        rng = generator(self.name, seed, index)
        prompt_tokens, answer_tokens = lognormal(rng, self.prompt), lognormal(rng, self.answer)
        return PlannedRequest(
            messages=(Message("user", self.write(rng, prompt_tokens)),),
            max_tokens=answer_tokens,
            kind=self.name,
            slo=self.slo,
        )
