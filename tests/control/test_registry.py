"""Which workers can be spared."""

from __future__ import annotations

import pytest

from goodput.control.registry import Registry, SlotSpec, WorkerPhase, WorkerSlot
from goodput.core.config import EngineConfig, Role


@pytest.mark.parametrize(
    ("roles", "conditional", "spared"),
    [
        (["prefill", "decode"], False, []),
        (["prefill", "decode"], True, ["0", "1"]),
        (["prefill", "decode", "decode"], False, ["1", "2"]),
        (["mixed", "mixed"], False, ["0", "1"]),
        (["mixed"], True, []),
    ],
)
def test_a_worker_can_be_spared_when_the_others_serve_alone(
    roles: list[Role], conditional: bool, spared: list[str]
) -> None:
    slots = [
        WorkerSlot(SlotSpec(str(number), role, None, 0, 8), EngineConfig())
        for number, role in enumerate(roles)
    ]
    for slot in slots:
        slot.phase = WorkerPhase.READY
    registry = Registry(slots, conditional=conditional)
    assert [slot.name for slot in slots if registry.can_serve(without=slot)] == spared
