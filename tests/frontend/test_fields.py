"""Each wrong field is answered with one sentence and its name."""

import pytest


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"temperature": 3}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"top_k": -2}, "top_k"),
        ({"min_p": 1.5}, "min_p"),
        ({"repetition_penalty": 0}, "repetition_penalty"),
        ({"presence_penalty": 2.1}, "presence_penalty"),
        ({"n": 0}, "n"),
        ({"n": 9}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 5, "min_tokens": 6}, "min_tokens"),
        ({"seed": 2**63}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"stop": ""}, "stop"),
        ({"stop": ["a", ""]}, "stop[1]"),
        ({"stop": ["x"] * 17}, "stop"),
        ({"stop_token_ids": [263]}, "stop_token_ids"),
        ({"stop_token_ids": [-1]}, "stop_token_ids[0]"),
        ({"logit_bias": {"x": 1}}, "logit_bias"),
        ({"logit_bias": {"263": 1}}, "logit_bias"),
        ({"logit_bias": {"1": 101}}, "logit_bias[...]"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"usage": True}}, "stream_options.usage"),
        ({"slo": {"ttft_ms": 0}}, "slo.ttft_ms"),
        ({"slo": {"ttft": 3}}, "slo.ttft"),
        ({"slo": 5}, "slo"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"audio": {"voice": "x"}}, "audio"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"bogus": None}, "bogus"),
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": ["hi"]}, "messages[0]"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        (
            {"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": 1}]},
            "messages[1].content",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "text": ""}]}]},
            "messages[0].content[0].type",
        ),
        (
            {"messages": [{"role": "user", "content": "a", "tool_calls": [1]}]},
            "messages[0].tool_calls",
        ),
        ({"messages": [{"role": "assistant", "content": "hi"}]}, None),
    ],
)
async def test_a_wrong_chat_field_is_named(stage, fields, param):
    answer = await stage.chat(**fields)
    error = answer.json()["error"]
    assert answer.status_code == 400
    assert error["param"] == param
    assert error["type"] == "invalid_request_error"
    assert param is None or param in error["message"]
    assert "\n" not in error["message"] and error["message"].endswith(".")
    assert stage.generator.requests == []


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": ""}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": 5}, "prompt"),
        ({"prompt": ["a", 5]}, "prompt[1]"),
        ({"prompt": [1, 263]}, "prompt"),
        ({"prompt": [[1], []]}, "prompt[1]"),
        ({"prompt": [[1], [True]]}, "prompt[1]"),
        ({"prompt": ["a"] * 129}, "prompt"),
        ({"echo": True}, "echo"),
        ({"best_of": 2}, "best_of"),
        ({"suffix": "x"}, "suffix"),
        ({"logprobs": 21}, "logprobs"),
        ({"logprobs": True}, "logprobs"),
        ({"messages": []}, "messages"),
    ],
)
async def test_a_wrong_completion_field_is_named(stage, fields, param):
    answer = await stage.complete(**fields)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


async def test_what_asks_for_nothing_is_accepted(stage):
    answer = await stage.chat(
        tools=[],
        tool_choice="auto",
        response_format={"type": "text"},
        modalities=["text"],
        store=True,
        metadata={"a": "b"},
        service_tier="auto",
        parallel_tool_calls=True,
        stream_options={"include_usage": True},
        user="me",
        stop=None,
        logprobs=False,
        max_tokens=None,
        audio=None,
    )
    assert answer.status_code == 200


async def test_all_sampling_fields_arrive(stage):
    fields = {
        "temperature": 0,
        "top_p": 0.5,
        "top_k": -1,
        "min_p": 0.1,
        "seed": -1,
        "presence_penalty": 1,
        "frequency_penalty": -1,
        "repetition_penalty": 1.5,
        "logit_bias": {"7": -100},
        "stop_token_ids": [9],
        "min_tokens": 1,
        "ignore_eos": True,
    }
    await stage.chat(**fields, max_completion_tokens=3, logprobs=True, top_logprobs=2)
    sampling = stage.generator.requests[0].sampling
    expected = fields | {
        "top_k": 0,
        "seed": 2**63 - 1,
        "logit_bias": {7: -100.0},
        "stop_token_ids": (9,),
        "max_tokens": 3,
        "logprobs": 2,
    }
    assert {name: getattr(sampling, name) for name in expected} == expected


async def test_defaults_are_openais(stage):
    await stage.chat()
    await stage.complete()
    chat, plain = (request.sampling for request in stage.generator.requests)
    prompt = b"user: hey\n"
    assert stage.generator.requests[0].prompt == list(prompt)
    assert (chat.temperature, chat.max_tokens) == (1.0, 200 - len(prompt))
    assert (plain.temperature, plain.max_tokens) == (1.0, 16)
    assert chat.seed != plain.seed


async def test_seeds_of_n_follow_each_other(stage):
    await stage.complete(n=3, seed=5)
    assert [request.sampling.seed for request in stage.generator.requests] == [5, 6, 7]


async def test_parts_and_the_developer_role(stage):
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    await stage.chat(messages=[{"role": "developer", "content": parts}])
    assert bytes(stage.generator.requests[0].prompt) == b"system: a\nb\n"


async def test_the_prompt_beyond_the_context_has_both_numbers(stage):
    answer = await stage.complete(prompt=[1] * 200)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "context_length_exceeded")
    assert "200 tokens" in error["message"] and error["param"] == "prompt"
    answer = await stage.chat(max_tokens=195)
    assert "10 tokens" in answer.json()["error"]["message"]
    assert "200 tokens" in answer.json()["error"]["message"]


async def test_the_last_token_of_the_context_can_be_used(stage):
    assert (await stage.complete(prompt=[1] * 199)).status_code == 200
    assert (await stage.complete(prompt=[1] * 100, max_tokens=100)).status_code == 200
    assert (await stage.complete(prompt=[1] * 100, max_tokens=101)).status_code == 400


async def test_the_slo_arrives_in_seconds(stage):
    await stage.chat(slo={"ttft_ms": 400, "tpot_ms": None})
    slo = stage.generator.requests[0].slo
    assert (slo.ttft, slo.tpot, slo.e2e) == (0.4, None, None)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"null", b'{"a":1e999}', b"[" * 5000])
async def test_malformed_json_is_400(stage, body):
    answer = await stage.post("/v1/completions", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("depth", [400, 990, 1020])
async def test_deep_nesting_is_an_error_not_a_fault(stage, depth):
    deep = b"[" * depth + b"]" * depth
    for field in (b'"prompt":' + deep, b'"prompt":"a","tools":' + deep):
        body = b'{"model":"tiny:1m",' + field + b"}"
        assert (await stage.post("/v1/completions", content=body)).status_code == 400
    body = b'{"model":"tiny:1m","messages":[{"role":"user","content":[{"a":' + deep + b"}]}]}"
    assert (await stage.post("/v1/chat/completions", content=body)).status_code == 400


async def test_the_content_type_does_not_matter(stage):
    body = b'{"model":"tiny:1m","prompt":"a"}'
    answer = await stage.post("/v1/completions", content=body, headers={"content-type": "x/y"})
    assert answer.status_code == 200
