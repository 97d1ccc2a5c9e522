"""The official client, without a special case."""

import openai
import pytest

from goodput.core.errors import OverloadedError, WorkerLostError

MESSAGES = [{"role": "user", "content": "hey"}]


@pytest.fixture
async def client(server):
    async with openai.AsyncOpenAI(
        api_key="any", base_url=f"{server.url}/v1", max_retries=0
    ) as client:
        yield client


async def test_models(client):
    assert [model.id async for model in client.models.list()] == ["tiny:1m"]
    assert (await client.models.retrieve("tiny:1m")).owned_by == "goodput"


async def test_chat(client):
    answer = await client.chat.completions.create(
        model="tiny:1m", messages=MESSAGES, n=2, logprobs=True, top_logprobs=1, seed=3
    )
    assert [choice.message.content for choice in answer.choices] == ["hi", "hi"]
    assert answer.choices[0].logprobs.content[0].token == "h"
    assert answer.usage.prompt_tokens_details.cached_tokens == 0
    assert answer._request_id == answer.id
    assert answer.model_extra["goodput"]["e2e_ms"] > 0


async def test_chat_stream(client, server):
    server.generator.reply = "né 😀".encode()
    stream = await client.chat.completions.create(
        model="tiny:1m",
        messages=MESSAGES,
        stream=True,
        stream_options={"include_usage": True},
        extra_body={"slo": {"ttft_ms": 60_000}, "top_k": 5},
    )
    chunks = [chunk async for chunk in stream]
    text = "".join(c.delta.content or "" for chunk in chunks for c in chunk.choices)
    assert text == "né 😀"
    assert chunks[-1].usage.completion_tokens == 9
    assert chunks[-1].model_extra["goodput"]["slo_met"] is True
    assert server.generator.requests[0].sampling.top_k == 5


async def test_the_clients_own_accumulator_takes_the_stream(client):
    async with client.chat.completions.stream(model="tiny:1m", messages=MESSAGES) as stream:
        completion = await stream.get_final_completion()
    assert completion.choices[0].message.content == "hi"


async def test_completion(client):
    answer = await client.completions.create(model="tiny:1m", prompt=["a", "b"], logprobs=1)
    assert [choice.text for choice in answer.choices] == ["hi", "hi"]
    assert answer.choices[1].logprobs.text_offset == [0, 1]
    stream = await client.completions.create(model="tiny:1m", prompt="a", stream=True)
    assert "".join([chunk.choices[0].text async for chunk in stream]) == "hi"


async def test_errors_are_the_clients_own_classes(client, server):
    async def ask(**fields):
        fields = {"model": "tiny:1m", "messages": MESSAGES, **fields}
        return await client.chat.completions.create(**fields)

    with pytest.raises(openai.NotFoundError, match="gpt-9"):
        await ask(model="gpt-9")
    with pytest.raises(openai.BadRequestError) as bad:
        await ask(temperature=5)
    assert (bad.value.param, bad.value.type) == ("temperature", "invalid_request_error")
    with pytest.raises(openai.BadRequestError) as long:
        await ask(max_tokens=1_000)
    assert long.value.code == "context_length_exceeded"
    server.generator.refuse = OverloadedError("Too much.")
    with pytest.raises(openai.RateLimitError):
        await ask()
    server.generator.refuse = WorkerLostError("Gone.")
    with pytest.raises(openai.InternalServerError) as lost:
        await ask()
    assert lost.value.status_code == 503


async def test_an_error_in_the_middle_of_a_stream_raises(client, server):
    server.generator.reply = b"abc"
    server.generator.fail_after = (2, WorkerLostError("The worker is gone."))
    stream = await client.chat.completions.create(model="tiny:1m", messages=MESSAGES, stream=True)
    seen = []
    with pytest.raises(openai.APIError, match="The worker is gone"):
        async for chunk in stream:
            seen.append(chunk.choices[0].delta.content)  # noqa: PERF401 - it raises midway
    assert seen == ["", "a", "b"]


async def test_closing_a_stream_early_cancels(client, server, eventually):
    server.generator.reply, server.generator.stall_after = b"abc", 2
    stream = await client.chat.completions.create(model="tiny:1m", messages=MESSAGES, stream=True)
    await anext(aiter(stream))
    await stream.close()
    await eventually(lambda: server.generator.active == 0)
    assert server.generator.cancelled == 1
