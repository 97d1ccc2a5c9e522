"""Every simulated step as a Chrome trace: open it in ui.perfetto.dev or chrome://tracing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from goodput.core.files import write_atomically
from goodput.plan.profile.schema import StepLoad
from goodput.plan.simulate.fleet import NoteStep


class Trace:
    """Collects steps; a row a worker."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._events: list[dict[str, Any]] = []

    def at(self, origin: float) -> NoteStep:
        """A note for steps that are counted from ``origin`` (seconds) on the trace's clock."""

        def note(worker: str, start: float, end: float, load: StepLoad) -> None:
            row = self._rows.setdefault(worker, len(self._rows))
            self._events.append(
                {
                    "name": _name(load),
                    "ph": "X",
                    "ts": round((origin + start) * 1e6, 3),
                    "dur": round((end - start) * 1e6, 3),
                    "pid": 0,
                    "tid": row,
                    "args": msgspec.to_builtins(load),
                }
            )

        return note

    def write(self, path: Path) -> None:
        """As JSON, atomically; raises UsageError naming the file."""
        names = [
            {"name": "thread_name", "ph": "M", "pid": 0, "tid": row, "args": {"name": worker}}
            for worker, row in self._rows.items()
        ]
        write_atomically(path, msgspec.json.encode({"traceEvents": names + self._events}))


def _name(load: StepLoad) -> str:
    if load.prefill_tokens and load.decode_rows:
        return "mixed"
    return "prefill" if load.prefill_tokens else "decode"
