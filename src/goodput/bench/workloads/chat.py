"""``chat``: short single-turn conversations, as a small model on a small machine gets them.

Prompts have a median of 120 tokens (16 to 512), answers of 45 (8 to 160).
"""

from __future__ import annotations

from random import Random

from goodput.bench.workloads.prompts import PromptWorkload
from goodput.bench.workloads.text import prose
from goodput.core.slo import SLO
from goodput.core.slo_spec import SLOSpec

_QUESTION = "In a few plain sentences, tell me what you make of this."


def _write(rng: Random, tokens: int) -> str:
    return prose(rng, tokens - len(_QUESTION.split())) + " " + _QUESTION


CHAT = PromptWorkload(
    name="chat",
    slo=SLO(ttft=1.0, tpot=0.100),
    prompt=(120, 0.7, 16, 512),
    answer=(45, 0.6, 8, 160),
    write=_write,
    relative=SLOSpec(fixed=SLO(), times={"ttft": 5.0, "tpot": 3.0}),
)
