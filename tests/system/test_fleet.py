"""Any layout of workers gives the same tokens, spans that add up, and all blocks back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from goodput.core.errors import OverloadedError
from goodput.core.timeline import Timeline

SHARED = list(range(100))


def prompts(count: int) -> list[list[int]]:
    """Some share their first blocks, so that the prefix cache has a part in it."""
    return [SHARED[: 16 * (i % 4)] + list(range(i, i + 10 + 7 * i)) for i in range(count)]


@pytest.mark.parametrize("counts", [(1, 1, 0), (0, 0, 1), (2, 2, 0), (1, 1, 1)])
async def test_tokens_do_not_depend_on_the_layout(kit: Any, counts: tuple[int, int, int]) -> None:
    fleet = await kit.fleet(counts)
    asked = [kit.request(f"r{i}", prompt, 5 + i) for i, prompt in enumerate(prompts(16))]
    answers = await asyncio.gather(*(kit.ask(fleet, request) for request in asked))
    for request, answer in zip(asked, answers, strict=True):
        assert answer.tokens == kit.expected(request.prompt, request.sampling.max_tokens)
        assert answer.last.finish_reason == "length"
    await kit.assert_whole(fleet)


async def test_stamps_of_a_handed_over_request_are_in_order(kit: Any) -> None:
    fleet = await kit.fleet()
    answer = await kit.ask(fleet, kit.request("r", range(40), 8))
    timeline = answer.last.timeline
    stamps = [getattr(timeline, name) for name in Timeline.__struct_fields__[:-1]]
    assert None not in stamps
    assert stamps == sorted(stamps)
    spans = timeline.spans()
    assert spans.total() == pytest.approx(timeline.last_token - timeline.received, abs=1e-9)
    assert spans.handoff > 0


async def test_an_answer_of_one_token_is_not_handed_over(kit: Any) -> None:
    fleet = await kit.fleet()
    answer = await kit.ask(fleet, kit.request("r", range(40), 1))
    assert answer.tokens == kit.expected(range(40), 1)
    assert answer.last.timeline.offered is None
    await kit.assert_whole(fleet)


async def test_a_repeated_prompt_is_found_in_the_cache_of_the_worker_that_has_it(kit: Any) -> None:
    fleet = await kit.fleet((2, 1, 0))
    prompt = list(range(64))
    await kit.ask(fleet, kit.request("first", prompt, 2))
    # Load both prefill workers equally, so that only the cache can decide.
    answer = await kit.ask(fleet, kit.request("again", prompt, 2))
    assert answer.last.cached_tokens == 48
    await kit.assert_whole(fleet)


async def test_more_work_than_memory_is_done_in_turn(kit: Any) -> None:
    # 512 tokens of KV per worker: only a few of these sequences fit at once.
    fleet = await kit.fleet(kv_tokens=512, max_sequences=8)
    asked = [kit.request(f"r{i}", range(i, i + 60), 40) for i in range(24)]
    answers = await asyncio.gather(*(kit.ask(fleet, request) for request in asked))
    for request, answer in zip(asked, answers, strict=True):
        assert answer.tokens == kit.expected(request.prompt, 40)
    await kit.assert_whole(fleet)


async def test_a_draining_fleet_finishes_what_it_has_and_takes_nothing(kit: Any) -> None:
    fleet = await kit.fleet()
    running = asyncio.create_task(kit.ask(fleet, kit.request("r", range(40), 30)))
    await asyncio.sleep(0.01)
    fleet.begin_drain()
    with pytest.raises(OverloadedError) as refused:
        await kit.ask(fleet, kit.request("late", range(40), 2))
    assert refused.value.http_status == 503
    assert await fleet.drained(10.0)
    assert (await running).tokens == kit.expected(range(40), 30)


async def test_requests_before_the_workers_are_ready_wait_for_them(kit: Any) -> None:
    fleet = await kit.fleet(wait=False)
    answer = await kit.ask(fleet, kit.request("r", range(40), 5))
    assert answer.tokens == kit.expected(range(40), 5)
    await fleet.wait_ready()
    await kit.assert_whole(fleet)
