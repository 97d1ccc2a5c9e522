"""Accelerators by their datasheets (``data/accelerators.json``, each number with its source)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

_DATA = Path(__file__).with_name("data") / "accelerators.json"


class Accelerator(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One accelerator in a node of ``node`` like it. Rates per second, one way where it matters.

    ``link_bytes_per_s`` leads to the others of the node, ``network_bytes_per_s`` out of it. The
    efficiencies are the shares of the datasheet's rates that serving reaches; ``uncertainty`` is
    the factor by which times made of them may be off either way. ``sources`` names, for each
    number, where it is from.
    """

    name: str = ""
    title: str
    bf16_flops: float
    memory_bytes: float
    memory_bytes_per_s: float
    link_bytes_per_s: float
    network_bytes_per_s: float
    node: int
    compute_efficiency: float
    memory_efficiency: float
    uncertainty: float
    sources: dict[str, str]

    @property
    def real_flops(self) -> float:
        """Operations per second that matrix products reach."""
        return self.bf16_flops * self.compute_efficiency

    @property
    def real_memory_bytes_per_s(self) -> float:
        """Bytes per second that reading weights and KV reaches."""
        return self.memory_bytes_per_s * self.memory_efficiency


@cache
def accelerators() -> dict[str, Accelerator]:
    """All that are known, by name."""
    found = msgspec.json.decode(_DATA.read_bytes(), type=dict[str, Accelerator])
    return {name: msgspec.structs.replace(one, name=name) for name, one in found.items()}
