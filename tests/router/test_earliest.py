"""The default policy, on fleets whose best choice is plain to see."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from goodput.router.earliest import EarliestFirstToken, decode_wait, prefill_time
from goodput.router.policy import Work, WorkerView
from goodput.workers.messages import StepCost, WorkerLoad

POLICY = EarliestFirstToken()


def view(name: str, **changes: object) -> WorkerView:
    role = name.split("-")[0]
    fields = {
        "max_sequences": 4,
        "token_budget": 128,
        "load": WorkerLoad(free_blocks=100, total_blocks=100),
    } | changes
    return WorkerView(name=name, role=role, **fields)  # type: ignore[arg-type]


def work(tokens: int = 100, blocks: int = 4, **cached: int) -> Work:
    return Work(tokens, blocks, {name.replace("_", "-"): n for name, n in cached.items()})


def placed(job: Work, *fleet: WorkerView) -> tuple[str, str | None] | None:
    placement = POLICY.place(job, fleet)
    return None if placement is None else (placement.prefill, placement.decode)


def test_nothing_is_placed_without_a_whole_path() -> None:
    assert placed(work()) is None
    assert placed(work(), view("prefill-0")) is None
    assert placed(work(), view("decode-0")) is None


def test_the_shorter_queue_wins() -> None:
    busy, idle = view("prefill-0", queued_tokens=500), view("prefill-1")
    assert placed(work(), busy, idle, view("decode-0")) == ("prefill-1", "decode-0")


def test_a_measured_slow_worker_loses() -> None:
    slow = view("prefill-0", seconds_per_prefill_token=0.01)
    assert placed(work(), slow, view("prefill-1"), view("decode-0")) == ("prefill-1", "decode-0")


def test_a_cached_prompt_is_worth_a_queue_of_its_length_but_no_more() -> None:
    for queued, best in ((50, "prefill-1"), (99, "prefill-0")):
        fleet = (view("prefill-0"), view("prefill-1", queued_tokens=queued), view("decode-0"))
        job = work(100, prefill_1=64)
        assert placed(job, *fleet) == (best, "decode-0")


def test_a_full_decode_worker_is_avoided() -> None:
    full, free = view("decode-0", sequences=4), view("decode-1", sequences=3)
    assert placed(work(), view("prefill-0"), full, free) == ("prefill-0", "decode-1")


def test_a_decode_worker_without_blocks_is_avoided() -> None:
    full = view("decode-0", sequences=1, load=WorkerLoad(free_blocks=3, total_blocks=100))
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
    fleet = (view("mixed-1"), view("mixed-0"))
    assert placed(work(), *fleet) == ("mixed-0", None)
    fleet[1].sequences = 1
    fleet[1].decode_step_s = 0.0
    assert placed(work(), *fleet) == ("mixed-1", None)


def test_a_computed_prompt_goes_to_decode_or_mixed_but_not_to_prefill() -> None:
    fleet = [view("prefill-0"), view("decode-0", sequences=2), view("mixed-0", sequences=1)]
    assert POLICY.place_decode(work(), fleet) == "mixed-0"
    assert POLICY.place_decode(work(), fleet[:1]) is None


def test_speeds_are_learned_from_steps() -> None:
    learner = view("mixed-0")
    learner.observe(StepCost(seconds=0.05, prefill_tokens=100, decode_tokens=0))
    assert abs(learner.seconds_per_prefill_token - 0.0005) < 1e-9
    learner.observe(StepCost(seconds=0.010, prefill_tokens=0, decode_tokens=4))
    assert abs(learner.decode_step_s - 0.010) < 1e-9
    # A mixed step: 10 ms of it are the decodes', the rest the prompt's.
    learner.observe(StepCost(seconds=0.060, prefill_tokens=100, decode_tokens=4))
    assert abs(learner.seconds_per_prefill_token - 0.0005) < 1e-9
    # Later ones move the estimate by a fifth.
    learner.observe(StepCost(seconds=0.10, prefill_tokens=100, decode_tokens=0))
    assert abs(learner.seconds_per_prefill_token - 0.0006) < 1e-9


views = st.builds(
    view,
    st.sampled_from(["prefill-0", "prefill-1", "decode-0", "decode-1", "mixed-0"]),
    queued_tokens=st.integers(0, 5000),
    sequences=st.integers(0, 10),
    seconds_per_prefill_token=st.floats(1e-5, 1e-2),
)


@given(st.lists(views, unique_by=lambda v: v.name), st.integers(1, 2000))
def test_the_placement_is_the_earliest_of_all(fleet: list[WorkerView], tokens: int) -> None:
    job = work(tokens)
    placement = POLICY.place(job, fleet)
    options = [
        prefill_time(first, job) + decode_wait(second, job)
        for first in fleet
        for second in fleet
        if (first.role, second.role) == ("prefill", "decode")
        or (first is second and first.role == "mixed")
    ]
    assert (placement is None) == (not options)
    if placement is not None:
        # Within the tie of a millisecond, where the load decides.
        assert placement.first_token_s <= min(options) + 1e-3
