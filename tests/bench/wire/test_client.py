"""One request against a scripted server: what its record says for every kind of answer."""

from __future__ import annotations

import statistics
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goodput.bench.wire.client import BenchClient
from goodput.bench.wire.endpoint import Endpoint
from goodput.core.record import RequestRecord
from goodput.core.slo import SLO

Start = Any
BODY = b'{"messages": [{"role": "user", "content": "hi"}]}'


async def ask(url: str, timeout_s: float = 10.0, api_key: str | None = None) -> RequestRecord:
    record = RequestRecord(id="r", workload="w", scheduled=time.monotonic())
    async with Endpoint(url, api_key) as endpoint:
        await BenchClient(endpoint, time.monotonic, timeout_s).send(record, BODY)
    return record


async def answer(start: Start, script: list[Any], **settings: Any) -> RequestRecord:
    server = await start(lambda _: script)
    return await ask(server.url, **settings)


async def test_a_whole_answer(start: Start, wire: Any) -> None:
    spans = {"goodput": {"spans_ms": {"prefill": 12.5, "transfer": 0.5, "of_the_future": 1}}}
    record = await answer(
        start,
        [
            wire.role,
            wire.token(),
            wire.token(),
            wire.finish,
            wire.usage(3, 20, 16, **spans),
            wire.done,
        ],
    )
    assert (record.status, record.http_status, record.error) == ("ok", 200, None)
    assert (record.prompt_tokens, record.cached_tokens, record.output_tokens) == (20, 16, 3)
    assert (record.token_source, record.finish_reason) == ("usage", "length")
    assert len(record.token_times) == 2, "neither the role nor the finish chunk is a token"
    assert record.spans is not None and record.spans.prefill == 0.0125
    assert record.spans.handoff == 0.0005
    assert record.scheduled <= (record.sent or 0) <= (record.first_token or 0) <= (record.end or 0)
    assert record.met(SLO(ttft=10.0))


async def test_stamps_follow_what_the_server_wrote(start: Start, wire: Any) -> None:
    tokens: list[Any] = [item for _ in range(40) for item in (wire.token(), 0.005)]
    server = await start(lambda _: [wire.role, *tokens, wire.finish, wire.done])
    record = await ask(server.url)
    _, *written, _, done = server.requests[0].written
    assert len(record.token_times) == len(written) == 40
    errors = [stamp.time - at for stamp, at in zip(record.token_times, written, strict=True)]
    # One machine, one clock: nothing is read before it is written. A machine that is busy with
    # other things delays some reads, so only the typical error is bounded, and generously.
    assert min(errors) >= 0
    assert statistics.median(errors) < 0.02
    assert record.end is not None and record.end >= done
    assert record.sent is not None and record.sent <= server.requests[0].at


async def test_tokens_are_counted_by_chunks_without_usage(start: Start, wire: Any) -> None:
    record = await answer(start, [wire.token(), wire.token(), wire.token(), wire.finish, wire.done])
    assert (record.output_tokens, record.token_source) == (3, "chunks")


async def test_the_servers_count_stands_whatever_comes_after_it(start: Start, wire: Any) -> None:
    record = await answer(start, [wire.token(), wire.usage(5), wire.token(), wire.finish])
    assert (record.output_tokens, record.token_source) == (5, "usage")


async def test_a_chunk_of_several_tokens_says_so(start: Start, wire: Any) -> None:
    script = [wire.token(token_ids=[1, 2, 3]), wire.token(), wire.finish, wire.done]
    record = await answer(start, script)
    assert [stamp.count for stamp in record.token_times] == [3, 1]
    assert record.output_tokens == 4


async def test_reasoning_and_tool_calls_are_tokens_too(start: Start, wire: Any) -> None:
    deltas = [{"reasoning_content": "hm"}, {"tool_calls": [{"index": 0}]}, {"content": ""}]
    script = [wire.event({"choices": [{"index": 0, "delta": delta}]}) for delta in deltas]
    record = await answer(start, [*script, wire.finish, wire.done])
    assert record.output_tokens == 2


async def test_keep_alives_and_crlf(start: Start, wire: Any) -> None:
    lines = [wire.token(), b": ping\n\n", wire.token(), wire.finish, wire.done]
    record = await answer(start, [line.replace(b"\n", b"\r\n") for line in lines])
    assert (record.status, record.output_tokens) == ("ok", 2)


async def test_a_finished_answer_needs_no_done(start: Start, wire: Any) -> None:
    record = await answer(start, [wire.token(), wire.finish])
    assert record.status == "ok"


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(size=st.integers(1, 97))
async def test_bytes_may_be_split_anywhere(start: Start, wire: Any, size: int) -> None:
    stream = b"".join(
        [wire.role, wire.token("é"), wire.token("x"), wire.finish, wire.usage(2), wire.done]
    )
    record = await answer(start, [stream[at : at + size] for at in range(0, len(stream), size)])
    assert (record.status, record.output_tokens, len(record.token_times)) == ("ok", 2, 2)


@pytest.mark.parametrize("status", [429, 503])
async def test_rejections_are_told_apart_from_errors(start: Start, wire: Any, status: int) -> None:
    body = {"error": {"message": "too much work", "type": "overloaded_error"}}
    record = await answer(start, [wire.whole(status, body, "Retry-After: 7")])
    assert (record.status, record.http_status) == ("rejected", status)
    assert (record.error, record.retry_after_s) == ("too much work", 7.0)
    assert record.end is not None and record.first_token is None


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"error": {"message": "no such field"}}, "no such field"),
        ({"detail": "nope"}, "nope"),
        ("plain", "plain"),
    ],
)
async def test_http_errors(start: Start, wire: Any, body: Any, text: str) -> None:
    record = await answer(start, [wire.whole(500, body)])
    assert (record.status, record.http_status) == ("error", 500)
    assert text in (record.error or "")


async def test_an_answer_that_is_no_stream(start: Start, wire: Any) -> None:
    record = await answer(start, [wire.whole(200, {"choices": []})])
    assert record.status == "error" and "not an event stream" in (record.error or "")


async def test_an_error_in_mid_stream_keeps_the_tokens_and_is_a_miss(
    start: Start, wire: Any
) -> None:
    failure = wire.event({"error": {"message": "worker lost", "code": 500}})
    record = await answer(start, [wire.token(), wire.token(), failure, wire.done])
    assert (record.status, record.error, record.output_tokens) == ("error", "worker lost", 2)
    assert not record.met(SLO(ttft=10.0))


@pytest.mark.parametrize("after", ["nothing", "a token", "headers"])
async def test_a_lost_connection(start: Start, wire: Any, after: str) -> None:
    script = {
        "nothing": [b"HTTP/", wire.close],
        "a token": [wire.token(), wire.close],
        "headers": [wire.close],
    }[after]
    record = await answer(start, script)
    assert record.status == "error" and record.error
    assert record.output_tokens == (1 if after == "a token" else 0)


async def test_a_stream_that_ends_before_its_answer(start: Start, wire: Any) -> None:
    record = await answer(start, [wire.token()])
    assert (record.status, record.error) == ("error", "the stream ended before the answer did")


async def test_a_malformed_event(start: Start, wire: Any) -> None:
    record = await answer(start, [wire.token(), b"data: {nonsense\n\n", wire.done])
    assert record.status == "error" and "malformed event" in (record.error or "")


async def test_a_stall_becomes_a_timeout(start: Start, wire: Any) -> None:
    record = await answer(start, [wire.token(), 5.0, wire.done], timeout_s=0.2)
    assert (record.status, record.output_tokens) == ("timeout", 1)
    assert record.e2e is not None and record.e2e >= 0.2


async def test_nobody_listens(start: Start, wire: Any) -> None:
    record = await ask("http://127.0.0.1:1")
    assert (record.status, record.error) == ("error", "connection refused")
    assert record.sent is not None


async def test_the_key_is_sent_and_shown_nowhere(start: Start, wire: Any) -> None:
    complaint = {"error": {"message": "wrong key sk-very-secret"}}
    server = await start(lambda _: [wire.whole(401, complaint)])
    record = await ask(server.url, api_key="sk-very-secret")
    assert server.requests[0].headers["authorization"] == "Bearer sk-very-secret"
    assert record.error == "wrong key ***"


async def test_connections_are_used_again(start: Start, wire: Any) -> None:
    server = await start(lambda _: [wire.token(), wire.finish, wire.done])
    async with Endpoint(server.url) as endpoint:
        client = BenchClient(endpoint, time.monotonic, 10.0)
        for _ in range(3):
            record = RequestRecord(id="r", workload="w", scheduled=0.0)
            await client.send(record, BODY)
            assert record.status == "ok"
    assert (server.connections, len(server.requests)) == (1, 3)
