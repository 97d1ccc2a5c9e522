"""How lines for endpoints, rates and bounds look, the same in all pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from goodput.bench.report.groups import Group, bounds_of
from goodput.bench.report.style import GRID, INK, MISS, SERIES, colours, plain_log_ticks

_DASHES = ("-", "--", ":", "-.")


def by_endpoint(groups: Sequence[Group]) -> list[tuple[str, list[Group]]]:
    """A colour and the groups of each endpoint, in order."""
    names = list(dict.fromkeys(group.endpoint for group in groups))
    return [
        (SERIES[number % len(SERIES)], [group for group in groups if group.endpoint == name])
        for number, name in enumerate(names)
    ]


def group_lines(groups: Sequence[Group]) -> list[dict[str, Any]]:
    """A style a group: colours run along the rates, or tell endpoints, and dashes the rates."""
    series = by_endpoint(groups)
    if len(series) == 1:
        return [{"color": colour} for colour in colours(len(groups))]
    return [
        {"color": colour, "ls": _DASHES[number % len(_DASHES)]}
        for colour, members in series
        for number, _ in enumerate(members)
    ]


def endpoint_handles(groups: Sequence[Group]) -> list[Any]:
    """Legend entries for the endpoints' colours; none for a nameless one."""
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], color=colour, label=members[0].endpoint)
        for colour, members in by_endpoint(groups)
        if members[0].endpoint
    ]


def slo_handle() -> Any:
    """The legend entry of :func:`mark_bounds`."""
    from matplotlib.lines import Line2D

    return Line2D([], [], color=MISS, lw=1.2, ls="--", label="SLO")


def plain_handle(dash: str, label: str) -> Any:
    """A legend entry for a dash in the text's colour."""
    from matplotlib.lines import Line2D

    return Line2D([], [], color=INK, ls=dash, label=label)


def mark_bounds(line: Callable[..., Any], groups: Sequence[Group], name: str) -> None:
    """``line`` (axhline or axvline) at each distinct bound, in milliseconds."""
    for bound in bounds_of((record for group in groups for record in group.records), name):
        line(1e3 * bound, color=MISS, lw=1.2, ls="--")


def log_scale(axis: Any) -> None:
    """A logarithmic axis with plain numbers and a fine grid."""
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    plain_log_ticks(axis)
    axis.grid(which="minor", color=GRID, lw=0.3)
