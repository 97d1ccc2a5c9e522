"""Streams over a real socket: events, order, errors in the middle, many at once."""

import asyncio
import contextlib
import json

import aiohttp
import httpx
import pytest

from goodput.core.errors import WorkerLostError


@contextlib.asynccontextmanager
async def client_of(server):
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as client:
        yield client


async def events(client, path="/v1/chat/completions", **fields):
    body = {"model": "tiny:1m", "stream": True, **fields}
    if path.startswith("/v1/chat"):
        body.setdefault("messages", [{"role": "user", "content": "hey"}])
    else:
        body.setdefault("prompt", "hey")
    async with client.stream("POST", path, json=body) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line async for line in answer.aiter_lines() if line]
    assert all(line.startswith("data: ") for line in lines)
    return [line if line == "data: [DONE]" else json.loads(line[6:]) for line in lines]


def contents(stream):
    return [
        choice["delta"].get("content")
        for event in stream
        if event != "data: [DONE]"
        for choice in event["choices"]
    ]


async def test_a_chat_stream_event_by_event(server):
    async with client_of(server) as client:
        stream = await events(client)
    assert contents(stream) == ["", "h", "i", None]
    assert stream[-1] == "data: [DONE]"
    assert stream[0]["choices"][0]["delta"]["role"] == "assistant"
    assert [event["choices"][0]["finish_reason"] for event in stream[:-1]] == [
        *(None, None, None, "stop")
    ]
    assert {event["object"] for event in stream[:-1]} == {"chat.completion.chunk"}
    assert len({event["id"] for event in stream[:-1]}) == 1
    timings = stream[-2]["goodput"]
    assert sum(timings["spans_ms"].values()) == pytest.approx(timings["e2e_ms"], abs=0.01)


async def test_usage_comes_last_when_asked_for(server):
    async with client_of(server) as client:
        stream = await events(client, stream_options={"include_usage": True})
    assert stream[-2]["choices"] == [] and "slo_met" in stream[-2]["goodput"]
    assert stream[-2]["usage"]["completion_tokens"] == 3
    assert all(event["usage"] is None for event in stream[:-2])


async def test_tokens_of_one_delta_are_events_of_their_own(server):
    server.generator.reply, server.generator.per_delta = b"abcdef", 4
    async with client_of(server) as client:
        stream = await events(client, "/v1/completions")
    assert [event["choices"][0]["text"] for event in stream[:-1]] == [*"abcdef", ""]


async def test_characters_never_split(server):
    server.generator.reply = "a😀é".encode()
    async with client_of(server) as client:
        assert contents(await events(client)) == ["", "a", "😀", "é", None]


async def test_the_first_event_waits_for_no_later_token(server, eventually):
    server.generator.reply, server.generator.stall_after = b"abc", 1
    body = {"model": "tiny:1m", "prompt": "x", "stream": True}
    async with (
        client_of(server) as client,
        client.stream("POST", "/v1/completions", json=body) as answer,
    ):
        first = await anext(answer.aiter_lines())
        assert json.loads(first[6:])["choices"][0]["text"] == "a"


async def test_choices_of_n_interleave_and_each_ends_once(server):
    server.generator.reply, server.generator.gap_s = b"abcd", 0.01
    async with client_of(server) as client:
        stream = await events(client, "/v1/completions", n=3)
    texts, ends, order = {}, [], []
    for event in stream[:-1]:
        (choice,) = event["choices"]
        order.append(choice["index"])
        texts[choice["index"]] = texts.get(choice["index"], "") + choice["text"]
        ends += [choice["index"]] if choice["finish_reason"] else []
    assert texts == {0: "abcd", 1: "abcd", 2: "abcd"}
    assert sorted(ends) == [0, 1, 2]
    assert order != sorted(order)
    assert "goodput" in stream[-2]


async def test_logprobs_of_a_stream_are_those_of_the_whole(server):
    server.generator.reply = "a😀END".encode()
    fields = {"logprobs": True, "top_logprobs": 1, "stop": ["END"]}
    async with client_of(server) as client:
        stream = await events(client, **fields)
    streamed = [
        entry
        for event in stream[:-1]
        for entry in (event["choices"][0]["logprobs"] or {"content": []})["content"]
    ]
    whole = (await server.chat(**fields)).json()["choices"][0]["logprobs"]["content"]
    assert streamed == whole
    assert len(whole) == 5


async def test_a_stop_string_over_tokens_is_never_shown(server):
    server.generator.reply = b"good morning END more"
    async with client_of(server) as client:
        stream = await events(client, stop=["ING", " EN"])
    assert "".join(text or "" for text in contents(stream)) == "good morning"
    assert server.generator.active == 0


async def test_an_error_in_the_middle_is_an_event_without_done(server):
    server.generator.reply = b"abc"
    server.generator.fail_after = (2, WorkerLostError("The worker is gone."))
    async with client_of(server) as client:
        stream = await events(client)
    assert stream[-1] == {
        "error": {
            "message": "The worker is gone.",
            "type": "server_error",
            "param": None,
            "code": "worker_lost",
        }
    }
    assert 'status="503"' in await server.metrics()


async def test_two_hundred_streams_at_once(server):
    server.generator.reply, server.generator.gap_s = b"0123456789", 0.02
    body = {"model": "tiny:1m", "prompt": "hey", "stream": True}

    async def text(session):
        async with session.post(f"{server.url}/v1/completions", json=body) as answer:
            lines = (await answer.text()).split("\n\n")
        assert lines[-2:] == ["data: [DONE]", ""]
        events = [json.loads(line[6:]) for line in lines[:-2]]
        return [event["choices"][0]["text"] for event in events]

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        streams = await asyncio.gather(*(text(session) for _ in range(200)))
    assert server.generator.peak == 200
    assert streams == [[*"0123456789", ""]] * 200
    assert (server.generator.active, server.gate.pending) == (0, 0)
