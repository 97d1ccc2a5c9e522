"""Attainment and goodput over the offered rate, and the latencies behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from goodput.bench.report.groups import LATENCIES, Group
from goodput.bench.report.lines import (
    by_endpoint,
    endpoint_handles,
    log_scale,
    mark_bounds,
    plain_handle,
    slo_handle,
)
from goodput.bench.report.style import INK, MISS, new_figure
from goodput.bench.results import SearchResult
from goodput.core.percentiles import percentiles

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_QUANTILES = (("p50", "-"), ("p90", "--"), ("p99", ":"))


def draw_over_rates(groups: Sequence[Group], target: float, search: SearchResult | None) -> Figure:
    """Two panels with 95 % bands, one line an endpoint; a search's result as an upright band."""
    figure = new_figure(3.6)
    shares, goods = figure.subplots(1, 2)
    for colour, series in by_endpoint(groups):
        rates = [group.rate for group in series]
        bands = [group.interval for group in series]
        name = series[0].endpoint or None
        style = {"marker": "o", "markersize": 4.5, "color": colour, "label": name}
        shares.plot(rates, [100 * group.attainment for group in series], **style)
        shares.fill_between(
            rates,
            [100 * low for low, _ in bands],
            [100 * high for _, high in bands],
            color=colour,
            alpha=0.18,
            lw=0,
        )
        goods.plot(rates, [group.goodput for group in series], **style)
        goods.fill_between(
            rates,
            [low * group.offered for (low, _), group in zip(bands, series, strict=True)],
            [high * group.offered for (_, high), group in zip(bands, series, strict=True)],
            color=colour,
            alpha=0.18,
            lw=0,
        )
    shares.axhline(100 * target, color=MISS, lw=1.2, ls="--", label=f"target {target:.0%}")
    shares.set(ylim=(0, 103), ylabel="attainment, %", xlabel="offered rate, req/s")
    highest = max(group.rate for group in groups)
    goods.plot([0, highest], [0, highest], color=INK, lw=0.9, ls=":", label="all of it met")
    goods.set(ylabel="goodput, req/s", xlabel="offered rate, req/s")
    if search is not None:
        for axes in (shares, goods):
            axes.axvspan(search.low, search.high, color=INK, alpha=0.09, lw=0)
            axes.axvline(search.rate, color=INK, lw=1.1, label=f"goodput {search.rate:.3g} req/s")
    for axes in (shares, goods):
        axes.set_xlim(0, highest * 1.04)
        axes.legend(loc="best")
    goods.set_ylim(bottom=0)
    return figure


def draw_latencies(groups: Sequence[Group]) -> Figure:
    """p50, p90 and p99 of TTFT, TPOT and E2E over the rate, with the bounds; logarithmic."""
    figure = new_figure(3.4)
    for axes, (name, read) in zip(figure.subplots(1, 3), LATENCIES.items(), strict=True):
        for colour, series in by_endpoint(groups):
            found = [
                (group.rate, values)
                for group in series
                if (values := percentiles(map(read, group.records))) is not None
            ]
            for quantile, dash in _QUANTILES:
                axes.plot(
                    [rate for rate, _ in found],
                    [1e3 * getattr(values, quantile) for _, values in found],
                    ls=dash,
                    color=colour,
                    marker="o",
                    markersize=3.5,
                )
        mark_bounds(axes.axhline, groups, name)
        log_scale(axes.yaxis)
        axes.set(title=f"{name.upper()}, ms", xlabel="offered rate, req/s")
        axes.set_xlim(left=0)
    handles = [plain_handle(dash, name) for name, dash in _QUANTILES]
    handles += [*endpoint_handles(groups), slo_handle()]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure
