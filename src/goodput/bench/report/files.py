"""A run's folder: written at the end of a run, and made again from its two data files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from goodput.bench.summary import BenchSummary, read_summary
from goodput.core.errors import UsageError
from goodput.core.files import write_atomically
from goodput.core.record import RequestRecord, read_records, write_records

RECORDS = "records.jsonl"
SUMMARY = "summary.json"
PAGE = "report.html"


def write_report(folder: Path, summary: BenchSummary, records: Sequence[RequestRecord]) -> None:
    """Write ``records.jsonl``, ``summary.json``, then the page and its pictures, each atomically.

    The figures come first, so that they are there even when a picture cannot be drawn.
    Raises UsageError naming the file that cannot be written.
    """
    write_records(folder / RECORDS, records)
    write_atomically(folder / SUMMARY, summary.to_json())
    _write_page(folder, summary, records)


def remake_report(folder: Path) -> BenchSummary:
    """Write the page and the pictures again from the data files alone; the summary they hold.

    Raises UsageError when a file is missing, damaged, or not of the same run as the other.
    """
    summary = read_summary(folder / SUMMARY)
    records = read_records(folder / RECORDS)
    if len(records) != summary.records:
        raise UsageError(
            f"{folder / RECORDS} has {len(records)} records, but {SUMMARY} beside it speaks of "
            f"{summary.records}: they are not of the same run"
        )
    _write_page(folder, summary, records)
    return summary


def check_folder(folder: Path) -> None:
    """Fail before a run, not after it, when its results could not be written: UsageError."""
    probe = folder / ".writable"
    write_atomically(probe, b"")
    probe.unlink(missing_ok=True)


def _write_page(folder: Path, summary: BenchSummary, records: Sequence[RequestRecord]) -> None:
    from goodput.bench.report.page import render_page
    from goodput.bench.report.pictures import PICTURES, draw_pictures

    pictures = draw_pictures(summary, records)
    for picture in pictures:
        write_atomically(folder / f"{picture.name}.png", picture.png)
    # What an earlier report drew and this one does not must not be taken for this run's.
    for name in set(PICTURES) - {picture.name for picture in pictures}:
        (folder / f"{name}.png").unlink(missing_ok=True)
    write_atomically(folder / PAGE, render_page(summary, pictures).encode())
