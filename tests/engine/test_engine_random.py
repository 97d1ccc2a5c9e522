"""Whatever comes, in whatever order: every request ends once, with the tokens it has alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from goodput.core.request import GenerationRequest
from goodput.engine.engine import Engine
from goodput.engine.modelled import modelled_token
from goodput.engine.report import Handoff

RequestOf = Callable[..., GenerationRequest]
Rigs = Callable[[], Any]

# Few different tokens, so that prompts share prefixes; lengths around the block size of 4.
PROMPTS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(1, 18), st.integers(1, 12), st.integers(0, 2)),
    min_size=1,
    max_size=8,
)


# With two different tokens, guesses of what follows are right as often as wrong.
VOCABS = st.sampled_from([2, 50])

# What happens in which order: (choice, number of the request concerned). Afterwards all go on in
# turn until the end.
SCRIPT = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 7)), max_size=80)


def make_requests(
    request_of: RequestOf, prompts: list[tuple[int, int, int, int]]
) -> list[GenerationRequest]:
    """(which text, how much of it, answer length, priority) for each."""
    texts = ([1] * 18, [*range(10, 19), *[1] * 9])
    return [
        request_of(f"r{i}", texts[which][:length], max_tokens=answer, priority=priority, eos=(7,))
        for i, (which, length, answer, priority) in enumerate(prompts)
    ]


def alone(request: GenerationRequest, limit: int, vocab: int) -> list[int]:
    """The right answer, made without an engine."""
    tokens = list(request.prompt)
    while len(tokens) - len(request.prompt) < request.sampling.max_tokens and len(tokens) < limit:
        tokens.append(modelled_token(tokens, vocab))
        if tokens[-1] in request.eos_token_ids:
            break
    return tokens[len(request.prompt) :]


def assert_answers(rig: Any, requests: list[GenerationRequest], limit: int) -> None:
    """All that were not cancelled ended as they would alone; the others are a part of it."""
    for request in requests:
        said = rig.answers.get(request.id, [])
        expected = [] if len(request.prompt) >= limit else alone(request, limit, rig.vocab)
        if request.id in rig.ends:
            failed = rig.ends[request.id].finish_reason == "error"
            assert said == expected and failed == (not expected)
        else:
            assert request.id in rig.cancelled
            assert said == expected[: len(said)]
    for engine in rig.engines:
        engine.check_invariants()
        assert engine.load().free_blocks == engine.load().total_blocks
        assert not engine.has_work


@settings(max_examples=120, deadline=None)
@given(
    prompts=PROMPTS,
    blocks=st.integers(2, 12),
    budget=st.integers(1, 20),
    saturation=st.integers(1, 20),
    sequences=st.integers(1, 6),
    cache=st.booleans(),
    vocab=VOCABS,
    script=SCRIPT,
)
def test_one_engine(
    rigs: Rigs,
    request_of: RequestOf,
    prompts: list[tuple[int, int, int, int]],
    blocks: int,
    budget: int,
    saturation: int,
    sequences: int,
    cache: bool,
    vocab: int,
    script: list[tuple[int, int]],
) -> None:
    rig = rigs(vocab=vocab)
    rig.cancelled = set()
    engine = rig.engine(
        blocks=blocks,
        budget=budget,
        saturation=saturation,
        sequences=sequences,
        prefix_cache=cache,
    )
    requests = make_requests(request_of, prompts)
    arriving = deque(requests)
    for choice, number in [*script, *[(0, 0), (9, 0)] * 600]:
        victim = requests[number % len(requests)]
        if choice <= 2 and arriving:
            engine.add(arriving.popleft())
        elif choice == 3 and victim.id not in rig.ends and victim not in arriving:
            engine.cancel(victim.id)
            rig.cancelled.add(victim.id)
            engine.check_invariants()
        elif arriving or engine.has_work:
            rig.step(engine)
    assert_answers(rig, requests, blocks * 4)


class Host:
    """A prefill and a decode engine, and a coordinator in between that may be slow."""

    def __init__(self, rig: Any, prefill: Engine, decode: Engine) -> None:
        self.rig, self.prefill, self.decode = rig, prefill, decode
        self.requests: dict[str, GenerationRequest] = {}
        self.offers: deque[Handoff] = deque()
        self.releases: deque[str] = deque()

    @property
    def busy(self) -> bool:
        return bool(self.prefill.has_work or self.decode.has_work or self.offers or self.releases)

    def add(self, request: GenerationRequest) -> None:
        self.requests[request.id] = request
        self.prefill.add(request)

    def cancel(self, request_id: str) -> None:
        """In whatever state: at the prefill engine, between both, or at the decode engine."""
        self.prefill.cancel(request_id)
        lease_id = self.decode.cancel(request_id)
        if lease_id is not None:
            self.releases.append(lease_id)
        for handoff in [x for x in self.offers if x.request_id == request_id]:
            self.offers.remove(handoff)
            self.releases.append(handoff.lease_id)

    def turn(self, choice: int) -> None:
        """Let one of the four parts go on."""
        if choice == 0:
            self.offers += self.rig.step(self.prefill).handoffs
        elif choice == 1:
            self.releases += self.rig.step(self.decode).released_leases
        elif choice == 2 and self.offers:
            handoff = self.offers.popleft()
            request = self.requests[handoff.request_id]
            request.generated = handoff.generated
            self.decode.add_handed_over(
                request,
                handoff.blocks,
                handoff.num_computed,
                handoff.timeline,
                handoff.lease_id,
                handoff.cached_tokens,
            )
        elif choice == 3 and self.releases:
            assert self.prefill.release_lease(self.releases.popleft())


@settings(max_examples=120, deadline=None)
@given(
    prompts=PROMPTS,
    blocks=st.integers(5, 12),
    budget=st.integers(1, 20),
    saturation=st.integers(1, 20),
    sequences=st.integers(1, 6),
    cache=st.booleans(),
    vocab=VOCABS,
    script=SCRIPT,
)
def test_prefill_and_decode_apart(
    rigs: Rigs,
    request_of: RequestOf,
    prompts: list[tuple[int, int, int, int]],
    blocks: int,
    budget: int,
    saturation: int,
    sequences: int,
    cache: bool,
    vocab: int,
    script: list[tuple[int, int]],
) -> None:
    rig = rigs(vocab=vocab)
    rig.cancelled = set()
    limits = {
        "blocks": blocks,
        "budget": budget,
        "saturation": saturation,
        "sequences": sequences,
        "prefix_cache": cache,
    }
    host = Host(rig, rig.engine(role="prefill", **limits), rig.engine(role="decode", **limits))
    requests = make_requests(request_of, prompts)
    arriving = deque(requests)
    everybody = [(9, 0), (0, 0), (1, 0), (2, 0), (3, 0)] * 600
    for choice, number in [*script, *everybody]:
        victim = requests[number % len(requests)]
        if choice == 9 and arriving:
            host.add(arriving.popleft())
        elif choice == 8 and victim.id not in rig.ends and victim.id in host.requests:
            host.cancel(victim.id)
            rig.cancelled.add(victim.id)
        elif host.busy:
            host.turn(choice % 4)
    for request in requests:
        request.generated = []
    assert_answers(rig, requests, blocks * 4)
