"""The paper's systems as fleets, and how much of a load each of them serves in time.

Scheduling is that of the paper's time, not this project's own: vLLM computes waiting prompts
first and by themselves, while its decodes stand still; DistServe computes prompts in order, batched
up to the length that saturates the GPU, and decodes whatever its memory holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from distserve_paper import Case, Parallel, arrivals
from goodput.core.slo import SLO
from goodput.plan.library import named_profile
from goodput.plan.library.published import Engine
from goodput.plan.profile.schema import Line, Profile, WorkerProfile
from goodput.plan.scale.day import simulate_fleet
from goodput.plan.scale.fleet import FleetSpec, Group

TARGET = 0.90
_BATCH = 1024
_VLLM_PROMPT_TOKENS = 2048
_DISTSERVE_PROMPT_TOKENS = 512
_UNBOUNDED = 1 << 20
_LEAST_RATE = 0.01
_PRECISION = 0.01


@dataclass(frozen=True, slots=True)
class System:
    """A fleet with the name under which it is plotted."""

    name: str
    placement: str
    fleet: FleetSpec


def worker(profile: Profile, parallel: Parallel) -> WorkerProfile | None:
    """The profile's worker of that parallelism, if there is one."""
    for each in profile.workers:
        if (each.tensor, each.pipeline) == parallel:
            return each
    return None


def aggregated(
    case: Case, parallel: Parallel, name: str, kernels: Engine = "vllm"
) -> System | None:
    """vLLM before it chunked prompts; None where the model does not fit.

    With DistServe's ``kernels`` what is left of the difference to it is the disaggregation.
    """
    profile = named_profile(f"{case.model}-a100-{kernels}")
    found = worker(profile, parallel)
    if found is None:
        return None
    group = Group(
        "mixed",
        1,
        found,
        max_sequences=_BATCH,
        token_budget=_UNBOUNDED,
        saturation_tokens=_VLLM_PROMPT_TOKENS,
        prompts_alone=True,
    )
    return System(name, _label(1, parallel), _spec(profile, (group,)))


def disaggregated(
    case: Case,
    prefill: Parallel,
    decode: Parallel,
    name: str,
    counts: tuple[int, int] = (1, 1),
) -> System | None:
    """DistServe with so many prefill and decode instances; None where the model does not fit."""
    profile = named_profile(f"{case.model}-a100-distserve")
    first, second = worker(profile, prefill), worker(profile, decode)
    if first is None or second is None:
        return None
    groups = (
        Group(
            "prefill",
            counts[0],
            first,
            max_sequences=_BATCH,
            token_budget=_UNBOUNDED,
            saturation_tokens=_DISTSERVE_PROMPT_TOKENS,
        ),
        Group("decode", counts[1], second, max_sequences=_BATCH, token_budget=_UNBOUNDED),
    )
    label = f"{_label(counts[0], prefill)} + {_label(counts[1], decode)}"
    return System(name, label, _spec(profile, groups))


def one_phase(system: System, phase: str) -> System:
    """The system with the other phase taking no time, to find what one phase could do."""
    nothing = Line(base_s=0.0)
    groups = tuple(
        group
        if group.role == phase
        else replace(
            group,
            worker=WorkerProfile(prefill=nothing, decode=nothing, mixed=nothing, kv_tokens=10**12),
        )
        for group in system.fleet.groups
    )
    return replace(system, fleet=replace(system.fleet, groups=groups))


def attainment(system: System, case: Case, slo: SLO, per_gpu: float, requests: int) -> float:
    """At a rate per GPU, of that many requests."""
    load = arrivals(case.dataset, per_gpu * system.fleet.accelerators, requests)
    seconds = float(load.times_s[-1])
    day = simulate_fleet(system.fleet, [load], slo, seconds=seconds, interval_s=seconds)
    return day.attainment


def highest(works: Callable[[float], bool], least: float, precision: float = _PRECISION) -> float:
    """The highest value at which something still works, by doubling and bisection; 0 if never."""
    if not works(least):
        return 0.0
    low, high = least, 2 * least
    while works(high):
        low, high = high, 2 * high
    while high / low > 1 + precision:
        middle = (low * high) ** 0.5
        low, high = (middle, high) if works(middle) else (low, middle)
    return low


def goodput(system: System, case: Case, slo: SLO, requests: int, target: float = TARGET) -> float:
    """Requests per second and GPU with attainment at the target."""
    return highest(
        lambda rate: attainment(system, case, slo, rate, requests) >= target, _LEAST_RATE
    )


def tightest(system: System, case: Case, per_gpu: float, requests: int) -> float | None:
    """The least factor on the case's SLO that is still kept at a rate; None if even 64 is not."""

    def kept(tightness: float) -> bool:
        scaled = case.slo.scaled(1 / tightness)
        return attainment(system, case, scaled, per_gpu, requests) >= TARGET

    found = highest(kept, 1 / 64)
    return 1 / found if found else None


def _spec(profile: Profile, groups: tuple[Group, ...]) -> FleetSpec:
    return FleetSpec(
        groups=groups,
        link=profile.near,
        kv_bytes_per_token=profile.kv_bytes_per_token,
        frontend_s=profile.frontend_s,
        paced=False,
    )


def _label(count: int, parallel: Parallel) -> str:
    tensor, pipeline = parallel
    return (
        (f"{count} x " if count > 1 else "")
        + f"TP{tensor}"
        + (f" PP{pipeline}" if pipeline > 1 else "")
    )
