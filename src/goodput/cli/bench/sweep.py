"""``goodput bench sweep``: attainment over rates, and over SLO scales at one of them."""

from __future__ import annotations

from typing import Annotated

import typer

from goodput.cli.bench.options import LoadOptions, Url, parse_numbers
from goodput.cli.shared_options import with_options
from goodput.core.units import parse_duration


@with_options(LoadOptions)
def sweep(
    url: Url,
    rates: Annotated[str, typer.Option(help="The rates, in requests per second.")] = "0.5,1,2,4",
    scales: Annotated[
        str, typer.Option(help="SLO scales: every bound times this.")
    ] = "0.25,0.5,0.75,1,1.25,1.5,2",
    scale_rate: Annotated[
        float | None,
        typer.Option(
            help="The one of --rates whose requests are judged at every scale.",
            show_default="the highest at target",
        ),
    ] = None,
    duration: Annotated[str, typer.Option(help="Measured time of each rate.")] = "30s",
    *,
    options: LoadOptions,
) -> None:
    """Attainment and latency over a range of rates, and attainment over SLO scales at one of them.

    The scales judge the same requests again: they need no load of their own.
    """
    from goodput.bench.run.runner import Step
    from goodput.bench.run.steps import BenchPlan
    from goodput.bench.sweep import Scales, run_sweep
    from goodput.cli.bench.perform import perform

    offered = sorted(set(parse_numbers(rates, "--rates")))
    seconds = parse_duration(duration, "--duration")
    plan = BenchPlan(
        target=options.target(url),
        load=options.load(),
        steps=tuple(Step(rate, options.warmup_s, seconds) for rate in offered),
    )
    plan.check()
    chosen = Scales(tuple(sorted(set(parse_numbers(scales, "--scales")))), scale_rate)
    chosen.check(plan)
    perform(lambda stop, live: run_sweep(plan, chosen, stop=stop, watch=live.watch), options)
