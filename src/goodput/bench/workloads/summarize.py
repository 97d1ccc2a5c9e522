"""``summarize``: long articles and answers of medium length; the reader can wait for the start.

Prompts have a median of 600 tokens (300 to 1200), answers of 60 (16 to 160).
"""

from __future__ import annotations

from random import Random

from goodput.bench.workloads.prompts import PromptWorkload
from goodput.bench.workloads.text import prose
from goodput.core.slo import SLO
from goodput.core.slo_spec import SLOSpec

_TASK = "Summarize the text above in a few sentences."


def _write(rng: Random, tokens: int) -> str:
    return prose(rng, tokens - len(_TASK.split()) - 1) + "\n\n" + _TASK


SUMMARIZE = PromptWorkload(
    name="summarize",
    slo=SLO(ttft=4.0, tpot=0.100),
    prompt=(600, 0.4, 300, 1200),
    answer=(60, 0.5, 16, 160),
    write=_write,
    relative=SLOSpec(fixed=SLO(), times={"ttft": 8.0, "tpot": 3.0}),
)
