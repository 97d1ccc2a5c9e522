"""The official client asks the default model for structured answers, over a real server."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pydantic
import pytest

from goodput.models.catalog import resolve
from goodput.models.weights import prepare

MODEL = "smollm2:135m"


class City(pydantic.BaseModel):
    name: str = pydantic.Field(max_length=12)
    country: str = pydantic.Field(max_length=12)
    millions: int = pydantic.Field(ge=0, le=99)


@pytest.fixture
def client(serve: Callable[..., Any]) -> Any:
    prepare(resolve(MODEL, pull=True), "cpu")
    server = serve("{}")
    with openai.OpenAI(base_url=server.url, api_key="none", max_retries=0) as client:
        yield client
    server.process.terminate()
    assert server.process.wait(20) == 0


def ask(client: openai.OpenAI, **fields: Any) -> Any:
    messages: Any = [{"role": "user", "content": "Tell me of Paris."}]
    return client.chat.completions.create(model=MODEL, messages=messages, **fields).choices[0]


def test_structured_answers(client: openai.OpenAI) -> None:
    parsed = client.chat.completions.parse(
        model=MODEL,
        messages=[{"role": "user", "content": "Tell me of Paris."}],
        response_format=City,
        temperature=1.5,
        seed=1,
    ).choices[0]
    assert parsed.finish_reason == "stop" and isinstance(parsed.message.parsed, City)

    any_object: Any = {"type": "json_object"}
    choice = ask(client, response_format=any_object, temperature=0, max_tokens=64)
    assert choice.message.content.startswith("{")
    if choice.finish_reason == "stop":
        assert isinstance(json.loads(choice.message.content), dict)

    for heat in (0.0, 2.0):
        choice = ask(client, temperature=heat, extra_body={"guided_choice": ["Seine", "Thames"]})
        assert choice.message.content in ("Seine", "Thames") and choice.finish_reason == "stop"

    with pytest.raises(openai.BadRequestError, match="unclosed group"):
        ask(client, extra_body={"guided_regex": "("})


@pytest.mark.slow
def test_streams_side_by_side_are_those_alone(client: openai.OpenAI) -> None:
    def stream(seed: int) -> str:
        messages: Any = [{"role": "user", "content": "When was that?"}]
        chunks = client.chat.completions.create(
            model=MODEL,
            messages=messages,
            stream=True,
            seed=seed,
            extra_body={"guided_regex": r"on \d{4}-\d{2}-\d{2}(, I think)?"},
        )
        return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)

    alone = [stream(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(stream, range(4))) == alone
    assert all(len(text) in (13, 22) for text in alone), alone


def test_the_modelled_engine_refuses(serve: Callable[..., Any]) -> None:
    server = serve("{engine_kind: modelled}")
    with openai.OpenAI(base_url=server.url, api_key="none", max_retries=0) as client:
        any_object: Any = {"type": "json_object"}
        with pytest.raises(openai.BadRequestError, match="modelled engine"):
            ask(client, response_format=any_object)
