"""``goodput bench selfcheck``: how exact the load generator is on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from goodput.core.units import parse_duration


def selfcheck(
    rate: Annotated[float, typer.Option(help="The highest rate to try, in requests/s.")] = 500.0,
    tokens: Annotated[int, typer.Option(min=1, help="Tokens of each answer.")] = 50,
    duration: Annotated[str, typer.Option(help="Measured time of each rate.")] = "5s",
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON only.")] = False,
) -> None:
    """Measure the load generator itself, against a built-in server that knows its token times.

    Offers --rate, then four, three, two and one fifth and a tenth of it, and ends with the first
    that can be measured to within a millisecond: that is what this machine holds.
    """
    import asyncio

    from rich.console import Console

    from goodput.bench.run.loop import new_loop
    from goodput.bench.selfcheck.check import check_rates, ladder
    from goodput.bench.selfcheck.errors import CheckedRate
    from goodput.bench.selfcheck.process import timed_server
    from goodput.bench.selfcheck.report import SelfcheckReport, print_report

    messages = Console(stderr=True, highlight=False)

    def seen(checked: CheckedRate) -> None:
        verdict = "held" if checked.held else "not held"
        messages.print(f"{checked.rate:g} requests/s: {verdict}")

    rates = ladder(rate)
    seconds = parse_duration(duration, "--duration")
    with timed_server() as url, asyncio.Runner(loop_factory=new_loop) as runner:
        checked = runner.run(check_rates(url, rates, duration_s=seconds, tokens=tokens, seen=seen))
    report = SelfcheckReport(wanted=rate, rates=checked)
    if json:
        typer.echo(report.to_json(), nl=False)
    else:
        print_report(report, Console())
