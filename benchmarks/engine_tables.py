"""The engine benchmark's tables, as Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence

from engine_footprint import Footprint
from engine_results import OURS, ContextCost, Row


def markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def rates_table(rows: Sequence[Row], singles: Mapping[str, Row]) -> str:
    """All of one number of threads. ``singles``: the one-thread rows by case; {}: no scaling."""
    peers = rows[0].peers
    headings = ["tokens per second", "ours (spread)", *(f"{peer} (ours: times)" for peer in peers)]
    headings += ["to the better peer"] if len(peers) > 1 else []
    headings += ["floor of a step", "share of it"] + (["to one thread"] if singles else [])
    lines = []
    for row in rows:
        rates = row.rates(OURS)
        line = [row.case.name, f"{_median(rates)} ({min(rates):.0f}–{max(rates):.0f})"]
        line += [_peer(row, peer) for peer in peers]
        line += [f"{row.ratio_to_best:.2f}x"] if len(peers) > 1 else []
        line += [_floor(row), f"{row.share:.0%}"]
        line += [f"{row.scaling(singles[row.case.name]):.2f}x"] if singles else []
        lines.append(line)
    return markdown(headings, lines)


def context_table(costs: Sequence[ContextCost]) -> str:
    headings = ["batch", "threads", "a step's extra ms", "reading the extra cache, ms", "ratio"]
    lines = []
    for cost in costs:
        extra, read = 1e3 * cost.extra_seconds, 1e3 * cost.read_seconds
        line = [str(cost.batch), str(cost.threads), f"{extra:.1f}", f"{read:.1f}"]
        lines.append([*line, f"{extra / read:.1f}x"])
    return markdown(headings, lines)


def footprint_table(footprints: Sequence[Footprint]) -> str:
    headings = ["process", "from start to ready, s", "USS, MB", "PSS, MB", "RSS, MB"]
    lines = [
        [
            footprint.label,
            f"{footprint.load_seconds:.1f}",
            f"{footprint.memory.uss / 1e6:.0f}",
            f"{footprint.memory.pss / 1e6:.0f}",
            f"{footprint.memory.rss / 1e6:.0f}",
        ]
        for footprint in footprints
    ]
    return markdown(headings, lines)


def _peer(row: Row, peer: str) -> str:
    several = len(row.seconds[peer]) > 1
    variant = f" {row.best_variant(peer)}" if several else ""
    return f"{_median(row.rates(peer))}{variant} ({row.ratio(peer):.2f}x)"


def _floor(row: Row) -> str:
    floors = row.floors
    seconds = statistics.median(floor.seconds for floor in floors)
    products = statistics.median(floor.product_seconds for floor in floors)
    read = statistics.median(floor.byte_seconds for floor in floors)
    if products > read:
        rate = statistics.median(floor.product_rate for floor in floors) / 1e9
        return f"{1e3 * seconds:.1f} ms, {rate:.0f} GOP/s"
    rate = statistics.median(floor.bandwidth for floor in floors) / 1e9
    return f"{1e3 * seconds:.1f} ms, {rate:.1f} GB/s"


def _median(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.0f}"
