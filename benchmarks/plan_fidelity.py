"""How far a simulation can be trusted: predicted and measured attainment of the same requests.

    python benchmarks/plan_fidelity.py [--profile FILE] [--workloads chat,code,summarize]
        [--duration 60] [--out DIR]

For each workload and layout a real `goodput serve` is loaded at five rates around its knee, as the
simulator sees it; then the simulator plays the very same schedules with a profile of this machine
(measured first where none is given). Attainment by rate, the differences, and the goodput of both
curves: where each falls through the target, by interpolation. Rates take turns over the layouts, so
that drift of the machine hits both.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib
import numpy as np
from msgspec.structs import replace

from goodput.bench.arrivals import parse_arrivals
from goodput.bench.run.loop import new_loop
from goodput.bench.run.runner import Step
from goodput.bench.run.session import Load, Session, Target
from goodput.bench.run.steps import SEED_STRIDE
from goodput.bench.workloads import find_workload
from goodput.core.config import DeploymentConfig, EngineConfig, WorkerCounts
from goodput.core.files import write_atomically
from goodput.core.record import RequestRecord
from goodput.models.catalog import resolve
from goodput.models.load import load_text_side
from goodput.plan.library.read import find_profile
from goodput.plan.profile.files import write_profile
from goodput.plan.profile.machine import profile_machine
from goodput.plan.profile.schema import Profile
from goodput.plan.simulate.arrival import Encoder, arrivals_of
from goodput.plan.simulate.play import play
from serving_contenders import Contender, ours

matplotlib.use("Agg")
import matplotlib.pyplot as plt

TARGET = 0.90
WARMUP_S, DRAIN_S = 5.0, 30.0
MODEL = "smollm2:135m"
# A share of so few requests is worth little: slow rates are offered for longer.
FEWEST, LONGEST_S = 40, 90.0
# Of the rate at which the simulator says that the target is just held.
AROUND_KNEE = (0.6, 0.8, 1.0, 1.2, 1.5)
SEARCHED_S = 400.0
SEARCH_STEPS = 7


@dataclass(frozen=True)
class Layout:
    """The same deployment for the server's command line and for the simulator."""

    name: str
    options: tuple[str, ...]
    config: DeploymentConfig

    def server(self) -> Contender:
        return ours(self.name, (*self.options, "--speculative-tokens", "0"), MODEL)


LAYOUTS = (
    Layout(
        "aggregated",
        ("--mixed", "1", "--threads", "2"),
        DeploymentConfig(
            workers=WorkerCounts(prefill=0, decode=0, mixed=1), engine=EngineConfig(threads=2)
        ),
    ),
    Layout(
        "disaggregated",
        ("--prefill", "1", "--decode", "1"),
        DeploymentConfig(workers=WorkerCounts(prefill=1, decode=1)),
    ),
)


@dataclass
class Curve:
    """One workload on one layout: shares that met, by rate."""

    workload: str
    layout: str
    rates: list[float] = field(default_factory=list)
    measured: list[float] = field(default_factory=list)
    predicted: list[float] = field(default_factory=list)

    def differences(self) -> list[float]:
        return [abs(a - b) for a, b in zip(self.measured, self.predicted, strict=True)]

    def goodputs(self) -> tuple[float, float]:
        return knee(self.rates, self.measured), knee(self.rates, self.predicted)


def knee(rates: list[float], shares: list[float]) -> float:
    """The rate at which attainment falls through the target; the first or last one at the ends."""
    # Attainment cannot truly rise with the rate: what seems to is noise of the windows.
    falling = np.minimum.accumulate(shares)
    if falling[0] < TARGET:
        return rates[0]
    for number in range(1, len(rates)):
        if falling[number] < TARGET:
            above, below = falling[number - 1], falling[number]
            part = (above - TARGET) / (above - below)
            return rates[number - 1] + part * (rates[number] - rates[number - 1])
    return rates[-1]


def met(records: list[RequestRecord], start: float, end: float) -> float:
    counted = [record for record in records if start <= record.scheduled < end]
    return sum(record.met() for record in counted) / len(counted)


async def measure(layout: Layout, load: Load, step: Step, seed: int) -> float:
    with layout.server().running() as url:
        async with Session(Target(url=url), load) as session:
            outcome = await session.offer(step, seed=seed)
    return met(outcome.records, outcome.window.start, outcome.window.end)


def predict(
    profile: Profile, layout: Layout, load: Load, step: Step, seed: int, encode: Encoder
) -> float:
    plan = load.workload.plan(step.rate, 0.0, step.length, seed, load.arrivals)
    arrivals = arrivals_of(plan, encode, load.workload.name)
    outcome = play(profile, layout.config, arrivals, step, drain_s=DRAIN_S, seed=seed)
    return met(outcome.records, outcome.window.start, outcome.window.end)


