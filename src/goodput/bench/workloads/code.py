"""``code``: completion in an editor; a medium prompt, a short answer that must start at once.

Prompts have a median of 120 tokens (32 to 400) of Python-like text, answers of 14 (2 to 48).
"""

from __future__ import annotations

from random import Random

from goodput.bench.workloads.prompts import PromptWorkload
from goodput.bench.workloads.words import WORDS
from goodput.core.slo import SLO
from goodput.core.slo_spec import SLOSpec

_TASK = "\n\n# Complete the next function of this program."
_TASK_TOKENS = 10
# Measured with SmolLM2's tokenizer; others cut code a little differently.
_FUNCTION_TOKENS = 29


def _write(rng: Random, tokens: int) -> str:
    count = max(1, round((tokens - _TASK_TOKENS) / _FUNCTION_TOKENS))
    return "\n\n".join(_function(rng) for _ in range(count)) + _TASK


def _function(rng: Random) -> str:
    name, first, second, result, other = rng.sample(WORDS, 5)
    number = rng.randrange(2, 100)
    return (
        f"def {name}({first}, {second}):\n"
        f"    {result} = {first} + {number} * {second}\n"
        f"    return {result} if {second} else {other}({first})"
    )


CODE = PromptWorkload(
    name="code",
    slo=SLO(ttft=0.6, tpot=0.100),
    prompt=(120, 0.5, 32, 400),
    answer=(14, 0.6, 2, 48),
    write=_write,
    relative=SLOSpec(fixed=SLO(), times={"ttft": 3.0, "tpot": 3.0}),
)
