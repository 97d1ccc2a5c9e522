"""Traces that are CSV tables: Azure's LLM inference traces, and BurstGPT."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from goodput.bench.workloads.traces.rows import Row, Trace, make_row, refuse
from goodput.core.errors import UsageError

# The columns of time, prompt tokens and answer tokens, and how the time is written.
_AZURE = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
_BURSTGPT = ("Timestamp", "Request tokens", "Response tokens")


def read_table(path: Path, lines: list[str]) -> Trace:
    """Read a CSV trace; which one is told by its header.

    Raises UsageError naming the file, and the line when one is malformed.
    """
    header = next(csv.reader(lines[:1]), [])
    seconds: Callable[[str], float]
    if set(_AZURE) <= set(header):
        columns, seconds = _AZURE, _seconds_of_date
    elif set(_BURSTGPT) <= set(header):
        columns, seconds = _BURSTGPT, float
    else:
        raise UsageError(
            f"{path} is no trace: its first line is neither JSON nor a header with the columns "
            f"{', '.join(_AZURE)} (Azure) or {', '.join(_BURSTGPT)} (BurstGPT)"
        )
    places = [header.index(column) for column in columns]
    rows = [
        _read_row(path, number, fields, len(header), places, seconds)
        for number, fields in enumerate(csv.reader(lines[1:]), start=2)
        if fields
    ]
    rows.sort(key=lambda row: row.at)
    return Trace(rows)


def _read_row(
    path: Path,
    line: int,
    fields: list[str],
    width: int,
    places: list[int],
    seconds: Callable[[str], float],
) -> Row:
    if len(fields) != width:
        refuse(path, line, f"it has {len(fields)} fields, not {width}")
    time, prompt, answer = (fields[place] for place in places)
    try:
        return make_row(seconds(time), int(prompt), int(answer), line)
    except ValueError as error:
        refuse(path, line, str(error))


def _seconds_of_date(text: str) -> float:
    """Like ``2023-11-16 18:17:03.9799600``; only differences matter, so the zone does not."""
    date = datetime.fromisoformat(text).replace(tzinfo=None)
    return (date - datetime(1970, 1, 1)).total_seconds()
