"""``goodput bench run``: one rate, or several in turn."""

from __future__ import annotations

from typing import Annotated

import typer

from goodput.cli.bench.options import LoadOptions, Url, parse_numbers
from goodput.cli.shared_options import with_options
from goodput.core.errors import UsageError
from goodput.core.units import parse_duration


@with_options(LoadOptions)
def run(
    url: Url,
    rate: Annotated[
        float | None,
        typer.Option(help="Requests per second.", show_default="1; of a trace its own"),
    ] = None,
    rates: Annotated[
        str | None, typer.Option(help="Several rates in turn, like 0.5,1,2; they share --duration.")
    ] = None,
    duration: Annotated[str, typer.Option(help="Length of the measured time.")] = "60s",
    *,
    options: LoadOptions,
) -> None:
    """Load a server at one rate, or several in turn, and report its goodput.

    Requests leave at times that a seed fixed beforehand, however slow the server is. A request
    counts when it met every bound of the SLO; failures count as misses. Ctrl-C reports and writes
    what there is.
    """
    from goodput.bench.run.steps import BenchPlan, run_bench, split_steps
    from goodput.cli.bench.perform import perform

    if rate is not None and rates is not None:
        raise UsageError("give either --rate or --rates, not both")
    load = options.load()
    if rates is not None:
        offered = parse_numbers(rates, "--rates")
    elif rate is None and load.workload.natural is not None:
        offered = [load.workload.natural.rate]
    else:
        offered = [1.0 if rate is None else rate]
    seconds = parse_duration(duration, "--duration")
    plan = BenchPlan(
        target=options.target(url),
        load=load,
        steps=split_steps(offered, seconds, options.warmup_s),
    )
    plan.check()
    perform(lambda stop, live: run_bench(plan, stop=stop, watch=live.watch), options)
