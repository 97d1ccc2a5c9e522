"""The workloads by name. A new one is one file here and one line below."""

from __future__ import annotations

from pathlib import Path

from goodput.bench.workloads.agents import AgentsWorkload
from goodput.bench.workloads.base import Workload
from goodput.bench.workloads.chat import CHAT
from goodput.bench.workloads.code import CODE
from goodput.bench.workloads.dataset import DatasetWorkload
from goodput.bench.workloads.mixed import MixedWorkload
from goodput.bench.workloads.summarize import SUMMARIZE
from goodput.bench.workloads.traces.replay import Replay, TraceWorkload
from goodput.core.errors import UsageError

WORKLOADS: dict[str, Workload] = {
    workload.name: workload
    for workload in (
        CHAT,
        CODE,
        SUMMARIZE,
        AgentsWorkload(),
        MixedWorkload("mixed", {CHAT: 0.60, CODE: 0.25, SUMMARIZE: 0.15}),
    )
}


def find_workload(text: str, replay: Replay | None = None) -> Workload:
    """A workload by its name, or ``trace:FILE`` or ``dataset:FILE``; ``replay`` is for traces only.

    Raises UsageError that lists the names there are, or says what is wrong with the file.
    """
    name, colon, file = text.partition(":")
    if name == "trace" and file:
        return TraceWorkload(Path(file), replay)
    if replay is not None and replay != Replay():
        raise UsageError(
            "--time-scale, --length-scale and --window are for --workload trace:FILE only"
        )
    if name == "dataset" and file:
        return DatasetWorkload(Path(file))
    if colon or name not in WORKLOADS:
        names = ", ".join([*sorted(WORKLOADS), "trace:FILE", "dataset:FILE"])
        raise UsageError(f"there is no workload {text!r}; there is: {names}")
    return WORKLOADS[name]
