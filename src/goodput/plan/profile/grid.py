"""Which steps are timed to calibrate a worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_PROMPTS: Final = (16, 48, 128, 256, 512)
_CACHED: Final = (0, 512, 1024)
_BATCHES: Final = (1, 2, 4, 8, 16, 32)
_CONTEXTS: Final = (64, 256, 1024)
_MIXED_PROMPTS: Final = (32, 64, 128)
_MIXED_BATCHES: Final = (1, 4, 16)


@dataclass(frozen=True, slots=True)
class Shape:
    """One step: a prompt chunk of ``prompt`` tokens behind ``cached`` ones (0: none), and
    ``batch`` sequences that decode with ``context`` tokens each (0: none)."""

    prompt: int = 0
    cached: int = 0
    batch: int = 0
    context: int = 0

    @property
    def region(self) -> str:
        """ "prefill", "decode" or "mixed"."""
        if self.prompt and self.batch:
            return "mixed"
        return "prefill" if self.prompt else "decode"

    def tokens(self, block: int) -> int:
        """KV that it needs, whole blocks."""
        whole = -(-(self.prompt + self.cached) // block) if self.prompt else 0
        each = -(-(self.context + 1) // block) if self.batch else 0
        return (whole + self.batch * each) * block


def shapes(*, token_budget: int, context_length: int, kv_tokens: int, block: int) -> list[Shape]:
    """The steps that an engine with these limits can take, region by region."""
    found = [Shape(prompt=p, cached=c) for c in _CACHED for p in _PROMPTS]
    found += [Shape(batch=b, context=c) for c in _CONTEXTS for b in _BATCHES]
    found += [
        Shape(prompt=p, cached=c, batch=b, context=k)
        for p in _MIXED_PROMPTS
        for b in _MIXED_BATCHES
        for c, k in ((0, 256), (512, 64))
    ]
    return [
        shape
        for shape in found
        if shape.prompt + shape.batch <= token_budget
        and max(shape.prompt + shape.cached, shape.context + 1) < context_length
        and shape.tokens(block) <= kv_tokens
    ]
