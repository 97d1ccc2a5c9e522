"""The workloads by name. A new one is one file here and one line below."""

from __future__ import annotations

from goodput.bench.workloads.base import Workload
from goodput.bench.workloads.chat import ChatWorkload
from goodput.core.errors import UsageError

WORKLOADS: dict[str, Workload] = {
    "chat": ChatWorkload(),
}


def find_workload(name: str) -> Workload:
    """The workload of that name; raises UsageError that lists the names there are."""
    if name not in WORKLOADS:
        raise UsageError(f"there is no workload {name!r}; there is: {', '.join(sorted(WORKLOADS))}")
    return WORKLOADS[name]
