"""Finding out which fields a server accepts, and what is said when it accepts nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from goodput.bench.wire.address import base_url
from goodput.bench.wire.client import BenchClient
from goodput.bench.wire.dialect import Dialect, find_dialect, first_model
from goodput.bench.wire.endpoint import Endpoint
from goodput.bench.workloads.base import Message, PlannedRequest
from goodput.core.errors import GoodputError, ModelNotFoundError, UsageError
from goodput.core.record import RequestRecord

Start = Any


def test_a_body_has_what_the_dialect_allows() -> None:
    request = PlannedRequest(messages=(Message("user", "hi"),), max_tokens=5)
    assert json.loads(Dialect().body("toy", request)) == {
        "model": "toy",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "max_tokens": 5,
        "temperature": 0,
        "ignore_eos": True,
        "stream_options": {"include_usage": True},
    }
    plain = Dialect(
        ignore_eos=False, include_usage=False, temperature=False, max_completion_tokens=True
    )
    assert set(json.loads(plain.body("toy", request))) == {
        "model",
        "messages",
        "stream",
        "max_completion_tokens",
    }


@pytest.mark.parametrize("names_the_field", [True, False])
@pytest.mark.parametrize("refused", [[], ["ignore_eos"], ["stream_options", "ignore_eos"]])
async def test_refused_fields_are_dropped(
    start: Start, wire: Any, refused: list[str], names_the_field: bool
) -> None:
    def probe(received: Any) -> list[Any]:
        for name in refused:
            if name in received.body:
                text = f"unknown field {name}" if names_the_field else "bad request"
                return [wire.whole(400, {"error": {"message": text}})]
        return [wire.token(), wire.finish, wire.done]

    server = await start(lambda _: [], probe=probe)
    async with Endpoint(server.url) as endpoint:
        dialect = await find_dialect(endpoint, "toy")
    assert dialect.ignore_eos == ("ignore_eos" not in refused)
    assert dialect.include_usage == ("stream_options" not in refused)
    assert server.requests == []


async def test_newer_names_are_found(start: Start, wire: Any) -> None:
    def probe(received: Any) -> list[Any]:
        if "max_tokens" in received.body:
            text = "'max_tokens' is not supported: use 'max_completion_tokens'"
        elif "temperature" in received.body:
            text = "'temperature' does not support 0 with this model"
        else:
            return [wire.token(), wire.finish, wire.done]
        return [wire.whole(400, {"error": {"message": text}})]

    server = await start(lambda _: [], probe=probe)
    async with Endpoint(server.url) as endpoint:
        dialect = await find_dialect(endpoint, "toy")
    assert dialect == Dialect(max_completion_tokens=True, temperature=False)


@pytest.mark.parametrize(
    ("status", "message", "kind", "text"),
    [
        (400, "no", UsageError, "refuses the plainest request: no"),
        (401, "bad key", UsageError, "does not accept the API key: bad key"),
        (404, "The model `toy` does not exist", ModelNotFoundError, "does not exist"),
        (500, "broken", UsageError, "HTTP 500: broken"),
    ],
)
async def test_what_cannot_work_is_one_sentence(
    start: Start, wire: Any, status: int, message: str, kind: type[GoodputError], text: str
) -> None:
    body = {"error": {"message": message}}
    server = await start(lambda _: [], probe=lambda _: [wire.whole(status, body)])
    async with Endpoint(server.url) as endpoint:
        with pytest.raises(kind, match=text):
            await find_dialect(endpoint, "toy")


async def test_a_server_that_does_not_answer(start: Start, wire: Any) -> None:
    server = await start(lambda _: [], probe=lambda _: [30.0])
    async with Endpoint(server.url) as endpoint:
        with pytest.raises(UsageError, match="did not answer"):
            await find_dialect(endpoint, "toy", timeout_s=0.2)
        with pytest.raises(UsageError, match="did not answer the question for its models"):
            await first_model(endpoint, timeout_s=0.0)
    async with Endpoint("http://127.0.0.1:1") as endpoint:
        with pytest.raises(UsageError, match=r"cannot reach .*: connection refused"):
            await first_model(endpoint)


async def test_the_first_model_is_taken(start: Start) -> None:
    for models, expected in ((["toy", "other"], "toy"), ([], None)):
        server = await start(lambda _: [], models=models)
        async with Endpoint(server.url) as endpoint:
            if expected is not None:
                assert await first_model(endpoint) == expected
            else:
                with pytest.raises(UsageError, match="lists no model"):
                    await first_model(endpoint)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://h:8000", "http://h:8000/v1"),
        ("h:8000/", "http://h:8000/v1"),
        ("https://api.example.com/v1", "https://api.example.com/v1"),
        ("https://h/openai/v1/chat/completions", "https://h/openai/v1"),
        ("https://h/v1/completions", "https://h/v1"),
        ("http://[::1]:8000", "http://[::1]:8000/v1"),
    ],
)
def test_addresses(url: str, expected: str) -> None:
    assert base_url(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "ftp://h",
        "http://",
        "http://h:99999",
        "http://h?key=1",
        "http://u:secret@h",
        "[::1",
        "http://h/a b",
        "http://a..b",
        f"http://{'a' * 64}.b",
    ],
)
def test_what_is_no_address_is_refused_without_its_secrets(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        base_url(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel"])
def test_a_key_that_no_header_can_carry(key: str) -> None:
    check: Callable[[], Endpoint] = lambda: Endpoint("http://h", key)  # noqa: E731
    with pytest.raises(UsageError) as caught:
        check()
    assert key not in str(caught.value)


async def test_plain_completions_are_asked_and_read(start: Start, wire: Any) -> None:
    piece = wire.event({"choices": [{"index": 0, "text": "Paris", "finish_reason": None}]})
    end = wire.event({"choices": [{"index": 0, "text": "", "finish_reason": "length"}]})
    script = [piece, piece, end, wire.done]
    server = await start(lambda _: script, probe=lambda _: script)
    request = PlannedRequest(
        messages=(Message("system", "Be brief."), Message("user", "Capital?")), max_tokens=2
    )
    record = RequestRecord(id="r", workload="w", scheduled=0.0)
    said: list[str] = []
    async with Endpoint(server.url) as endpoint:
        dialect = await find_dialect(endpoint, "toy", kind="completions")
        client = BenchClient(endpoint, time.monotonic, 10.0, path=dialect.path)
        await client.send(record, dialect.body("toy", request), said)
    assert {one.path for one in (*server.probes, *server.requests)} == {"/v1/completions"}
    assert server.requests[0].body["prompt"] == "Be brief.\n\nCapital?"
    assert "messages" not in server.requests[0].body
    assert (record.status, record.output_tokens, said) == ("ok", 2, ["Paris", "Paris"])
