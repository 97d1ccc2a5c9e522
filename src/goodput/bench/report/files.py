"""Writes a run's files into a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from goodput.bench.report.timeline import draw_timeline
from goodput.bench.summary import BenchSummary
from goodput.core.files import write_atomically
from goodput.core.record import RequestRecord, write_records


def write_report(folder: Path, summary: BenchSummary, records: Sequence[RequestRecord]) -> None:
    """Write ``records.jsonl``, ``summary.json`` and ``timeline.png``, each atomically.

    The figures come first, so that they are there even when the picture cannot be drawn.
    Raises UsageError naming the file that cannot be written.
    """
    write_records(folder / "records.jsonl", records)
    write_atomically(folder / "summary.json", summary.to_json())
    write_atomically(folder / "timeline.png", draw_timeline(summary, records))


def check_folder(folder: Path) -> None:
    """Fail before a run, not after it, when its results could not be written: UsageError."""
    probe = folder / ".writable"
    write_atomically(probe, b"")
    probe.unlink(missing_ok=True)
