"""``report.html``: one file that needs nothing else, in light or dark as the reader likes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from goodput.bench.report.grids import (
    judged_grid,
    kinds_grid,
    latency_grid,
    rates_grid,
    ratios_grid,
    scales_grid,
)
from goodput.bench.report.notes import conclusions, promise, step_notes, verdict
from goodput.bench.report.style import Picture
from goodput.bench.summary import BenchSummary

_TEMPLATE = Path(__file__).with_name("page.html")


def render_page(summary: BenchSummary, pictures: Sequence[Picture]) -> str:
    """The whole page. Everything from the run is escaped: names are the users' and servers' own."""
    from jinja2 import Environment

    heading = f"{summary.model}: {summary.workload}"
    grids = [
        ratios_grid(summary),
        judged_grid(summary),
        rates_grid(summary),
        kinds_grid(summary),
        latency_grid(summary),
        scales_grid(summary),
    ]
    environment = Environment(autoescape=True, trim_blocks=True)
    return environment.from_string(_TEMPLATE.read_text("utf-8")).render(
        summary=summary,
        title=heading if summary.valid else f"INVALID: {heading}",
        heading=heading,
        reasons=summary.invalid_reasons(),
        promise=promise(summary),
        words=conclusions(summary),
        tables=[grid for grid in grids if grid is not None and grid.rows],
        notes=[*step_notes(summary), *([verdict(summary)] if summary.valid else [])],
        pictures=pictures,
        facts=_facts(summary),
    )


def _facts(summary: BenchSummary) -> list[tuple[str, str]]:
    facts = [("verb", summary.verb), ("SLO", promise(summary)), ("load", summary.load)]
    for endpoint in summary.endpoints:
        accepted = [
            name for name, value in msgspec.to_builtins(endpoint.dialect).items() if value is True
        ]
        name = endpoint.name or "endpoint"
        facts.append((name, f"{endpoint.model} at {endpoint.url}; accepts {', '.join(accepted)}"))
        for kind, alone in endpoint.unloaded.items():
            tpot = "" if alone.tpot is None else f", TPOT {alone.tpot * 1e3:.3g} ms"
            facts.append(
                (
                    f"{name}, unloaded {kind}",
                    f"TTFT {alone.ttft * 1e3:.3g} ms{tpot}, E2E {alone.e2e * 1e3:.3g} ms "
                    f"(medians of {alone.count})",
                )
            )
    return [
        *facts,
        ("requests", f"{summary.records}, warm-ups included"),
        ("schema", f"{summary.schema} (docs/bench.md)"),
    ]
