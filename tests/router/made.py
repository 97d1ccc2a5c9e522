"""Hand-made views and work."""

from __future__ import annotations

from typing import Any

from goodput.core.config import Role
from goodput.core.speeds import Speeds
from goodput.router.policy import Work, WorkerView
from goodput.workers.messages import WorkerLoad


def view(
    name: str, *, token_s: float = 1e-3, step_s: float = 0.02, growth_s: float = 0.0, **changes: Any
) -> WorkerView:
    """A worker whose role is the first part of its name, and whose speeds are known.

    A step of its present sequences takes ``step_s``; each further one adds ``growth_s``.
    """
    role: Role = name.split("-")[0]  # type: ignore[assignment]
    speeds = Speeds(token_s, step_s, changes.get("sequences", 0), growth_s, True, True)
    fields = {
        "max_sequences": 4,
        "chunk_tokens": 64,
        "load": WorkerLoad(free_blocks=100, total_blocks=100),
        "speeds": speeds,
    } | changes
    return WorkerView(name=name, role=role, **fields)


def load(slack_s: float | None = None, pace_s: float | None = None, free: int = 100) -> WorkerLoad:
    """A load report."""
    return WorkerLoad(free_blocks=free, total_blocks=100, slack_s=slack_s, pace_s=pace_s)


def work(
    tokens: int = 100, blocks: int = 4, *, cached: dict[str, int] | None = None, **promises: Any
) -> Work:
    """A prompt with an answer of 16 tokens."""
    return Work(tokens, blocks, cached or {}, **({"answer_tokens": 16} | promises))
