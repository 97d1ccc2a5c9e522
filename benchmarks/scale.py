"""A day of internet traffic through a fleet of 10,000 accelerators: speed, memory, attainment.

    python benchmarks/scale.py [--accelerators 10000] [--requests 10000000] [--hours 24]
        [--model qwen2.5-72b] [--accelerator a100] [--prefill-share 0.15]
        [--image docs/images/scale.png]

The fleet is disaggregated, with equal tensor parallelism in both phases. One process, one thread.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from goodput.bench.report.style import SERIES, new_figure, picture
from goodput.core.errors import UsageError
from goodput.core.files import write_atomically
from goodput.core.slo import SLO
from goodput.plan.library import estimated_profile
from goodput.plan.profile.schema import Profile
from goodput.plan.scale.day import FleetDay, simulate_fleet
from goodput.plan.scale.fleet import FleetSpec, Group
from goodput.plan.scale.traffic import Diurnal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Agents: long contexts and long thoughts, so that ten million requests a day are a load at all.
_SLO = SLO(ttft=8.0, tpot=0.1)
_PROMPT = (8000, 0.8, 64, 28_000)
_OUTPUT = (2500, 0.7, 1, 4500)
_HOUR_S = 3600.0


def main() -> None:
    """Simulate, print and draw."""
    options = _options()
    console = Console()
    seconds = options.hours * _HOUR_S
    traffic = Diurnal(
        rate=options.requests / seconds,
        prompt=_PROMPT,
        output=_OUTPUT,
        seconds=seconds,
        # A run of less than a day begins at the peak.
        peak_hour=15.0 if options.hours >= 24 else options.hours / 2,
    )
    profile = estimated_profile(options.model, options.accelerator)
    spec = _fleet(profile, options.tensor, options.accelerators, options.prefill_share)
    began = time.perf_counter()
    simulate_fleet(spec, Diurnal(1.0, _PROMPT, _OUTPUT, seconds=60.0), _SLO, seconds=60.0)
    compiled_s = time.perf_counter() - began
    began = time.perf_counter()
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("simulated", total=seconds)
        day = simulate_fleet(
            spec,
            traffic,
            _SLO,
            seconds=seconds,
            progress=lambda done_s: bar.update(task, completed=done_s),
        )
    took_s = time.perf_counter() - began
    console.print(
        f"{day.scheduled:,} requests, {int(day.buckets['output_tokens'].sum()):,} tokens, "
        f"{spec.accelerators:,} accelerators, {options.hours:g} h"
    )
    console.print(
        f"{took_s:.1f} s: {day.scheduled / took_s:,.0f} requests/s "
        f"(compiled or loaded before: {compiled_s:.1f} s)"
    )
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    console.print(f"peak memory {peak_bytes / 2**30:.2f} GiB, in flight {day.peak_in_flight:,}")
    console.print(f"attainment {day.attainment:.2%} of {_SLO}")
    console.print(_table(day))
    if options.image:
        drawn = picture("scale", "A day", "", lambda: _draw(day))
        write_atomically(options.image, drawn.png)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accelerators", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=10_000_000)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--model", default="qwen2.5-72b")
    parser.add_argument("--accelerator", default="a100")
    parser.add_argument("--tensor", type=int, default=4)
    parser.add_argument("--prefill-share", type=float, default=0.15)
    parser.add_argument("--image", type=Path)
    return parser.parse_args()


def _fleet(profile: Profile, tensor: int, accelerators: int, prefill_share: float) -> FleetSpec:
    for worker in profile.workers:
        if (worker.tensor, worker.pipeline) == (tensor, 1):
            workers = accelerators // tensor
            prefill = max(1, round(workers * prefill_share))
            groups = (
                Group("prefill", prefill, worker),
                Group("decode", workers - prefill, worker),
            )
            return FleetSpec(groups, profile.near, profile.kv_bytes_per_token)
    raise UsageError(f"--tensor {tensor} does not fit {profile.model} on {profile.accelerator}")


def _table(day: FleetDay) -> Table:
    table = Table(title="by hour of arrival")
    headings = ("from", "requests", "attainment", "TTFT p50", "p99", "TPOT p50", "p99", "batch")
    for heading in headings:
        table.add_column(heading, justify="right")
    per_hour = max(1, round(_HOUR_S / day.interval_s))
    figures = np.stack([day.ttft_at(0.5), day.ttft_at(0.99), day.tpot_at(0.5), day.tpot_at(0.99)])
    for start in range(0, len(day.buckets), per_hour):
        hour = day.buckets[start : start + per_hour]
        ms = figures[:, start : start + per_hour].mean(axis=1) * 1e3
        busy_s = hour["decode_busy_s"].sum()
        table.add_row(
            f"{start * day.interval_s / _HOUR_S:g} h",
            f"{hour['scheduled'].sum():,}",
            f"{hour['met'].sum() / max(1, hour['scheduled'].sum()):.2%}",
            *(f"{figure:.0f} ms" for figure in ms),
            f"{hour['sequence_s'].sum() / max(busy_s, 1e-9):.1f}",
        )
    return table


def _draw(day: FleetDay) -> Figure:
    figure = new_figure(6.0)
    axes: Any = figure.subplots(3, 1, sharex=True)
    hours = np.arange(len(day.buckets)) * day.interval_s / _HOUR_S
    whole = slice(0, -1)  # The last interval also has all that ended after it.
    axes[0].plot(hours, day.buckets["scheduled"] / day.interval_s, color=SERIES[0])
    axes[0].set_ylabel("requests/s")
    axes[0].set_ylim(bottom=0)
    axes[1].plot(hours, 100 * day.attainments(), color=SERIES[2])
    axes[1].axhline(100 * day.slo.target, color=SERIES[4], linestyle="--", linewidth=1)
    axes[1].set_ylabel("attainment, %")
    axes[2].plot(hours, day.ttft_at(0.99) / (day.slo.ttft or 1), label="TTFT p99", color=SERIES[0])
    axes[2].plot(hours, day.tpot_at(0.99) / (day.slo.tpot or 1), label="TPOT p99", color=SERIES[1])
    for role, colour in (("prefill", SERIES[3]), ("decode", SERIES[5])):
        workers = sum(group.count for group in day.spec.groups if group.role == role)
        busy = day.buckets[f"{role}_busy_s"] / (workers * day.interval_s)
        axes[2].plot(
            hours[whole], busy[whole], label=f"{role} workers busy", color=colour, linewidth=1.2
        )
    axes[2].set_ylabel("share of its bound, of time")
    axes[2].set_xlabel("hour of the day")
    axes[2].set_ylim(0, 1.6)
    axes[2].legend(ncols=2)
    return figure


if __name__ == "__main__":
    main()
