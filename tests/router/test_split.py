"""Where a prompt is split, on views whose best choice is plain to see."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.router.made import load, view, work

from goodput.router.cost import first_token_s, handoff_s
from goodput.router.policies.slack import Slack
from goodput.router.policy import Placement, Work, WorkerView
from goodput.router.split import best_split

HYBRID = Slack(conditional=True)


def decoding(slack_s: float, **changes: object) -> WorkerView:
    """A decode worker whose answers can wait for ``slack_s``; its steps take 20 ms."""
    return view("decode-0", **({"sequences": 3, "load": load(slack_s, 0.05)} | changes))


@pytest.mark.parametrize(
    ("slack_s", "at"),
    [
        (0.22, 112),  # 200 ms for prompts are 200 tokens: from 100 on, in whole blocks
        (0.12, 208),
        (0.031, 288),  # eleven tokens: the last block is not full
        (0.02, None),  # the next decode step takes all of it
        (0.40, None),  # the decode worker has room for the whole prompt
    ],
)
def test_the_decode_worker_computes_what_fits_into_its_slack(
    slack_s: float, at: int | None
) -> None:
    split = best_split(view("prefill-0"), decoding(slack_s), work(298))
    assert (split and split.at) == at


def test_prompts_that_are_there_already_use_the_slack_first() -> None:
    split = best_split(view("prefill-0"), decoding(0.22, queued_tokens=100), work(298))
    assert split is not None and split.at == 208


def test_nothing_is_split_within_what_is_cached() -> None:
    cached = work(298, cached={"prefill-0": 112})
    assert best_split(view("prefill-0"), decoding(0.22), cached) is None
    assert best_split(view("prefill-0"), decoding(0.2), cached) is not None


def test_without_a_promise_there_is_no_slack_to_use() -> None:
    assert best_split(view("prefill-0"), decoding(0.0, load=load()), work(298)) is None


def test_the_first_token_comes_after_both_parts_and_the_hand_over() -> None:
    first, second = view("prefill-0", queued_tokens=50), decoding(0.22, token_s=2e-3)
    split = best_split(first, second, work(298))
    assert split is not None and split.at == 208
    expected = 0.05 + 0.208 + handoff_s(second) + 90 * 2e-3 + 0.02
    assert split.first_token_s == pytest.approx(expected)


def test_a_prompt_is_split_for_those_that_wait_behind_it() -> None:
    # The decode worker's steps take most of the time that they may: it has slack, but no share.
    fleet = (view("prefill-0", step_s=0.06), decoding(0.24, step_s=0.04))
    alone = HYBRID.place(work(298), fleet)
    assert alone is not None and (alone.decode, alone.split) == ("decode-0", 0)
    queue = HYBRID.place(work(298, token_wait_s=1e-3), fleet)
    assert queue == Placement("prefill-0", "decode-0", pytest.approx(0.359), 112)
    # Only a router that is told to moves work between the roles.
    usual = Slack().place(work(298, token_wait_s=1e-3), fleet)
    assert usual is not None and (usual.decode, usual.split) == ("decode-0", 0)


@given(
    st.integers(1, 3000),
    st.integers(0, 3000),
    st.builds(
        decoding,
        st.floats(-1, 3),
        token_s=st.floats(1e-5, 1e-2),
        queued_tokens=st.integers(0, 500),
        sequences=st.integers(0, 9),
    ),
    st.floats(0, 0.1),
)
def test_a_split_is_at_a_block_and_leaves_both_something(
    tokens: int, cached: int, second: WorkerView, token_wait_s: float
) -> None:
    job: Work = work(
        tokens, cached={"prefill-0": min(cached, tokens - 1)}, token_wait_s=token_wait_s
    )
    first = view("prefill-0")
    split = best_split(first, second, job)
    if split is None:
        return
    assert split.at % job.block_size == 0
    assert job.cached_tokens["prefill-0"] < split.at < tokens
    # What the decode worker gets takes no longer than its answers can wait.
    late = split.first_token_s - first_token_s(
        first, work(split.at, cached=dict(job.cached_tokens))
    )
    assert late - handoff_s(second) <= (second.load.slack_s or 0) + 1e-9
