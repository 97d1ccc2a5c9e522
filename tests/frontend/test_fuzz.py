"""Whatever is posted: an answer or a 4xx in OpenAI's shape, never a 5xx."""

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

PATHS = ["/v1/completions", "/v1/chat/completions"]
NAMES = [
    *("model", "messages", "prompt", "stream", "stream_options", "n", "max_tokens", "min_tokens"),
    *("max_completion_tokens", "temperature", "top_p", "top_k", "min_p", "seed", "stop", "slo"),
    *("presence_penalty", "repetition_penalty", "logit_bias", "stop_token_ids", "ignore_eos"),
    *("logprobs", "top_logprobs", "tools", "response_format", "echo", "best_of", "user", "x"),
]
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["user", "text", "1", "tiny:1m", "ttft_ms", "include_usage"])
)
keys = st.text(max_size=4) | st.sampled_from(["role", "content", "type", "text", "ttft_ms", "7"])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=8,
)
sound = {
    "model": st.just("tiny:1m"),
    "prompt": st.just("hey") | values,
    "messages": st.just([{"role": "user", "content": "hey"}]) | values,
}


@pytest.fixture(scope="module")
def shared(make_stage):
    """One app for all bodies: what one leaves behind must not change the next."""
    return make_stage()


def check(answer):
    assert answer.status_code in (200, 400, 404, 413), answer.text
    if answer.status_code != 200:
        error = answer.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert error["message"].endswith(".") and "\n" not in error["message"]


@pytest.mark.parametrize("path", PATHS)
@given(st.dictionaries(st.sampled_from(NAMES), values, max_size=5), st.fixed_dictionaries(sound))
@settings(max_examples=80, deadline=None)
def test_any_fields(shared, path, extra, base):
    base.pop("messages" if path == PATHS[0] else "prompt")
    body = json.dumps({**base, **extra}).encode()
    check(asyncio.run(shared.post(path, content=body)))


@given(st.binary(max_size=60) | values.map(lambda value: json.dumps(value).encode()))
@settings(max_examples=60, deadline=None)
def test_any_bytes(shared, body):
    check(asyncio.run(shared.post(PATHS[1], content=body)))


@given(st.data())
@settings(max_examples=50, deadline=None)
def test_a_damaged_body(shared, data):
    body = bytearray(
        json.dumps(
            {"model": "tiny:1m", "messages": [{"role": "user", "content": "é"}], "n": 2}
        ).encode()
    )
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    check(asyncio.run(shared.post(PATHS[1], content=bytes(body))))