def predicted_knee(profile: Profile, layout: Layout, load: Load, encode: Encoder) -> float:
    """The rate (requests/s) at which attainment falls to the target, by bisection."""
    low, high = 0.02, 20.0
    for _ in range(SEARCH_STEPS):
        rate = (low * high) ** 0.5
        step = Step(rate, WARMUP_S, min(SEARCHED_S, 300 / rate))
        if predict(profile, layout, load, step, SEED_STRIDE * 99, encode) < TARGET:
            high = rate
        else:
            low = rate
    return round((low * high) ** 0.5, 2)


def compare(
    profile: Profile, names: list[str], duration: float, encode: Encoder, runs: asyncio.Runner
) -> list[Curve]:
    curves: list[Curve] = []
    for name in names:
        workload = find_workload(name)
        load = Load(workload=workload, arrivals=parse_arrivals("poisson"), drain_s=DRAIN_S)
        pair = [Curve(name, layout.name) for layout in LAYOUTS]
        knees = [predicted_knee(profile, layout, load, encode) for layout in LAYOUTS]
        for number, share in enumerate(AROUND_KNEE):
            seed = SEED_STRIDE * number
            for layout, curve, at_knee in zip(LAYOUTS, pair, knees, strict=True):
                rate = round(share * at_knee, 3)
                step = Step(rate, WARMUP_S, max(duration, min(LONGEST_S, FEWEST / rate)))
                curve.rates.append(rate)
                curve.measured.append(runs.run(measure(layout, load, step, seed)))
                curve.predicted.append(predict(profile, layout, load, step, seed, encode))
                print(
                    f"{name}, {layout.name}, {rate:g} req/s: measured {curve.measured[-1]:.1%}, "
                    f"predicted {curve.predicted[-1]:.1%}",
                    flush=True,
                )
        curves += pair
    return curves


def draw(curves: list[Curve], path: Path) -> None:
    names = list(dict.fromkeys(curve.workload for curve in curves))
    figure, axes = plt.subplots(1, len(names), figsize=(4.5 * len(names), 3.6), squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        for colour, layout in zip(("#2a78d6", "#e07a1f"), LAYOUTS, strict=True):
            for curve in curves:
                if (curve.workload, curve.layout) == (name, layout.name):
                    axis.plot(curve.rates, curve.measured, "o-", color=colour, label=layout.name)
                    axis.plot(curve.rates, curve.predicted, "x--", color=colour)
        axis.axhline(TARGET, color="#888888", linewidth=0.8)
        axis.set(title=name, xlabel="requests/s", ylim=(-0.02, 1.02))
    axes[0][0].set_ylabel("attainment (solid measured, dashed predicted)")
    axes[0][0].legend(loc="lower left")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)


def report(curves: list[Curve]) -> None:
    print("\n| workload, layout | rate | measured | predicted | difference |")
    print("|---|---|---|---|---|")
    for curve in curves:
        rows = zip(curve.rates, curve.measured, curve.predicted, curve.differences(), strict=True)
        for rate, seen, said, apart in rows:
            label = f"{curve.workload}, {curve.layout}"
            print(f"| {label} | {rate:g} | {seen:.1%} | {said:.1%} | {100 * apart:.1f} |")
    print("\n| workload, layout | goodput measured | predicted | off by |")
    print("|---|---|---|---|")
    for curve in curves:
        seen, said = curve.goodputs()
        label = f"{curve.workload}, {curve.layout}"
        print(f"| {label} | {seen:.2f} | {said:.2f} | {said / seen - 1:+.1%} |")
    every = [apart for curve in curves for apart in curve.differences()]
    print(f"\ndifferences: worst {100 * max(every):.1f} points, mean {100 * np.mean(every):.1f}")


def main() -> None:
    """Measure, predict, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profile", help="a profile of this machine with workers of 1 and 2 cores")
    parser.add_argument("--workloads", default="chat,code,summarize")
    parser.add_argument("--duration", type=float, default=60.0, help="seconds a rate")
    parser.add_argument("--out", type=Path, default=Path("out/fidelity"))
    options = parser.parse_args()
    path = resolve(MODEL, pull=True)
    if options.profile is None:
        profile = profile_machine("here", MODEL, path, [1, 2], seconds=80.0)
        write_profile(options.out / "profile.json", profile)
    else:
        profile = find_profile(options.profile)
    # A run is told by its own noise: the prediction is of the median step.
    profile = replace(profile, workers=tuple(replace(w, noise=0.0) for w in profile.workers))
    encode = load_text_side(path).encode_chat
    with asyncio.Runner(loop_factory=new_loop) as runs:
        curves = compare(profile, options.workloads.split(","), options.duration, encode, runs)
    report(curves)
    draw(curves, options.out / "fidelity.png")
    plain = [vars(curve) for curve in curves]
    write_atomically(options.out / "fidelity.json", json.dumps(plain, indent=1).encode())


if __name__ == "__main__":
    main()
