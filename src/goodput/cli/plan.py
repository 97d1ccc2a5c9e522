"""``goodput plan``: whether and how to disaggregate, for a model, a workload and a promise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from goodput.core.errors import UsageError
from goodput.core.units import parse_duration

if TYPE_CHECKING:
    from rich.console import Console

    from goodput.bench.workloads.base import Workload
    from goodput.core.slo import SLO
    from goodput.plan.profile.schema import Profile
    from goodput.plan.search.goodput import Sample
    from goodput.plan.search.question import Question
    from goodput.plan.search.search import Progress


def plan(
    profile: Annotated[
        str | None,
        typer.Argument(
            help="A profile: a file, or one that comes along, like opt-13b-a100-distserve. With "
            "--accelerator it is left out.",
            show_default=False,
        ),
    ] = None,
    workload: Annotated[
        str | None,
        typer.Argument(
            help="chat, code, summarize, agents, mixed, trace:FILE or dataset:FILE.",
            show_default="chat",
        ),
    ] = None,
    slo: Annotated[
        str | None,
        typer.Option(
            help="Bounds like ttft=400ms,tpot=50ms,e2e=5s.", show_default="the workload's"
        ),
    ] = None,
    target: Annotated[float, typer.Option(help="Share of the requests that keeps them.")] = 0.90,
    budget: Annotated[
        int | None,
        typer.Option(help="Accelerators (or cores) at most.", show_default="a node of them"),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            help="Load to hold, requests/s: finds the fewest accelerators for it.",
            show_default="as much as the budget holds",
        ),
    ] = None,
    accelerator: Annotated[
        str | None,
        typer.Option(help="Estimate from its datasheet: a100, h100, h200, b200 or dgx-b200 …"),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="With --accelerator: the model, like llama-3-70b.")
    ] = None,
    node_size: Annotated[
        int | None,
        typer.Option(help="Accelerators with near links.", show_default="the profile's"),
    ] = None,
    prompt_tokens: Annotated[
        float | None,
        typer.Option(help="Mean prompt to rescale the workload to.", show_default="its own"),
    ] = None,
    output_tokens: Annotated[
        float | None,
        typer.Option(help="Mean answer to rescale the workload to.", show_default="its own"),
    ] = None,
    arrivals: Annotated[
        str | None,
        typer.Option(
            help="poisson, constant, gamma:0.5, ramp:0..1 or trace (its own times).",
            show_default="poisson; of a trace its own",
        ),
    ] = None,
    requests: Annotated[int, typer.Option(help="Requests that judge a plan at a rate.")] = 2000,
    seed: Annotated[int, typer.Option(help="Fixes arrivals and lengths.")] = 0,
    watch: Annotated[
        str | None,
        typer.Option(help="Plan again for what this running server sees, until Ctrl-C."),
    ] = None,
    every: Annotated[str, typer.Option(help="With --watch: time between two looks.")] = "30s",
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for plan.json, pareto.png and deployment.yaml."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON only.")] = False,
) -> None:
    """Find the deployment that keeps an SLO best: apart or together, how many, how parallel.

    Plans are judged by simulation on the same requests; queueing theory excludes what cannot win.
    The answer says what holds each plan back, from which load on it matters, and how far to
    trust it.
    """
    from rich.console import Console

    from goodput.bench.workloads import find_workload

    if accelerator is not None and workload is None:
        profile, workload = None, profile
    found = find_workload(workload or "chat")
    asked = _question(
        _profile(profile, accelerator, model),
        _sample(found, arrivals, requests, seed, prompt_tokens, output_tokens),
        _slo(slo, target, found),
        budget,
        node_size,
        rate,
    )
    messages = Console(stderr=True, highlight=False)
    if watch is not None:
        _watch(asked, watch, parse_duration(every, "--every"), messages)
        return
    _answer(asked, messages, out, json=json)


def _answer(asked: Question, messages: Console, out: Path | None, *, json: bool) -> None:
    from rich.console import Console

    from goodput.bench.report.files import check_folder
    from goodput.plan.report.files import write_answer
    from goodput.plan.report.table import print_answer
    from goodput.plan.search.search import search

    if out is not None:
        check_folder(out)
    with _progress(messages) as progress:
        answer = search(asked, progress=progress)
    if out is not None:
        said = ", ".join(write_answer(out, answer))
        messages.print(f"wrote to {out}: {said}", markup=False, soft_wrap=True)
    if json:
        typer.echo(answer.to_json(), nl=False)
    else:
        print_answer(answer, Console())


def _profile(profile: str | None, accelerator: str | None, model: str | None) -> Profile:
    from goodput.plan.library import estimated_profile
    from goodput.plan.library.read import find_profile

    if (accelerator is None) != (model is None):
        raise UsageError("--accelerator and --model go together: give both or neither")
    if accelerator is not None and model is not None:
        if profile is not None:
            raise UsageError(f"give either the profile {profile} or --accelerator, not both")
        return estimated_profile(model, accelerator)
    if profile is None:
        raise UsageError("give a PROFILE, or --accelerator and --model to have one estimated")
    return find_profile(profile)


def _sample(
    workload: Workload,
    arrivals: str | None,
    requests: int,
    seed: int,
    prompt_tokens: float | None,
    output_tokens: float | None,
) -> Sample:
    from goodput.bench.arrivals import parse_arrivals
    from goodput.plan.search.sampling import workload_sample

    for name, tokens in (("prompt", prompt_tokens), ("output", output_tokens)):
        if tokens is not None and not 1 <= tokens < 1e7:
            raise UsageError(f"--{name}-tokens must be 1 or more, not {tokens:g}")
    usual = "poisson" if workload.natural is None else "trace"
    return workload_sample(
        workload,
        parse_arrivals(arrivals or usual),
        requests=requests,
        seed=seed,
        prompt_tokens=prompt_tokens,
        output_tokens=output_tokens,
    )


def _slo(text: str | None, target: float, workload: Workload) -> SLO:
    from msgspec.structs import replace

    from goodput.core.slo_spec import SLOSpec

    if text is None:
        return replace(workload.slo, target=target)
    return SLOSpec.parse(text, target=target).resolve(None)


def _question(
    profile: Profile,
    sample: Sample,
    slo: SLO,
    budget: int | None,
    node_size: int | None,
    rate: float | None,
) -> Question:
    from goodput.plan.search.question import Question

    node = profile.node if node_size is None else node_size
    return Question(
        profile=profile,
        sample=sample,
        slo=slo,
        budget=node if budget is None else budget,
        node=node,
        rate=rate,
    )


def _watch(asked: Question, url: str, every_s: float, messages: Console) -> None:
    import time

    from goodput.plan.watch import advise, between, look

    before = look(url, time.monotonic())
    messages.print(f"watching {before.model} at {url}; Ctrl-C ends", markup=False)
    while True:
        time.sleep(every_s)
        after = look(url, time.monotonic())
        traffic = between(before, after)
        if traffic is None:
            typer.echo("too few requests to say anything")
        else:
            typer.echo(advise(asked, traffic, after.workers).words)
        before = after


@contextmanager
def _progress(console: Console) -> Iterator[Progress]:
    """A bar a stage, on a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bars(*columns, TimeElapsedColumn(), console=console, transient=True) as bars:
        tasks: dict[str, int] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)  # type: ignore[arg-type]

        yield show
