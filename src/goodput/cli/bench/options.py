"""The options that all loading verbs share, and what they come to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from goodput.core.errors import UsageError
from goodput.core.units import parse_duration

if TYPE_CHECKING:
    from goodput.bench.run.session import Load, Target

Url = Annotated[str, typer.Argument(help="The server, like http://127.0.0.1:8000.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """The load, the promise, and what becomes of the results; as the user wrote them."""

    workload: Annotated[
        str, typer.Option(help="chat, code, summarize, agents, mixed, trace:FILE or dataset:FILE.")
    ] = "chat"
    arrivals: Annotated[
        str | None,
        typer.Option(
            help="poisson, constant, gamma:0.5, ramp:0..1, burst:on=5s,off=15s, trace (its own "
            "times), or closed:8 (8 users who wait for their answers: a closed loop).",
            show_default="poisson; of a trace its own",
        ),
    ] = None
    seed: Annotated[int, typer.Option(help="Fixes the arrivals and the prompts.")] = 0
    slo: Annotated[
        str | None,
        typer.Option(
            help="Bounds like ttft=400ms,tpot=50ms, or as multiples of the unloaded latency like "
            "ttft=5x; or 'relative', the workload's own multiples.",
            show_default="the workload's",
        ),
    ] = None
    model: Annotated[
        str | None, typer.Option(help="Model name.", show_default="the server's first")
    ] = None
    endpoint: Annotated[
        Literal["chat", "completions"], typer.Option(help="Which of OpenAI's two routes is loaded.")
    ] = "chat"
    warmup: Annotated[str, typer.Option(help="Unmeasured time before each measurement.")] = "5s"
    drain: Annotated[
        str, typer.Option(help="How long requests may go on after it; 0s cuts them off.")
    ] = "30s"
    timeout: Annotated[str, typer.Option(help="Longest time for one request.")] = "120s"
    time_scale: Annotated[
        float, typer.Option(help="Of a trace: multiplies its times; 2 is half as fast.")
    ] = 1.0
    length_scale: Annotated[
        float, typer.Option(help="Of a trace: multiplies the lengths of prompts and answers.")
    ] = 1.0
    window: Annotated[
        str | None, typer.Option(help="Of a trace: the part to use, like 0s..60s.")
    ] = None
    unloaded: Annotated[
        bool,
        typer.Option(
            "--unloaded", help="Measure the unloaded latency too, and state the SLO by it."
        ),
    ] = False
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for records.jsonl, summary.json, report.html and pictures."),
    ] = None
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON only.")] = False
    api_key: Annotated[
        str | None,
        typer.Option(help="Key of the server.", envvar="OPENAI_API_KEY", show_default=False),
    ] = None

    @property
    def warmup_s(self) -> float:
        """Seconds of ``--warmup``."""
        return parse_duration(self.warmup, "--warmup")

    def target(self, url: str) -> Target:
        """The server at ``url``."""
        from goodput.bench.run.session import Target

        timeout_s = parse_duration(self.timeout, "--timeout")
        return Target(
            url=url,
            model=self.model,
            api_key=self.api_key,
            timeout_s=timeout_s,
            endpoint=self.endpoint,
        )

    def load(self) -> Load:
        """The load; raises UsageError that names the option that cannot work."""
        from goodput.bench.arrivals import parse_arrivals
        from goodput.bench.run.promise import parse_promise
        from goodput.bench.run.session import Load
        from goodput.bench.workloads import find_workload
        from goodput.bench.workloads.traces.replay import Replay, parse_window

        window = None if self.window is None else parse_window(self.window)
        replay = Replay(time_scale=self.time_scale, length_scale=self.length_scale, window=window)
        workload = find_workload(self.workload, replay)
        usual = "poisson" if workload.natural is None else "trace"
        return Load(
            workload=workload,
            arrivals=parse_arrivals(self.arrivals or usual),
            seed=self.seed,
            slo=parse_promise(self.slo),
            drain_s=parse_duration(self.drain, "--drain"),
            unloaded=self.unloaded,
        )


def parse_numbers(text: str, name: str) -> list[float]:
    """Positive numbers from ``"0.5,1,2"``; raises UsageError that names the option ``name``."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"{name} must be numbers like 0.5,1,2, not {text!r}") from None
    if not all(0 < number < float("inf") for number in numbers):
        raise UsageError(f"{name} must be positive numbers, not {text!r}")
    return numbers
