"""What the scheduler hands to an executor and gets back.

Plain data, no tensors: the same plan is executed by a model, or by a latency model in simulation.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Tokens
from dataclasses import dataclass, field
from typing import Protocol

from goodput.core.request import TokenLogprobs
from goodput.engine.sequence import Sequence


@dataclass(slots=True)
class Chunk:
    """Positions ``start .. start + count`` of one sequence, to be computed in this step.

    Their KV goes to ``sequence.blocks``, which already hold room for them. When ``samples`` is
    true the chunk reaches the last known token, so its logits give the next token.

    ``drafts`` are guesses of the tokens after that one, computed in the same step at the positions
    that follow, for which there is room too. They are no part of the sequence: whatever of their KV
    turns out wrong is overwritten later. No draft but the last can be answered by a token that ends
    the sequence, so an executor need not know when it ends.
    """

    sequence: Sequence
    start: int
    count: int
    samples: bool
    drafts: tuple[int, ...] = ()

    @property
    def rows(self) -> int:
        """Rows that the model computes: positions ``start .. start + rows``."""
        return self.count + len(self.drafts)

    @property
    def tokens(self) -> list[int]:
        """The tokens of its rows (a new list)."""
        return [*self.sequence.tokens[self.start : self.start + self.count], *self.drafts]


@dataclass(slots=True)
class StepPlan:
    """One step's work, decided by the scheduler. Chunks of distinct sequences, in a fixed order.

    ``fetched`` tokens had their KV read back from a memory tier while the step was planned.
    """

    chunks: list[Chunk] = field(default_factory=list)
    fetched: int = 0

    @property
    def tokens(self) -> int:
        """Rows that the model computes in this step."""
        return sum(chunk.rows for chunk in self.chunks)

    def by_phase(self) -> tuple[int, int]:
        """Prompt tokens and decoding sequences of this step, drafts left out.

        A chunk of one token is a decode, or the tail of a prompt, which costs the same.
        """
        decodes = sum(1 for chunk in self.chunks if chunk.count == 1)
        return sum(chunk.count for chunk in self.chunks) - decodes, decodes


@dataclass(slots=True, frozen=True)
class Sampled:
    """A next token of one chunk's sequence."""

    token: int
    logprobs: TokenLogprobs | None = None


class Executor(Protocol):
    """Computes a plan. Stateless between steps except for the KV pool that it writes."""

    def execute(self, plan: StepPlan) -> list[list[Sampled]]:
        """For each chunk the next tokens of its sequence: none where ``samples`` is false.

        The first is what follows the last known token. One more follows for each draft that equals
        the token before it, up to the first that does not (see ``verified``). Blocks until done.
        """
        ...


def verified(chunk: Chunk, pick: Callable[[int, Tokens[int]], Sampled]) -> list[Sampled]:
    """The next tokens of a chunk that samples, each chosen as it would be without drafts.

    ``pick(number, tokens)`` chooses what follows ``tokens`` (all of the sequence so far, the
    ``number`` drafts that were right included) by the logits of the row of their last token. It
    must not keep or change ``tokens``.
    """
    tokens = chunk.sequence.tokens
    sampled = [pick(0, tokens)]
    for number, draft in enumerate(chunk.drafts, 1):
        if sampled[-1].token != draft:
            break
        tokens = [*tokens, draft]
        sampled.append(pick(number, tokens))
    return sampled
