"""Leaping over what is decided already changes nothing but the time that a simulation takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.plan.simulate.made import deployment, profile_of, request, run

from goodput.core.record import RequestRecord
from goodput.core.router_config import RouterConfig
from goodput.core.slo import SLO
from goodput.engine.executor import StepPlan
from goodput.plan.profile.schema import Profile, StepLoad
from goodput.plan.simulate.executor import TimedExecutor

LAYOUTS = {
    "mixed": deployment(mixed=1),
    "two mixed": deployment(mixed=2),
    "apart": deployment(prefill=1, decode=1),
    "two and two": deployment(prefill=2, decode=2),
    "little memory": deployment(mixed=1, kv_tokens=256),
    "conditional": replace(deployment(prefill=1, decode=1), router=RouterConfig(conditional=True)),
    "admission": replace(deployment(mixed=1), admission="slo"),
}


def noisy(noise: float) -> Profile:
    profile = profile_of(frontend_s=0.001)
    return replace(
        profile, workers=tuple(replace(worker, noise=noise) for worker in profile.workers)
    )


def every_step(*_: object) -> None:
    """Has each step played by itself."""


def facts(record: RequestRecord) -> tuple[Any, ...]:
    stamps = record.token_times
    spans = None if record.spans is None else record.spans
    return record.status, record.end, record.output_tokens, spans, stamps[:1], stamps[-1:]


@st.composite
def schedules(draw: st.DrawFn) -> list[Any]:
    """Requests as they come: alone, in bursts, some as turns of a conversation."""
    asked, at = [], 0.0
    for number in range(draw(st.integers(1, 12))):
        at += draw(st.sampled_from([0.0, 0.003, 0.02, 0.3, 2.0]))
        prompt = [number * 1000 + place for place in range(draw(st.integers(1, 90)))]
        tokens = draw(st.integers(1, 60))
        if number and draw(st.integers(0, 4)) == 0:
            asked.append(request(at, prompt, tokens, follows=number - 1, think_s=0.1))
        else:
            asked.append(request(at, prompt, tokens))
    return asked


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=25, deadline=None)
@given(schedule=schedules(), noise=st.sampled_from([0.0, 0.1]), promised=st.booleans())
def test_records_are_the_same_as_step_by_step(
    layout: str, schedule: list[Any], noise: float, promised: bool
) -> None:
    slo = SLO(ttft=0.5, tpot=0.03) if promised else None
    leaps: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        execute = TimedExecutor.execute

        def watched(self: TimedExecutor, plan: StepPlan) -> Any:
            leaps.extend(len(chunk.drafts) for chunk in plan.chunks)
            return execute(self, plan)

        patch.setattr(TimedExecutor, "execute", watched)
        played = run(noisy(noise), LAYOUTS[layout], *schedule, slo=slo)
    event(f"leaps: {'some' if any(leaps) else 'none'}")
    stepped = run(noisy(noise), LAYOUTS[layout], *schedule, slo=slo, note_step=every_step)
    assert [facts(x) for x in played.records] == [facts(x) for x in stepped.records]
    assert played.drained == stepped.drained


def test_an_answer_alone_is_one_leap(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = counted(monkeypatch)
    (record,) = run(profile_of(), deployment(mixed=1), request(0.0, list(range(40)), 50)).records
    # The prompt, and all 49 tokens that follow: the clock's end is the only bound.
    assert len(steps) <= 4
    times = [stamp.time for stamp in record.token_times]
    assert times == pytest.approx([0.040 + 0.010 * number for number in range(50)])


def counted(monkeypatch: pytest.MonkeyPatch) -> list[StepLoad]:
    steps: list[StepLoad] = []
    execute: Callable[[TimedExecutor, StepPlan], Any] = TimedExecutor.execute

    def watched(self: TimedExecutor, plan: StepPlan) -> Any:
        sampled = execute(self, plan)
        steps.append(self.last)
        return sampled

    monkeypatch.setattr(TimedExecutor, "execute", watched)
    return steps
