"""Whose promises could be kept, by plain sums."""

from __future__ import annotations

from typing import Any

import pytest
from tests.router.made import load, view, work

from goodput.router.admission import seconds_too_late
from goodput.router.policy import WorkerView
from goodput.router.queue import Turn

NOW = 10.0


def turn(start_by: float, tokens: int = 100, *, priority: int = 0) -> Turn:
    return Turn(NOW, NOW + start_by, tokens, "t", priority)


def late(
    start_by: float, *fleet: WorkerView, waiting: tuple[Turn, ...] = (), **promises: Any
) -> float:
    """Of a prompt of 100 tokens (0.1 s each way), to be started within ``start_by`` seconds."""
    mine = turn(start_by, priority=promises.pop("priority", 0))
    job = work(100, first_token_s=start_by + 0.1, **promises)
    return seconds_too_late(job, mine, waiting, fleet or (view("mixed-0"),), NOW, conditional=False)


def test_an_idle_fleet_takes_what_it_can_do_in_time() -> None:
    assert late(0.5) == 0
    # 100 ms of work for a promise of 105: too close to be sure.
    assert late(0.005) == pytest.approx(0.1 - 0.9 * 0.105)


def test_prompts_before_it_count_at_workers_and_at_the_router() -> None:
    assert late(0.5, view("mixed-0", queued_tokens=400)) == 0
    assert late(0.5, view("mixed-0", queued_tokens=600)) > 0
    assert late(0.5, view("mixed-0", queued_tokens=600), view("mixed-1")) == 0
    ahead = (turn(0.1), turn(0.2, 200), turn(0.3))
    assert late(0.5, waiting=ahead) == 0
    assert late(0.44, waiting=ahead) == pytest.approx(0.4 - 0.9 * 0.44)
    # Two workers share them.
    assert late(0.44, view("mixed-0"), view("mixed-1"), waiting=ahead) == 0


def test_a_worker_that_also_decodes_counts_for_what_its_answers_leave() -> None:
    # Steps of 20 ms every 40: half of the second worker is left for prompts.
    busy = view("mixed-1", sequences=2, step_s=0.02, load=load(slack_s=0.0, pace_s=0.04))
    ahead = (turn(0.1, 300), turn(0.2, 300))
    assert late(0.35, view("mixed-0"), view("mixed-1"), waiting=ahead) == 0
    assert late(0.35, view("mixed-0"), busy, waiting=ahead) == pytest.approx(0.4 - 0.9 * 0.35)


def test_those_with_more_slack_do_not_delay_it_but_must_not_be_pushed_back_too_far() -> None:
    assert late(0.2, waiting=(turn(5.0, 100_000),)) == 0
    tight = (turn(0.3, 200), turn(0.36))
    assert late(5.0, waiting=tight) == 0
    assert late(0.29, waiting=tight) == 0  # they start at 0.1 and 0.3
    assert late(0.29, waiting=(turn(0.3, 250), turn(0.36))) == pytest.approx(0.35 - 0.9 * 0.36)


def test_lower_priorities_neither_delay_nor_protect() -> None:
    assert late(0.2, waiting=(turn(0.1, 9000, priority=1),)) == 0
    assert late(0.2, waiting=(turn(0.1, 9000, priority=-1),)) > 0


def test_answers_need_a_worker_that_gives_everybody_tokens_in_time() -> None:
    fleet = (view("prefill-0"), view("decode-0", sequences=2, step_s=0.03, growth_s=0.01))
    assert late(9.0, *fleet, tpot_s=0.05) == 0
    assert late(9.0, *fleet, tpot_s=0.04) == pytest.approx(1.0)
    fleet[1].load = load(slack_s=9.0, pace_s=0.04)  # Those there were promised as much.
    assert late(9.0, *fleet, tpot_s=0.05) > 0
    assert late(9.0, *fleet, view("decode-1"), tpot_s=0.05) == 0
    # Those who wait will decode too.
    fleet[1].load = load()
    assert late(9.0, *fleet, waiting=(turn(1.0, 1), turn(1.0, 1)), tpot_s=0.05) > 0


def test_nothing_is_predicted_of_workers_that_did_nothing_yet() -> None:
    cold = view("mixed-0", queued_tokens=10_000)
    cold.speeds.seen_prefill = cold.speeds.seen_decode = False
    assert late(0.1, cold, tpot_s=0.001) == 0
    assert seconds_too_late(work(), turn(0.1), (), (), NOW, conditional=False) == 0
