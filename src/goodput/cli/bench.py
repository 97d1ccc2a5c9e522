"""``goodput bench``: load an OpenAI-compatible server and report its goodput."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from goodput.core.errors import UsageError
from goodput.core.slo import SLO
from goodput.core.units import parse_duration


def bench(
    url: Annotated[str, typer.Argument(help="The server, like http://127.0.0.1:8000.")],
    workload: Annotated[str, typer.Option(help="The kind of requests.")] = "chat",
    rate: Annotated[
        float | None, typer.Option(help="Requests per second.", show_default="1")
    ] = None,
    rates: Annotated[
        str | None, typer.Option(help="Several rates in turn, like 0.5,1,2; they share --duration.")
    ] = None,
    duration: Annotated[str, typer.Option(help="Length of the measured time.")] = "60s",
    warmup: Annotated[str, typer.Option(help="Unmeasured time before each rate.")] = "5s",
    drain: Annotated[
        str, typer.Option(help="How long requests may go on after it; 0s cuts them off.")
    ] = "30s",
    timeout: Annotated[str, typer.Option(help="Longest time for one request.")] = "120s",
    arrivals: Annotated[str, typer.Option(help="poisson or constant.")] = "poisson",
    seed: Annotated[int, typer.Option(help="Fixes the arrivals and the prompts.")] = 0,
    slo: Annotated[
        str | None,
        typer.Option(help="Bounds, like ttft=400ms,tpot=50ms.", show_default="the workload's"),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Model name.", show_default="the server's first")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for records.jsonl, summary.json and timeline.png."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON only.")] = False,
    api_key: Annotated[
        str | None,
        typer.Option(help="Key of the server.", envvar="OPENAI_API_KEY", show_default=False),
    ] = None,
) -> None:
    """Load any OpenAI-compatible server with timed requests and report its goodput.

    Requests leave at times that a seed fixed beforehand, however slow the server is. A request
    counts when it met every bound of the SLO; failures count as misses. Ctrl-C reports and writes
    what there is.
    """
    from rich.console import Console

    from goodput.bench.report.files import check_folder, write_report
    from goodput.bench.report.table import print_tables
    from goodput.bench.run.foreground import run_in_foreground
    from goodput.bench.run.session import BenchPlan, split_steps

    plan = BenchPlan(
        url=url,
        steps=split_steps(
            _rates(rate, rates),
            parse_duration(duration, "--duration"),
            parse_duration(warmup, "--warmup"),
        ),
        workload=workload,
        arrivals=arrivals,
        seed=seed,
        slo=SLO.parse(slo) if slo is not None else None,
        model=model,
        drain_s=parse_duration(drain, "--drain"),
        timeout_s=parse_duration(timeout, "--timeout"),
    )
    plan.check()
    if out is not None:
        check_folder(out)
    messages = Console(stderr=True)
    summary, records = run_in_foreground(plan, api_key, messages)
    # Files first: a reader of the tables that goes away (`… | head`) must not cost the results.
    if out is not None:
        write_report(out, summary, records)
        messages.print(
            f"wrote {out}: records.jsonl, summary.json, timeline.png", markup=False, soft_wrap=True
        )
    if json:
        typer.echo(summary.to_json(), nl=False)
    else:
        print_tables(summary, Console())
    if summary.interrupted:
        raise typer.Exit(130)


def _rates(rate: float | None, rates: str | None) -> list[float]:
    if rates is None:
        return [1.0 if rate is None else rate]
    if rate is not None:
        raise UsageError("give either --rate or --rates, not both")
    try:
        return [float(part) for part in rates.split(",")]
    except ValueError:
        raise UsageError(f"--rates must be numbers like 0.5,1,2, not {rates!r}") from None
