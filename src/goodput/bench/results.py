"""What the verbs find beyond the figures of their steps: parts of ``summary.json``.

``docs/bench.md`` has the table of all fields; a test keeps it equal to these structs. Rates are
per second, shares 0..1; ``low`` and ``high`` always bound the confidence interval of the figure
beside them.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Censored = Literal["none", "above", "below"]


class JudgedRate(msgspec.Struct, frozen=True, kw_only=True):
    """All requests that were judged at one offered rate: ``met`` of ``trials``."""

    rate: float
    met: int
    trials: int
    attainment: float
    low: float
    high: float


class SearchResult(msgspec.Struct, frozen=True, kw_only=True):
    """The goodput of a system: the highest rate with attainment at ``target``.

    ``censored``: ``above`` when even the highest rate that was allowed met the target (the goodput
    is at least ``rate``), ``below`` when even the lowest missed it (at most ``rate``).
    ``confidence`` is that of ``low`` and ``high``, like 0.95. ``words`` says the same to a person.
    """

    rate: float
    low: float
    high: float
    confidence: float
    target: float
    censored: Censored
    judged: list[JudgedRate]
    words: str


class SweepPoint(msgspec.Struct, frozen=True, kw_only=True):
    """The requests of one rate judged by their bounds times ``scale``."""

    scale: float
    met: int
    trials: int
    attainment: float
    low: float
    high: float


class SweepResult(msgspec.Struct, frozen=True, kw_only=True):
    """The second axis of a sweep; the first, over rates, is the summary's steps.

    ``tightest`` is the smallest of the scales at and above which attainment is at ``target``; None
    when no scale is.
    """

    rate: float
    target: float
    scales: list[SweepPoint]
    tightest: float | None
    words: str


class Ratio(msgspec.Struct, frozen=True, kw_only=True):
    """``figure`` of endpoint ``name`` (``own``) divided by the baseline's (``base``), all blocks
    together; None where it is undefined.

    ``figure`` is like ``goodput``, ``attainment``, ``ttft_p50`` or ``tpot_p99``; ``better`` says
    which direction is good for it.
    """

    name: str
    figure: str
    better: Literal["higher", "lower"]
    own: float | None = None
    base: float | None = None
    value: float | None
    low: float | None
    high: float | None


class CompareResult(msgspec.Struct, frozen=True, kw_only=True):
    """Endpoints under the same seeds, in ``blocks`` interleaved in time.

    ``names`` are in the order given; the first is the ``baseline`` of every ratio.
    """

    names: list[str]
    baseline: str
    blocks: int
    confidence: float
    ratios: list[Ratio]
    words: str
