"""Profiles and requests whose times can be worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from goodput.bench.run.runner import Outcome, Step
from goodput.bench.workloads.base import Message, PlannedRequest, Timed
from goodput.core.config import DeploymentConfig, EngineConfig, WorkerCounts
from goodput.core.slo import SLO
from goodput.plan.profile.schema import Line, Link, Profile, WorkerProfile
from goodput.plan.simulate.arrival import Arrival, arrivals_of
from goodput.plan.simulate.play import play

LINK = Link(base_s=0.002, bytes_per_s=1e9)
KV_BYTES = 1000


def profile_of(
    *, prefill: Line | None = None, decode: Line | None = None, frontend_s: float = 0.0
) -> Profile:
    """A prompt token takes a millisecond and a decode step ten, unless told otherwise."""
    prefill = prefill or Line(base_s=0.0, prefill_token_s=1e-3)
    decode = decode or Line(base_s=0.01)
    mixed = Line(
        base_s=decode.base_s,
        prefill_token_s=prefill.prefill_token_s,
        decode_row_s=decode.decode_row_s,
    )
    return Profile(
        name="made",
        model="made",
        machine="paper",
        origin="estimate",
        source="a test",
        accelerator="none",
        workers=(WorkerProfile(prefill=prefill, decode=decode, mixed=mixed, kv_tokens=100_000),),
        near=LINK,
        far=LINK,
        kv_bytes_per_token=KV_BYTES,
        context_length=8192,
        frontend_s=frontend_s,
    )


def deployment(
    prefill: int = 0, decode: int = 0, mixed: int = 0, **engine: Any
) -> DeploymentConfig:
    return DeploymentConfig(
        workers=WorkerCounts(prefill=prefill, decode=decode, mixed=mixed),
        engine=EngineConfig(**engine),
    )


def words(messages: Sequence[dict[str, Any]]) -> list[int]:
    """Each word is a token: its number."""
    return [int(word) for message in messages for word in message["content"].split()]


def request(
    due: float,
    prompt: Sequence[int],
    tokens: int,
    *,
    follows: int | None = None,
    think_s: float = 0.0,
    slo: SLO | None = None,
) -> Timed:
    content = " ".join(map(str, prompt))
    return Timed(
        due,
        PlannedRequest(
            messages=(Message("user", content),),
            max_tokens=tokens,
            slo=slo or SLO(ttft=10.0, tpot=1.0),
            follows=follows,
            think_s=think_s,
        ),
    )


def arrivals(*timed: Timed) -> list[Arrival]:
    return arrivals_of(timed, words, "made")


def run(
    profile: Profile,
    config: DeploymentConfig,
    *timed: Timed,
    seconds: float = 100.0,
    drain_s: float = 1000.0,
    **options: Any,
) -> Outcome:
    step = Step(rate=1.0, warmup=0.0, duration=seconds)
    return play(profile, config, arrivals(*timed), step, drain_s=drain_s, **options)
