"""``goodput simulate``: a workload through a deployment that need not exist."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from goodput.core.config import DeploymentConfig, WorkerCounts, load_deployment
from goodput.core.errors import UsageError
from goodput.core.units import parse_duration

if TYPE_CHECKING:
    from goodput.bench.run.session import Load
    from goodput.core.slo import SLO
    from goodput.plan.profile.schema import Profile
    from goodput.plan.simulate.arrival import Encoder


def simulate(
    profile: Annotated[
        str, typer.Argument(help="A profile: a file of `goodput profile`, or one that comes along.")
    ],
    workload: Annotated[
        str, typer.Argument(help="chat, code, summarize, agents, mixed, trace:FILE, dataset:FILE.")
    ] = "chat",
    deployment: Annotated[
        Path | None, typer.Option(help="A deployment YAML, as `goodput serve` takes it.")
    ] = None,
    prefill: Annotated[int | None, typer.Option(help="Prefill workers.", show_default="1")] = None,
    decode: Annotated[int | None, typer.Option(help="Decode workers.", show_default="1")] = None,
    mixed: Annotated[
        int | None, typer.Option(help="Workers that do both, instead of the pair.")
    ] = None,
    per_worker: Annotated[
        int | None,
        typer.Option(help="Accelerators (cores) of a worker.", show_default="the profile's fewest"),
    ] = None,
    rates: Annotated[str, typer.Option(help="Requests per second, several in turn.")] = "1",
    duration: Annotated[str, typer.Option(help="Measured time of each rate.")] = "60s",
    warmup: Annotated[str, typer.Option(help="Unmeasured time before each.")] = "5s",
    drain: Annotated[str, typer.Option(help="How long requests may go on after it.")] = "30s",
    arrivals: Annotated[
        str | None,
        typer.Option(
            help="poisson, constant, gamma:0.5, ramp:0..1, burst:on=5s,off=15s or trace.",
            show_default="poisson; of a trace its own",
        ),
    ] = None,
    slo: Annotated[
        str | None,
        typer.Option(help="Bounds like ttft=400ms,tpot=50ms.", show_default="the workload's"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Fixes arrivals, prompts and noise.")] = 0,
    model: Annotated[str, typer.Option(help="Whose tokenizer cuts the prompts.")] = "smollm2:135m",
    out: Annotated[
        Path | None, typer.Option(help="Folder for the records and report, as of `bench run`.")
    ] = None,
    trace: Annotated[
        Path | None, typer.Option(help="Also write every step as a Chrome trace (JSON).")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON only.")] = False,
) -> None:
    """Play a workload through a deployment with the code that serves, on a simulated clock.

    Scheduler, block manager, router, queue and admission are those of `goodput serve`; the steps
    take the time of the profile. The report is that of `goodput bench run`.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from goodput.bench.report.files import check_folder, write_report
    from goodput.bench.report.table import print_tables
    from goodput.bench.run.runner import Step
    from goodput.cli.bench.options import parse_numbers
    from goodput.plan.library.read import find_profile
    from goodput.plan.simulate.run import Simulation
    from goodput.plan.simulate.run import simulate as run_simulation
    from goodput.plan.simulate.trace import Trace

    found = find_profile(profile)
    config = _config(found, deployment, prefill, decode, mixed, per_worker)
    load = _load(workload, arrivals, seed, parse_duration(drain, "--drain"))
    seconds = parse_duration(duration, "--duration")
    warm = parse_duration(warmup, "--warmup")
    steps = [Step(rate, warm, seconds) for rate in parse_numbers(rates, "--rates")]
    for step in steps:
        load.check(step)
    if out is not None:
        check_folder(out)
    simulation = Simulation(
        profile=found, config=config, load=load, slo=_slo(slo, load), steps=steps
    )
    noted = Trace() if trace is not None else None
    messages = Console(stderr=True, highlight=False)
    columns = (TextColumn("simulating"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=messages, transient=True) as bar:
        task = bar.add_task("", total=1.0)
        ledger = run_simulation(
            simulation,
            _encoder(model),
            trace=noted,
            progress=lambda done: bar.update(task, completed=done),
        )
    if noted is not None and trace is not None:
        noted.write(trace)
        messages.print(f"wrote {trace}: open it in ui.perfetto.dev", markup=False)
    if out is not None:
        write_report(out, ledger.summary, ledger.records)
        messages.print(f"wrote {out / 'report.html'} and its data", markup=False, soft_wrap=True)
    if json:
        typer.echo(ledger.summary.to_json(), nl=False)
    else:
        print_tables(ledger.summary, Console())


def _config(
    profile: Profile,
    deployment: Path | None,
    prefill: int | None,
    decode: int | None,
    mixed: int | None,
    per_worker: int | None,
) -> DeploymentConfig:
    from goodput.plan.simulate.limits import engine_for

    counts = {"prefill": prefill, "decode": decode, "mixed": mixed}
    given = {name: value for name, value in counts.items() if value is not None}
    if deployment is not None:
        if given or per_worker is not None:
            raise UsageError("give either --deployment or the numbers of workers, not both")
        return load_deployment(deployment)
    workers = WorkerCounts(**given)
    if set(given) == {"mixed"}:
        workers = WorkerCounts(prefill=0, decode=0, mixed=given["mixed"])
    config = DeploymentConfig(workers=workers, engine=engine_for(profile, per_worker))
    config.check()
    return config


def _load(workload: str, arrivals: str | None, seed: int, drain_s: float) -> Load:
    from goodput.bench.arrivals import ClosedLoop, parse_arrivals
    from goodput.bench.run.session import Load
    from goodput.bench.workloads import find_workload

    found = find_workload(workload)
    usual = "poisson" if found.natural is None else "trace"
    process = parse_arrivals(arrivals or usual)
    if isinstance(process, ClosedLoop):
        raise UsageError("--arrivals closed needs a real server: a simulation is an open loop")
    return Load(workload=found, arrivals=process, seed=seed, drain_s=drain_s)


def _slo(text: str | None, load: Load) -> SLO | None:
    from goodput.core.slo_spec import SLOSpec

    if text is None:
        return None
    return SLOSpec.parse(text, target=load.workload.slo.target).resolve(None)


def _encoder(model: str) -> Encoder:
    from goodput.cli.pull import pull_with_progress
    from goodput.models.load import load_text_side

    return load_text_side(pull_with_progress(model)).encode_chat
