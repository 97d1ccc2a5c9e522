"""Which workers a deployment has, on which cores, with which blocks of the pool."""

from __future__ import annotations

import os
from collections.abc import Sequence

from goodput.control.registry import SlotSpec
from goodput.core.config import DeploymentConfig, Role

_ROLES: tuple[Role, ...] = ("prefill", "decode", "mixed")


def available_cores() -> list[int]:
    """The cores that this process may use."""
    return sorted(os.sched_getaffinity(0))


def plan_slots(config: DeploymentConfig, cores: Sequence[int]) -> list[SlotSpec]:
    """One spec per worker; block ranges follow each other from 0.

    Each worker gets ``engine.threads`` cores of its own when there are enough for all; else none
    is pinned, and the kernel shares the machine better than a plan would.
    """
    names: list[tuple[Role, int]] = [
        (role, number) for role in _ROLES for number in range(getattr(config.workers, role))
    ]
    threads = config.engine.threads
    pinned = len(names) * threads <= len(cores)
    blocks = max(1, config.engine.kv_tokens // config.engine.block_size)
    return [
        SlotSpec(
            name=f"{role}-{number}",
            role=role,
            cores=tuple(cores[index * threads : (index + 1) * threads]) if pinned else None,
            first_block=index * blocks,
            num_blocks=blocks,
        )
        for index, (role, number) in enumerate(names)
    ]
