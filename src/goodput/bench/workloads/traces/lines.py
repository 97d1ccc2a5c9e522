"""Traces that are JSON lines: Mooncake's, and our own ``records.jsonl``."""

from __future__ import annotations

from pathlib import Path

import msgspec

from goodput.bench.workloads.traces.rows import Block, Row, Trace, check_row, make_row, refuse
from goodput.core.errors import UsageError
from goodput.core.record import RequestRecord

# Mooncake's: every hash id stands for this many tokens of the prompt, the last one for the rest.
_BLOCK_TOKENS = 512
# Its conversation trace counts time in such ticks.
_TICK_MS = 3000


class _MooncakeRow(msgspec.Struct):
    timestamp: float
    input_length: int
    output_length: int
    hash_ids: list[int]


def read_lines(path: Path, lines: list[str]) -> Trace:
    """Read a JSONL trace; which one is told by its first line.

    Raises UsageError naming the file, and the line when one is malformed.
    """
    try:
        first = msgspec.json.decode(lines[0])
    except msgspec.DecodeError as error:
        refuse(path, 1, str(error))
    if isinstance(first, dict) and "input_length" in first:
        return _read_mooncake(path, lines)
    if isinstance(first, dict) and "scheduled" in first:
        return _read_records(path, lines)
    raise UsageError(
        f"{path} is no trace: its first line has neither Mooncake's input_length nor the scheduled "
        "of a request record"
    )


def _read_mooncake(path: Path, lines: list[str]) -> Trace:
    decoder = msgspec.json.Decoder(_MooncakeRow)
    rows: list[Row] = []
    stamps: set[float] = set()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = decoder.decode(line)
            check_row(row.timestamp / 1e3, row.input_length, row.output_length)
            blocks = _blocks(row)
        except (msgspec.MsgspecError, ValueError) as error:
            refuse(path, number, str(error))
        stamps.add(row.timestamp)
        rows.append(Row(row.timestamp / 1e3, blocks, max(1, row.output_length)))
    rows.sort(key=lambda row: row.at)
    on_grid = len(stamps) > 1 and all(stamp % _TICK_MS == 0 for stamp in stamps)
    return Trace(rows, tick_s=_TICK_MS / 1e3 if on_grid else 0.0)


def _blocks(row: _MooncakeRow) -> tuple[Block, ...]:
    needed = -(-row.input_length // _BLOCK_TOKENS)
    if len(row.hash_ids) != needed:
        raise ValueError(
            f"{row.input_length} tokens are {needed} blocks, but there are {len(row.hash_ids)} ids"
        )
    rest = row.input_length - _BLOCK_TOKENS * (needed - 1)
    lengths = [*[_BLOCK_TOKENS] * (needed - 1), rest]
    return tuple(
        Block(f"hash {id_}", length) for id_, length in zip(row.hash_ids, lengths, strict=True)
    )


def _read_records(path: Path, lines: list[str]) -> Trace:
    decoder = msgspec.json.Decoder(RequestRecord)
    rows: list[Row] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = decoder.decode(line)
            # A request that failed before its usage came says nothing about its lengths.
            if record.status == "ok" or record.prompt_tokens:
                rows.append(
                    make_row(record.scheduled, record.prompt_tokens, record.output_tokens, number)
                )
        except (msgspec.MsgspecError, ValueError) as error:
            refuse(path, number, str(error))
    rows.sort(key=lambda row: row.at)
    return Trace(rows)
