"""``goodput bench search``: the goodput of a system."""

from __future__ import annotations

from typing import Annotated

import typer

from goodput.cli.bench.options import LoadOptions, Url
from goodput.cli.shared_options import with_options
from goodput.core.units import parse_duration


@with_options(LoadOptions)
def search(
    url: Url,
    budget: Annotated[str, typer.Option(help="Wall time of the whole search.")] = "5m",
    start: Annotated[float, typer.Option(help="The first rate, in requests per second.")] = 1.0,
    lowest: Annotated[float, typer.Option(help="No rate below this is tried.")] = 0.05,
    highest: Annotated[float, typer.Option(help="No rate above this is tried.")] = 1000.0,
    target: Annotated[
        float | None,
        typer.Option(help="Attainment to keep, like 0.95.", show_default="the SLO's, 0.9"),
    ] = None,
    tolerance: Annotated[
        float, typer.Option(help="Stop when the interval is this narrow: 0.1 is 10 %.")
    ] = 0.10,
    duration: Annotated[str, typer.Option(help="Shortest measured time of a rate.")] = "20s",
    requests: Annotated[int, typer.Option(min=1, help="Fewest requests that judge a rate.")] = 40,
    *,
    options: LoadOptions,
) -> None:
    """Find the highest rate at which attainment is at its target.

    Doubles or halves the rate until the target lies in between, then offers the rates that decide,
    each for a new window with a new seed, until the 95 % interval is narrow or the budget is spent.
    """
    from goodput.bench.run.promise import target_of
    from goodput.bench.search.drive import Effort, run_search
    from goodput.bench.search.policy import RateSearch
    from goodput.cli.bench.perform import perform

    load = options.load()
    effort = Effort(
        budget_s=parse_duration(budget, "--budget"),
        warmup_s=options.warmup_s,
        duration_s=parse_duration(duration, "--duration"),
        requests=requests,
        tolerance=tolerance,
    )
    policy = RateSearch(
        start=start,
        lowest=min(lowest, start),
        highest=max(highest, start),
        target=target_of(load.slo, load.workload) if target is None else target,
        seed=load.seed,
    )
    effort.check(policy, load)
    server = options.target(url)
    perform(lambda stop, live: run_search(server, load, policy, effort, stop, live), options)
