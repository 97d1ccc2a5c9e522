"""Ratios of figures between servers, with bootstrap intervals that keep pairs together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from goodput.bench.compare.verdict import in_words
from goodput.bench.results import CompareResult, Ratio
from goodput.core.percentiles import percentile
from goodput.core.record import RequestRecord

# The measured requests of each server in one block, by its name: one schedule for all.
Block = Mapping[str, Sequence[RequestRecord]]
Array = npt.NDArray[np.float64]

CONFIDENCE = 0.95
_REPLICATES = 500
_QUANTILES = (0.50, 0.90, 0.99)
_TIMES = ("ttft", "tpot", "e2e")
_FIGURES = (
    "goodput",
    "attainment",
    *(f"{time}_p{quantile * 100:.0f}" for time in _TIMES for quantile in _QUANTILES),
)


def judge_ratios(
    names: Sequence[str], blocks: Sequence[Block], block_s: float, seed: int
) -> CompareResult:
    """Every figure of ``names[1:]`` divided by that of ``names[0]``, the baseline.

    ``blocks`` (at least one, of ``block_s`` measured seconds) hold every name, with a request of
    it in one of them at least.
    A replicate of the bootstrap draws blocks, then requests inside them, and the same ones for
    every server: they were asked the same at the same place of the schedule.
    """
    tables = [[_table(block[name]) for block in blocks] for name in names]
    found = np.stack([_figures(np.concatenate(table)) for table in tables])
    found[:, _FIGURES.index("goodput")] /= len(blocks) * block_s
    rng = np.random.default_rng(seed)
    drawn = np.stack([_replicate(tables, rng) for _ in range(_REPLICATES)])
    ratios = [
        _ratio(names[row], column, found[:, column], drawn[:, :, column], row)
        for row in range(1, len(names))
        for column in range(len(_FIGURES))
    ]
    attainment = dict(zip(names, found[:, _FIGURES.index("attainment")].tolist(), strict=True))
    return CompareResult(
        names=list(names),
        baseline=names[0],
        blocks=len(blocks),
        confidence=CONFIDENCE,
        ratios=ratios,
        words=in_words(names[0], ratios, attainment),
    )


def _table(records: Sequence[RequestRecord]) -> Array:
    """``[requests, 4]``: whether it met, TTFT, TPOT and E2E in seconds; nan where there is none.

    As in a window's summary, TPOT and E2E are of requests that ended well.
    """
    rows = [
        (
            float(record.met()),
            record.ttft,
            record.tpot if record.status == "ok" else None,
            record.e2e if record.status == "ok" else None,
        )
        for record in records
    ]
    return np.array(rows, dtype=float).reshape(-1, 1 + len(_TIMES))


def _figures(table: Array) -> Array:
    """One value per name in ``_FIGURES``; goodput lacks the time, which all share."""
    met = table[:, 0].sum()
    values = [met, met / len(table) if len(table) else np.nan]
    for column in table[:, 1:].T:
        known = np.sort(column[~np.isnan(column)]).tolist()
        values.extend(percentile(known, q) if known else np.nan for q in _QUANTILES)
    return np.array(values)


def _replicate(tables: Sequence[Sequence[Array]], rng: np.random.Generator) -> Array:
    """``[servers, figures]`` of one draw."""
    count = len(tables[0])
    parts: list[list[Array]] = [[] for _ in tables]
    for block in rng.integers(count, size=count):
        places = rng.random(max(len(table[block]) for table in tables))
        for part, table in zip(parts, tables, strict=True):
            rows = table[block]
            part.append(rows[(places[: len(rows)] * len(rows)).astype(int)])
    return np.stack([_figures(np.concatenate(part)) for part in parts])


def _ratio(name: str, figure: int, found: Array, drawn: Array, row: int) -> Ratio:
    """``found`` ``[servers]`` and ``drawn`` ``[replicates, servers]`` of one figure."""
    own, base = (float(value) if np.isfinite(value) else None for value in found[[row, 0]])
    value = low = high = None
    if own is not None and base:
        value = own / base
        # A draw in which the baseline has nothing counts as infinitely many times more.
        ratios = np.full(len(drawn), np.inf)
        np.divide(drawn[:, row], drawn[:, 0], out=ratios, where=drawn[:, 0] > 0)
        ratios = np.sort(np.nan_to_num(ratios, nan=np.inf, posinf=np.inf))
        tail = round((1 - CONFIDENCE) / 2 * (len(ratios) - 1))
        low, high = (
            float(end) if np.isfinite(end) else None for end in (ratios[tail], ratios[-1 - tail])
        )
    return Ratio(
        name=name,
        figure=_FIGURES[figure],
        better="higher" if _FIGURES[figure] in ("goodput", "attainment") else "lower",
        own=own,
        base=base,
        value=value,
        low=low,
        high=high,
    )
