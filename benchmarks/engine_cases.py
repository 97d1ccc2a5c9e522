"""What the engine benchmark times: prefills of one prompt, and decode steps of a batch."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Case:
    """A step feeds ``rows`` tokens to each of ``sequences`` with ``before`` tokens in the cache."""

    rows: int
    sequences: int
    before: int

    @property
    def tokens(self) -> int:
        return self.rows * self.sequences

    @property
    def context(self) -> int:
        """Tokens of each sequence when the step is over."""
        return self.before + self.rows

    @property
    def name(self) -> str:
        if self.before:
            return f"decode, batch {self.sequences}, context {self.context}"
        return f"prefill {self.rows}"

    def request(self, variant: str) -> dict[str, object]:
        return {"variant": variant, **asdict(self)}


def decode(batch: int, context: int) -> Case:
    return Case(1, batch, context - 1)


PREFILLS = (128, 512, 2048)
BATCHES = (1, 2, 4, 8, 16, 32, 64)
CONTEXTS = (256, 1024)

FULL = tuple(Case(rows, 1, 0) for rows in PREFILLS) + tuple(
    decode(batch, context) for context in CONTEXTS for batch in BATCHES
)
QUICK = (Case(512, 1, 0), *(decode(batch, 256) for batch in (1, 8, 32)))
"""The rows for which targets are set."""
