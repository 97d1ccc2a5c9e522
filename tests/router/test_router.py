"""The router: what it knows of caches, and the few workers of many that it compares."""

from __future__ import annotations

from typing import Any

import pytest
from tests.router.made import view

from goodput.core.request import GenerationRequest, SamplingParams
from goodput.core.router_config import RouterConfig
from goodput.core.slo import SLO
from goodput.kv.hashing import block_hashes
from goodput.router.router import Prompt, Router, first_token_due
from goodput.workers.messages import Report, WorkerLoad

TOKENS = list(range(160))
HASHES = block_hashes(TOKENS, 16)


def request(prompt: list[int] = TOKENS, **changes: Any) -> GenerationRequest:
    fields = {"sampling": SamplingParams(max_tokens=20), "received": 100.0} | changes
    return GenerationRequest(id="r", prompt=prompt, **fields)  # type: ignore[arg-type]


def told(number: int, stored: int = 0, **parts: Any) -> Report:
    return Report(WorkerLoad(), stored=HASHES[:stored], cache_number=number, **parts)


def cached(router: Router, *workers: str) -> dict[str, int]:
    fleet = [view(name) for name in workers or ("mixed-0", "mixed-1")]
    work, _ = router.place(request(), Prompt(TOKENS), fleet, now=100.0)
    return {name: tokens for name, tokens in work.cached_tokens.items() if tokens}


def test_a_work_says_what_the_request_needs() -> None:
    slo = SLO(ttft=2.0, tpot=0.05, e2e=1.5)
    work, _ = Router(16).place(request(slo=slo), Prompt(TOKENS), [view("mixed-0")], now=100.4)
    assert (work.tokens, work.blocks, work.answer_tokens) == (160, 2, 20)
    assert work.first_token_s == pytest.approx(1.1)
    assert work.tpot_s == 0.05
    assert first_token_due(request(slo=SLO(tpot=1.0))) is None


def test_cached_tokens_are_of_full_blocks_and_from_events() -> None:
    router = Router(16)
    assert router.take_in("mixed-0", told(1, 2))
    assert router.take_in("mixed-0", told(1))  # a heartbeat
    assert cached(router) == {"mixed-0": 32}
    assert router.least_uncached(Prompt(TOKENS)) == 128
    assert router.least_uncached(Prompt(TOKENS[:32])) == 1
    assert router.take_in("mixed-0", told(2, removed=[HASHES[1]]))
    assert cached(router) == {"mixed-0": 16}


@pytest.mark.parametrize("gap", [told(3, 3), told(2)])
def test_a_gap_is_noticed_by_events_and_heartbeats_and_ends_with_the_whole_truth(
    gap: Report,
) -> None:
    router = Router(16)
    assert router.take_in("mixed-0", told(1, 2))
    assert not router.take_in("mixed-0", gap)
    assert cached(router) == {}
    # It is asked once; what it says meanwhile cannot be placed.
    assert router.take_in("mixed-0", told(4, 5))
    assert cached(router) == {}
    assert router.take_in("mixed-0", told(4, cached=HASHES[:4]))
    assert cached(router) == {"mixed-0": 64}
    assert router.take_in("mixed-0", told(5, 6))
    assert cached(router) == {"mixed-0": 96}


def test_a_dead_workers_cache_is_cleared_and_its_events_start_anew() -> None:
    router = Router(16)
    router.take_in("mixed-0", told(1, 2))
    router.forget("mixed-0")
    assert cached(router) == {}
    assert router.take_in("mixed-0", told(0))
    assert router.take_in("mixed-0", told(1, 1))
    assert cached(router) == {"mixed-0": 16}


def test_a_prompt_is_hashed_only_as_far_as_somebody_has_it() -> None:
    tokens = list(range(16 * 64))
    router = Router(16)
    prompt = Prompt(tokens)
    router.place(request(tokens), prompt, [view("mixed-0")], now=0.0)
    assert prompt.hashes == []
    router.take_in(
        "mixed-0", Report(WorkerLoad(), stored=block_hashes(tokens, 16)[:20], cache_number=1)
    )
    work, _ = router.place(request(tokens), prompt, [view("mixed-0")], now=0.0)
    assert work.cached_tokens == {"mixed-0": 320}
    assert len(prompt.hashes) == 32


def test_approximately_its_own_decisions_are_believed_for_a_while() -> None:
    router = Router(16, RouterConfig(index="approximate", index_ttl_s=10.0))
    router.sent("mixed-1", Prompt(TOKENS[:32]), now=95.0)
    assert router.take_in("mixed-0", told(7, 4))  # Events, gaps included, mean nothing here.
    assert cached(router) == {"mixed-1": 32}
    router.sent("mixed-1", Prompt(TOKENS[:16]), now=96.0)
    router.sent("mixed-0", Prompt(TOKENS[:16]), now=85.0)
    fleet = [view("mixed-0"), view("mixed-1")]
    for now, expected in ((104.9, 32), (105.0, 16), (105.9, 16), (106.0, 0)):
        work, _ = router.place(request(), Prompt(TOKENS), fleet, now)
        assert work.cached_tokens.get("mixed-1", 0) == expected, now
    assert not router.believed("mixed-0")
    router.sent("mixed-0", Prompt(TOKENS), now=110.0)
    router.forget("mixed-0")
    assert not router.believed("mixed-0")


# --- many workers -----------------------------------------------------------------------------


def test_of_many_workers_the_idle_one_is_found_as_loads_change() -> None:
    router = Router(16)
    fleet = [view(f"mixed-{n}", queued_tokens=500) for n in range(300)]
    for idle in (7, 250, 7):
        fleet[idle].queued_tokens = 0
        router.take_in(f"mixed-{idle}", told(0))
        _, placement = router.place(request(), Prompt(TOKENS), list(fleet), now=0.0)
        assert placement is not None
        assert placement.prefill == f"mixed-{idle}"
        fleet[idle].queued_tokens = 500
        router.sent(f"mixed-{idle}", Prompt(TOKENS), now=0.0)


def test_of_many_workers_the_holder_of_a_prefix_is_found_though_it_is_busy() -> None:
    router = Router(16)
    fleet = [view(f"mixed-{n}", queued_tokens=10) for n in range(300)]
    fleet[123].queued_tokens = 60
    router.take_in("mixed-123", told(1, 10))
    _, placement = router.place(request(), Prompt(TOKENS), fleet, now=0.0)
    assert placement is not None
    assert placement.prefill == "mixed-123"
    # When it has left, others are chosen.
    _, placement = router.place(request(), Prompt(TOKENS), fleet[:100], now=0.0)
    assert placement is not None
    assert placement.prefill != "mixed-123"


def test_of_many_pairs_both_ends_are_found() -> None:
    router = Router(16)
    fleet = [view(f"prefill-{n}", queued_tokens=500) for n in range(100)]
    fleet += [view(f"decode-{n}", sequences=3) for n in range(100)]
    fleet[42].queued_tokens = 0
    fleet[177].sequences = 0
    _, placement = router.place(request(), Prompt(TOKENS), fleet, now=0.0)
    assert placement is not None
    assert (placement.prefill, placement.decode) == ("prefill-42", "decode-77")
    assert router.place_decode(request(), 160, fleet) == "decode-77"
