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
    is pinned, and the kernel shares the machine better than a plan would. With a planner there are
    as many slots as it may ever fill.
    """
    roles = [role for role in _ROLES for _ in range(getattr(config.workers, role))]
    threads = config.engine.threads
    wanted = len(roles)
    if config.planner.enabled:
        # Roles change, so names must not tell them; what may be added has its blocks already.
        _, most = config.planner.bounds(wanted, threads)
        roles += [roles[-1]] * (most - wanted)
        names = [f"worker-{number}" for number in range(most)]
    else:
        names = [f"{role}-{roles[:index].count(role)}" for index, role in enumerate(roles)]
    pinned = len(names) * threads <= len(cores)
    blocks = max(1, config.engine.kv_tokens // config.engine.block_size)
    return [
        SlotSpec(
            name=name,
            role=role,
            cores=tuple(cores[index * threads : (index + 1) * threads]) if pinned else None,
            first_block=index * blocks,
            num_blocks=blocks,
            wanted=index < wanted,
        )
        for index, (name, role) in enumerate(zip(names, roles, strict=True))
    ]
