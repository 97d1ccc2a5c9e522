"""Drafts in the scheduler: when there are any, how many, and that they change no token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from goodput.core.clock import ManualClock
from goodput.core.config import DeploymentConfig, EngineConfig, Role
from goodput.core.errors import UsageError
from goodput.core.request import GenerationRequest
from goodput.core.timeline import Timeline
from goodput.engine.executor import Chunk, Sampled, StepPlan, verified
from goodput.engine.scheduler import Outcome, Scheduler
from goodput.engine.sequence import Sequence, SequenceStatus
from goodput.engine.speculation import Candidate, share_out
from goodput.kv.block_pool import BlockPool

RequestOf = Callable[..., GenerationRequest]
LOOP = [1, 2, 3, 4]
"""The text that all sequences here go round in, unless a test says otherwise."""


class Bench:
    """A scheduler over blocks of 4 whose sequences are driven by hand."""

    def __init__(
        self, request_of: RequestOf, blocks: int = 64, role: Role = "mixed", **limits: Any
    ) -> None:
        defaults = {"token_budget": 64, "max_sequences": 16, "speculative_rows": 8}
        config = EngineConfig(block_size=4, row_cost=0.15, **{**defaults, **limits})
        self.request_of = request_of
        self.pool = BlockPool(0, blocks, 4)
        self.scheduler = Scheduler(config, self.pool, ManualClock(), role)
        self.count = 0

    def add(self, rounds: int = 3, **fields: Any) -> Sequence:
        """A sequence that has gone round ``rounds`` times, and a token of its own before that."""
        self.count += 1
        prompt = [100 + self.count, *LOOP * rounds]
        request = self.request_of(f"r{self.count}", prompt, **{"max_tokens": 100, **fields})
        self.scheduler.add(sequence := Sequence(request, Timeline(received=0.0), self.count))
        return sequence

    def step(self, say: Callable[[list[int]], int] | None = None) -> list[Outcome]:
        """One step in which ``say`` gives the token after a text; by default the loop goes on."""
        self.plan = self.scheduler.schedule()
        choose = say or (lambda tokens: LOOP[(LOOP.index(tokens[-1]) + 1) % 4])
        results = [
            verified(chunk, lambda number, tokens: Sampled(choose(list(tokens))))
            if chunk.samples
            else []
            for chunk in self.plan.chunks
        ]
        return self.scheduler.commit(self.plan, results)

    @property
    def drafts(self) -> list[int]:
        """Of each chunk of the last step."""
        return [len(chunk.drafts) for chunk in self.plan.chunks]


def said(outcomes: list[Outcome]) -> list[list[int]]:
    return [[new.token for new in outcome.tokens] for outcome in outcomes]


def test_a_lone_sequence_gets_several_tokens_a_step(request_of: RequestOf) -> None:
    bench = Bench(request_of)
    sequence = bench.add()
    assert said(bench.step()) == [[1]] and bench.drafts == [0], "a prompt gets no drafts"
    tokens = said(bench.step())[0]
    assert len(tokens) == 1 + bench.drafts[0] > 2
    for _ in range(5):
        tokens += said(bench.step())[0]
    assert bench.drafts == [7], "trust has grown"
    assert [1, *tokens] == (LOOP * 20)[: 1 + len(tokens)]
    assert sequence.num_computed == len(sequence.tokens) - 1
    assert bench.scheduler.drafted == bench.scheduler.accepted == len(tokens) - 6


def test_what_was_guessed_wrong_is_computed_again(request_of: RequestOf) -> None:
    bench = Bench(request_of)
    sequence = bench.add()
    bench.step()
    (outcome,) = bench.step(lambda tokens: 50 if tokens[-1] == 2 else tokens[-1] + 1)
    assert said([outcome]) == [[2, 50]], "1 was the last, 2 was right, 3 was wrong"
    assert bench.drafts[0] >= 2
    assert sequence.remaining == 1
    before = len(sequence.tokens)
    bench.step(lambda tokens: 60)
    assert (bench.plan.chunks[0].start, bench.plan.chunks[0].count) == (before - 1, 1)
    assert bench.scheduler.accepted == 1 < bench.scheduler.drafted


def test_a_block_with_rejected_tokens_is_not_cached(request_of: RequestOf) -> None:
    bench = Bench(request_of)
    sequence = bench.add(rounds=2)  # 9 tokens and the first of the answer: positions 8..11 are next
    bench.step()
    bench.step(lambda tokens: 50)
    assert bench.drafts[0] >= 2
    follow_up = [*sequence.tokens[:10], *LOOP[1:], 1, 2, 3]
    bench.scheduler.cancel(sequence)
    request = request_of("again", follow_up, max_tokens=1)
    bench.scheduler.add(Sequence(request, Timeline(received=0.0), 99))
    assert bench.scheduler.schedule().chunks[0].start == 8


@pytest.mark.parametrize("others", [1, 3, 6, 7, 8, 12])
def test_drafts_fill_up_to_a_bound_and_no_further(request_of: RequestOf, others: int) -> None:
    bench = Bench(request_of)
    for _ in range(1 + others):
        bench.add()
    bench.step()
    for _ in range(3):
        bench.step()
    rows = bench.plan.tokens
    assert len(bench.plan.chunks) == 1 + others
    assert rows == max(8, 1 + others) and sum(bench.drafts) == rows - 1 - others


def test_no_drafts_while_a_prompt_is_computed_or_waits(request_of: RequestOf) -> None:
    bench = Bench(request_of, max_sequences=2, saturation_tokens=8)
    bench.add()
    bench.step()
    bench.step()
    assert bench.drafts[0] > 0
    bench.add(rounds=5)
    while bench.scheduler.running[-1].remaining > 1 or len(bench.scheduler.running) < 2:
        bench.step()
        assert set(bench.drafts) == {0}
    bench.step()
    assert sum(bench.drafts) > 0
    waiting = bench.add()
    bench.step()
    assert waiting.status is SequenceStatus.WAITING and bench.drafts == [0, 0]


def test_none_when_turned_off_or_on_a_prefill_worker(request_of: RequestOf) -> None:
    bench = Bench(request_of, speculative_tokens=0)
    bench.add()
    for _ in range(4):
        assert len(said(bench.step())[0]) == 1
    prefill = Bench(request_of, role="prefill")
    prefill.add().lease_id = "a lease, so that it goes on here"
    for _ in range(4):
        prefill.step()
        assert prefill.drafts == [0]


def test_bad_luck_ends_drafting_and_luck_brings_it_back(request_of: RequestOf) -> None:
    bench = Bench(request_of, blocks=400)
    sequence = bench.add(max_tokens=1000)
    bench.step()
    for number in range(20):  # after 1 2 comes something new each time
        for token in (1, 2, 1000 + number):
            bench.step(lambda tokens, token=token: token)
    for token in (1, 2):
        bench.step(lambda tokens, token=token: token)
    drafter = sequence.drafter
    assert drafter is not None and drafter.propose(sequence.tokens, 1) == [1019]
    bench.step(lambda tokens: 2000)
    assert bench.drafts == [0], "it has a guess, but does not trust it"
    for _ in range(30):
        bench.step(lambda tokens: 5)
    assert bench.drafts == [7]


def test_drafts_use_the_room_there_is_and_take_none_from_others(request_of: RequestOf) -> None:
    bench = Bench(request_of, blocks=6, prefix_cache=False)
    sequence = bench.add()  # 13 tokens in 4 of the 6 blocks, and soon a lease takes the others
    bench.step()
    leased = bench.pool.allocate(2)
    assert leased
    assert said(bench.step())[0] == [2, 3, 4], "positions 13, 14 and 15, and one token more"
    assert bench.drafts == [2] and len(sequence.blocks) == 4
    bench.pool.release(leased)
    assert len(said(bench.step())[0]) == 4
    assert bench.drafts == [3] and len(sequence.blocks) == 5, "the last one is not for guesses"


def test_the_last_free_blocks_are_left_to_those_who_need_them(request_of: RequestOf) -> None:
    bench = Bench(request_of, blocks=10, prefix_cache=False)
    sequences = [bench.add(), bench.add()]
    bench.step()
    assert bench.pool.available == 2, "one for each, soon"
    while bench.pool.available:
        free = bench.pool.available
        tokens = [len(sequence.tokens) for sequence in sequences]
        bench.step()
        needed = sum(size == 16 or size == 17 for size in tokens)
        assert bench.scheduler.preemptions == 0
        assert free - bench.pool.available <= max(needed, 0)


@pytest.mark.parametrize("limit", range(1, 12))
@pytest.mark.parametrize("how", ["max_tokens", "context", "stop token"])
def test_an_end_inside_an_accepted_run(request_of: RequestOf, limit: int, how: str) -> None:
    """No token and no draft beyond the end, whichever rule makes it."""
    fields: dict[str, Any] = {"max_tokens": limit} if how == "max_tokens" else {}
    if how == "stop token":
        fields = {"stop_token_ids": (4,), "min_tokens": limit - 1}
    bench = Bench(request_of, **({"context_length": 13 + limit} if how == "context" else {}))
    sequence = bench.add(**fields)
    while sequence.status is not SequenceStatus.FINISHED:
        bench.step()
        (chunk,) = bench.plan.chunks
        if how == "stop token":
            assert 4 not in chunk.drafts
        else:
            assert chunk.start + chunk.rows < 13 + limit
    expected = limit if how != "stop token" else -(-limit // 4) * 4
    assert sequence.generated == (LOOP * 5)[:expected]
    assert sequence.finish_reason == ("stop" if how == "stop token" else "length")
    assert bench.pool.available == 64


def test_tokens_behind_an_end_are_dropped(request_of: RequestOf) -> None:
    """Even if an executor gives some."""
    bench = Bench(request_of)
    sequence = bench.add(max_tokens=3)
    bench.step()
    plan = bench.scheduler.schedule()
    (outcome,) = bench.scheduler.commit(plan, [[Sampled(2), Sampled(3), Sampled(4)]])
    assert said([outcome]) == [[2, 3]] and sequence.finish_reason == "length"


def test_a_hand_off_leaves_the_blocks_of_drafts_behind(request_of: RequestOf) -> None:
    bench = Bench(request_of)
    sequence = bench.add(rounds=3)
    bench.step()
    bench.step(lambda tokens: 50)
    assert len(sequence.blocks) * 4 > len(sequence.tokens)
    bench.scheduler.role = "prefill"
    (outcome,) = bench.step(lambda tokens: 51)
    assert outcome.handed_off
    assert len(sequence.blocks) == -(-sequence.num_computed // 4)
    bench.pool.check_invariants([sequence.blocks])


@pytest.mark.parametrize("field", [{"speculative_tokens": -1}, {"speculative_rows": 0}])
def test_impossible_settings_are_refused_by_name(field: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=next(iter(field))):
        DeploymentConfig(engine=EngineConfig(**field)).check()


@given(
    candidates=st.lists(
        st.builds(Candidate, st.integers(0, 9), st.floats(0, 1), st.floats(0, 1)), max_size=9
    ),
    most_rows=st.integers(1, 20),
)
def test_shares_keep_their_bounds(candidates: list[Candidate], most_rows: int) -> None:
    shares = share_out(candidates, len(candidates), most_rows, 0.15)
    assert all(0 <= n <= c.most for n, c in zip(shares, candidates, strict=True))
    assert not sum(shares) or len(candidates) + sum(shares) <= most_rows


def test_the_likeliest_drafts_come_first() -> None:
    likely, unlikely = Candidate(9, 0.9, 0.9), Candidate(9, 0.05, 0.9)
    assert share_out([unlikely, likely], 2, 5, 0.15) == [0, 3]
    assert share_out([likely, likely], 2, 6, 0.15) == [2, 2]
    assert share_out([unlikely], 1, 8, 0.15) == [0], "not worth a row"
    middling = Candidate(9, 0.5, 0.5)
    assert share_out([middling], 1, 8, 0.15) == [2], "further ones are too unlikely"
    assert share_out([middling] * 7, 7, 8, 0.15) == [0] * 7, "it would hold up six others too long"


def test_verified_stops_at_the_first_wrong_draft(request_of: RequestOf) -> None:
    sequence = Sequence(request_of("a", [1, 2]), Timeline(received=0.0), 0)
    chunk = Chunk(sequence, 1, 1, True, drafts=(3, 4, 9, 6))
    asked: list[tuple[int, list[int]]] = []

    def pick(number: int, tokens: Any) -> Sampled:
        asked.append((number, list(tokens)))
        return Sampled(tokens[-1] + 1)

    assert [x.token for x in verified(chunk, pick)] == [3, 4, 5]
    assert asked == [(0, [1, 2]), (1, [1, 2, 3]), (2, [1, 2, 3, 4])]
    assert sequence.tokens == [1, 2]
    assert (chunk.rows, chunk.tokens, StepPlan([chunk]).tokens) == (5, [2, 3, 4, 9, 6], 5)


@settings(max_examples=80, deadline=None)
@given(
    prompts=st.lists(
        st.tuples(st.lists(st.integers(0, 2), min_size=1, max_size=14), st.integers(1, 25)),
        min_size=1,
        max_size=5,
    ),
    blocks=st.integers(10, 30),
    drafts=st.integers(0, 9),
    draft_rows=st.integers(1, 12),
    sequences=st.integers(1, 5),
    cache=st.booleans(),
    late=st.integers(0, 30),
)
def test_the_text_is_the_same_with_and_without(
    rigs: Callable[..., Any],
    request_of: RequestOf,
    prompts: list[tuple[list[int], int]],
    blocks: int,
    drafts: int,
    draft_rows: int,
    sequences: int,
    cache: bool,
    late: int,
) -> None:
    """With two different tokens guesses are often right and often wrong; KV is checked in each."""
    answers = []
    for most in (0, drafts):
        rig = rigs(vocab=2)
        limits = {"sequences": sequences, "prefix_cache": cache, "budget": 24}
        engine = rig.engine(blocks=blocks, drafts=most, draft_rows=draft_rows, **limits)
        for number, (prompt, length) in enumerate(prompts):
            if number == len(prompts) - 1:
                for _ in range(late if engine.has_work else 0):
                    rig.step(engine)
            engine.add(request_of(f"r{number}", prompt, max_tokens=length, min_tokens=3))
        rig.run(engine)
        assert engine.load().free_blocks == blocks
        answers.append((rig.answers, {k: d.finish_reason for k, d in rig.ends.items()}))
        event(f"accepted: {'some' if engine.load().accepted else 'none'}")
    assert answers[0] == answers[1]
