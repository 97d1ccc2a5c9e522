"""The built-in workloads: lengths, prefixes, shares, and that a seed fixes everything."""

from __future__ import annotations

import math
import statistics
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodput.bench.arrivals.processes import Bursts, Constant, Poisson
from goodput.bench.workloads import WORKLOADS, find_workload
from goodput.bench.workloads.base import PlannedRequest
from goodput.bench.workloads.traces.replay import Replay
from goodput.core.errors import UsageError


def words(request: PlannedRequest) -> list[str]:
    return request.messages[-1].content.split()


def test_every_workload_is_registered_by_its_name() -> None:
    assert all(workload.name == name for name, workload in WORKLOADS.items())
    with pytest.raises(UsageError, match="there is: agents, chat, code, mixed, summarize, trace"):
        find_workload("chats")
    for text in ("trace", "trace:", "dataset", "chat:x"):
        with pytest.raises(UsageError, match="there is no workload"):
            find_workload(text)
    with pytest.raises(UsageError, match="are for --workload trace:FILE only"):
        find_workload("chat", Replay(time_scale=2.0))


@pytest.mark.parametrize(
    ("name", "prompt", "most_prompt", "answer", "most_answer"),
    [("chat", 120, 512, 45, 160), ("summarize", 600, 1200, 60, 160), ("code", 72, 240, 14, 48)],
)
def test_lengths(name: str, prompt: int, most_prompt: int, answer: int, most_answer: int) -> None:
    # A word of prose is about a token; a word of code, with its punctuation, 1.7.
    requests = [WORKLOADS[name].request(0, index) for index in range(1000)]
    prompts = [len(words(request)) for request in requests]
    answers = [request.max_tokens for request in requests]
    assert statistics.median(prompts) == pytest.approx(prompt, rel=0.15)
    assert max(prompts) <= most_prompt
    assert statistics.median(answers) == pytest.approx(answer, rel=0.1)
    assert min(answers) >= 2 and max(answers) <= most_answer
    logs = [math.log(value) for value in answers]
    assert statistics.stdev(logs) == pytest.approx(0.55, abs=0.1), "lognormal, not uniform"


@pytest.mark.parametrize("name", ["chat", "code", "summarize"])
def test_no_two_requests_share_a_prefix(name: str) -> None:
    # A block of 16 tokens is the least that a prefix cache reuses.
    starts = {tuple(words(WORKLOADS[name].request(0, index))[:6]) for index in range(1000)}
    assert len(starts) == 1000


@settings(max_examples=30)
@given(
    name=st.sampled_from(sorted(WORKLOADS)), seed=st.integers(0, 1000), index=st.integers(0, 10_000)
)
def test_a_request_depends_on_nothing_but_seed_and_index(name: str, seed: int, index: int) -> None:
    workload = WORKLOADS[name]
    assert workload.request(seed, index) == workload.request(seed, index)
    assert workload.request(seed, index) != workload.request(seed + 1, index)
    assert workload.request(seed, index) == workload.conversation(seed, index)[0]


@pytest.mark.parametrize("name", sorted(WORKLOADS))
def test_a_plan_is_seeded_sorted_and_inside(name: str) -> None:
    workload = WORKLOADS[name]
    plan = workload.plan(2.0, 10.0, 40.0, 7, Poisson())
    assert plan == workload.plan(2.0, 10.0, 40.0, 7, Poisson())
    openings = [timed.due for timed in plan if timed.request.follows is None]
    assert openings == sorted(openings)
    assert all(10.0 <= due < 40.0 for due in openings)
    kinds = {one.name: one.slo for one in workload.classes()}
    assert all(kinds[timed.request.kind] == timed.request.slo for timed in plan)


def test_mixed_keeps_its_shares_and_each_class_its_own_slo() -> None:
    mixed = find_workload("mixed")
    requests = [mixed.request(0, index) for index in range(2000)]
    counts = Counter(request.kind for request in requests)
    shares = {kind: count / len(requests) for kind, count in counts.items()}
    assert shares == pytest.approx({"chat": 0.60, "code": 0.25, "summarize": 0.15}, abs=0.04)
    assert mixed.slo.ttft is None, "the whole has no bounds of its own"
    assert len({request.slo for request in requests}) == 3


def test_agents_share_a_system_prompt_and_build_on_their_answers() -> None:
    agents = find_workload("agents")
    sessions = [agents.conversation(0, index) for index in range(300)]
    assert {len(turns) for turns in sessions} == {2, 3, 4, 5, 6}
    systems = {turns[0].messages[0].content for turns in sessions}
    assert len(systems) == 1 and 320 < len(systems.pop().split()) < 420
    assert agents.request(1, 0).messages[0] != agents.request(0, 0).messages[0]
    for turns in sessions:
        assert [turn.follows for turn in turns] == [None, *range(len(turns) - 1)]
        assert [len(turn.messages) for turn in turns] == [2, *[1] * (len(turns) - 1)]
        assert all(0.5 <= turn.think_s <= 12.0 for turn in turns[1:])


def test_the_rate_of_agents_counts_requests_from_the_first_moment() -> None:
    plan = find_workload("agents").plan(10.0, 0.0, 200.0, 1, Constant())
    inside = [timed.due for timed in plan if timed.due < 200.0]
    for start in (0.0, 50.0, 150.0):
        count = sum(start <= due < start + 50.0 for due in inside)
        assert count / 50.0 == pytest.approx(10.0, rel=0.06), f"from {start}"


def test_a_session_joined_in_progress_has_its_history() -> None:
    plan = find_workload("agents").plan(10.0, 0.0, 30.0, 1, Bursts(on=2.0, off=3.0))
    openings = [timed.request for timed in plan if timed.request.follows is None]
    joined = [request for request in openings if len(request.messages) > 2]
    assert joined and len(joined) < len(openings)
    for request in joined:
        roles = [message.role for message in request.messages]
        assert roles == ["system", *["user", "assistant"] * (len(roles) // 2 - 1), "user"]
    for index, timed in enumerate(plan):
        if (follows := timed.request.follows) is not None:
            assert follows == index - 1 and plan[follows].due < timed.due
