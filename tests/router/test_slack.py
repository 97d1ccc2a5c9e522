"""The default policy, on fleets whose best choice is plain to see."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.router.made import load, view, work

from goodput.router.cost import answer_cost, first_token_s, handoff_s, prompt_cost
from goodput.router.policies.slack import Slack
from goodput.router.policy import Work, WorkerView

POLICY = Slack()
HYBRID = Slack(conditional=True)


def placed(job: Work, *fleet: WorkerView, policy: Slack = POLICY) -> tuple[str, str | None] | None:
    placement = policy.place(job, fleet)
    return None if placement is None else (placement.prefill, placement.decode)


def test_nothing_is_placed_without_a_whole_path() -> None:
    assert placed(work()) is None
    assert placed(work(), view("prefill-0")) is None
    assert placed(work(), view("decode-0")) is None
    # A conditional one needs no path: each worker can do it all.
    assert placed(work(), view("decode-0"), policy=HYBRID) == ("decode-0", None)


def test_the_shorter_queue_wins() -> None:
    busy, idle = view("prefill-0", queued_tokens=500), view("prefill-1")
    assert placed(work(), busy, idle, view("decode-0")) == ("prefill-1", "decode-0")


def test_a_measured_slow_worker_loses() -> None:
    slow = view("prefill-0", token_s=0.01)
    assert placed(work(), slow, view("prefill-1"), view("decode-0")) == ("prefill-1", "decode-0")


@pytest.mark.parametrize(("queued", "best"), [(50, "prefill-1"), (99, "prefill-0")])
def test_a_cached_prompt_is_worth_a_queue_of_its_length_but_no_more(queued: int, best: str) -> None:
    fleet = (view("prefill-0"), view("prefill-1", queued_tokens=queued), view("decode-0"))
    assert placed(work(100, cached={"prefill-1": 64}), *fleet) == (best, "decode-0")


def test_a_full_decode_worker_is_avoided() -> None:
    full, free = view("decode-0", sequences=4), view("decode-1", sequences=3)
    assert placed(work(), view("prefill-0"), full, free) == ("prefill-0", "decode-1")


def test_a_decode_worker_without_blocks_is_avoided() -> None:
    full = view("decode-0", sequences=1, load=load(free=3))
    fleet = (view("prefill-0"), full, view("decode-1", sequences=2))
    assert placed(work(blocks=4), *fleet) == ("prefill-0", "decode-1")


def test_an_idle_mixed_worker_beats_a_queue_at_the_pair() -> None:
    fleet = [view("prefill-0", queued_tokens=300), view("decode-0"), view("mixed-0")]
    assert placed(work(), *fleet) == ("mixed-0", None)
    fleet[0] = view("prefill-0")
    # Its chunks share steps with what it decodes: now the pair is earlier.
    fleet[2] = view("mixed-0", sequences=3)
    assert placed(work(), *fleet) == ("prefill-0", "decode-0")


def test_ties_go_to_the_less_loaded_then_by_name() -> None:
    fleet = (view("mixed-1", step_s=0.0), view("mixed-0", step_s=0.0))
    assert placed(work(), *fleet) == ("mixed-0", None)
    fleet[1].sequences = 1
    fleet[1].load = load(slack_s=9.0, pace_s=1.0)
    assert placed(work(), *fleet) == ("mixed-1", None)


def test_a_computed_prompt_goes_to_decode_or_mixed_but_not_to_prefill() -> None:
    fleet = [view("prefill-0"), view("decode-0", sequences=4), view("mixed-0", sequences=1)]
    assert POLICY.place_decode(work(), fleet) == "mixed-0"
    assert POLICY.place_decode(work(), fleet[:1]) is None


# --- slack ------------------------------------------------------------------------------------


def test_prompts_spend_the_slack_of_answers_and_then_take_turns_with_them() -> None:
    relaxed = view("mixed-0", sequences=2, step_s=0.02, load=load(slack_s=0.1, pace_s=0.04))
    assert first_token_s(relaxed, work(100)) == pytest.approx(0.12)  # all in the slack
    # Half of the time from then on is the answers'.
    assert first_token_s(relaxed, work(200)) == pytest.approx(0.1 + 0.2 + 0.02)
    # No promise: 64 rows a step, each of which also decodes.
    free = view("mixed-0", sequences=2, step_s=0.02)
    assert first_token_s(free, work(100)) == pytest.approx(0.1 + 2 * 0.02)


def test_answers_with_slack_are_held_up_rather_than_those_without() -> None:
    near = view("mixed-0", sequences=2, load=load(slack_s=0.0, pace_s=0.04))
    far = view("mixed-1", sequences=2, load=load(slack_s=1.0, pace_s=0.04))
    assert placed(work(), near, far) == ("mixed-1", None)


def test_a_prompt_that_would_break_promises_weighs_tenfold() -> None:
    kept = prompt_cost(view("mixed-0"), work(100, first_token_s=0.2))
    broken = prompt_cost(view("mixed-0"), work(100, first_token_s=0.05))
    assert broken - kept == pytest.approx(10 * 0.05)


def test_a_decode_worker_at_its_bound_gets_no_more() -> None:
    # One more would make its steps 52 ms, where those there were promised 50.
    at_bound = view("decode-0", sequences=2, step_s=0.042, growth_s=0.01, load=load(9, 0.05))
    slower = view("decode-1", sequences=3, step_s=0.045)
    assert placed(work(), view("prefill-0"), at_bound, slower) == ("prefill-0", "decode-1")
    # A request that was promised 45 ms itself minds the slower one more.
    strict = work(tpot_s=0.02)
    quick = view("decode-0", sequences=3, step_s=0.019)
    assert placed(strict, view("prefill-0"), quick, slower) == ("prefill-0", "decode-0")


# --- conditional disaggregation ---------------------------------------------------------------


def test_without_load_a_request_stays_where_it_decodes() -> None:
    fleet = (view("prefill-0"), view("decode-0"))
    assert placed(work(), *fleet) == ("prefill-0", "decode-0")
    assert placed(work(), *fleet, policy=HYBRID) == ("decode-0", None)


def test_a_long_prompt_is_disaggregated_where_it_would_hold_up_answers() -> None:
    decode = view("decode-0", sequences=3, load=load(slack_s=0.05, pace_s=0.04))
    fleet = (view("prefill-0", queued_tokens=20), decode)
    assert placed(work(10), *fleet, policy=HYBRID) == ("decode-0", None)
    assert placed(work(1000), *fleet, policy=HYBRID) == ("prefill-0", "decode-0")


def test_a_queue_at_the_prefill_side_moves_prompts_to_the_decode_side() -> None:
    decode = view("decode-0", sequences=3, load=load(slack_s=0.05, pace_s=0.04))
    queued = view("prefill-0", queued_tokens=5000)
    assert placed(work(300), view("prefill-0"), decode, policy=HYBRID) == ("prefill-0", "decode-0")
    assert placed(work(300), queued, decode, policy=HYBRID) == ("decode-0", None)


def test_a_full_decode_side_leaves_answers_to_the_prefill_side() -> None:
    full = view("decode-0", sequences=4)
    assert placed(work(), view("prefill-0"), full, policy=HYBRID) == ("prefill-0", None)


def test_a_prefix_cached_at_the_decode_worker_counts() -> None:
    decode = view("decode-0", sequences=3, load=load(slack_s=0.05, pace_s=0.04))
    fleet = (view("prefill-0"), decode)
    job = work(1000, cached={"decode-0": 992})
    assert placed(job, *fleet, policy=HYBRID) == ("decode-0", None)


# --- all of them ------------------------------------------------------------------------------

views = st.builds(
    view,
    st.sampled_from(["prefill-0", "prefill-1", "decode-0", "decode-1", "mixed-0"]),
    queued_tokens=st.integers(0, 5000),
    sequences=st.integers(0, 10),
    token_s=st.floats(1e-5, 1e-2),
    growth_s=st.floats(0, 1e-2),
    load=st.one_of(
        st.builds(load), st.builds(load, st.floats(-1, 1), st.floats(0.01, 0.2), st.integers(0, 9))
    ),
)
jobs = st.builds(
    work,
    st.integers(1, 2000),
    first_token_s=st.none() | st.floats(-1, 2),
    tpot_s=st.none() | st.floats(0.01, 0.2),
)


@given(st.lists(views, unique_by=lambda v: v.name), jobs, st.booleans())
def test_the_placement_is_the_cheapest_of_all(
    fleet: list[WorkerView], job: Work, conditional: bool
) -> None:
    def cost(first: WorkerView, second: WorkerView) -> float:
        handoff = 0.0 if first is second else handoff_s(second)
        return prompt_cost(first, job) + answer_cost(second, job) + handoff

    placement = Slack(conditional=conditional).place(job, fleet)
    options = {
        (first.name, None if first is second else second.name): cost(first, second)
        for first in fleet
        for second in fleet
        if (first.role, second.role) == ("prefill", "decode")
        or (first is second and (conditional or first.role == "mixed"))
    }
    assert (placement is None) == (not options)
    if placement is not None:
        chosen = options[placement.prefill, placement.decode]
        # Within two ties of a millisecond, where the load decides.
        assert chosen <= min(options.values()) + 2e-3
        assert placement.first_token_s > 0
