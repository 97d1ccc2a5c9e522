"""``goodput bench compare``: several servers under the same load."""

from __future__ import annotations

from typing import Annotated

import typer

from goodput.cli.bench.options import LoadOptions
from goodput.cli.shared_options import with_options
from goodput.core.errors import UsageError
from goodput.core.units import parse_duration


@with_options(LoadOptions)
def compare(
    servers: Annotated[
        list[str], typer.Argument(help="Two or more, like ours=http://127.0.0.1:8000.")
    ],
    rate: Annotated[float, typer.Option(help="Requests per second to each.")] = 1.0,
    duration: Annotated[str, typer.Option(help="Measured time of each server.")] = "80s",
    blocks: Annotated[
        int, typer.Option(min=2, help="Parts that this time is split into, taken in turn.")
    ] = 4,
    *,
    options: LoadOptions,
) -> None:
    """Load several servers in turn with the same requests at the same times, and compare them.

    Each block offers one seed to every server; every second block goes through them in the
    opposite order, so that a drift of the machine hits all alike. Ratios are to the first server.
    """
    from goodput.bench.compare.drive import check_comparison, run_compare
    from goodput.bench.run.runner import Step
    from goodput.cli.bench.perform import perform

    load = options.load()
    step = Step(rate, options.warmup_s, parse_duration(duration, "--duration") / blocks)
    check_comparison(load, step)
    targets = {name: options.target(url) for name, url in _named(servers).items()}
    perform(lambda stop, live: run_compare(targets, load, step, blocks, stop, live), options)


def _named(servers: list[str]) -> dict[str, str]:
    named: dict[str, str] = {}
    for server in servers:
        name, equals, url = server.partition("=")
        if not (name and equals and url) or "/" in name:
            raise UsageError(f"a server to compare is given like ours=URL, not {server!r}")
        if name in named:
            raise UsageError(f"two of the servers to compare are named {name!r}")
        named[name] = url
    if len(named) < 2:
        raise UsageError("there must be at least two servers to compare, like A=URL B=URL")
    return named
