"""Whole answers: text, counts, finish reasons, log-probabilities, timings, routes."""

import pytest

from goodput.core.errors import OverloadedError, WorkerLostError


async def test_a_chat_answer(stage):
    stage.generator.reply = "né 😀".encode()
    stage.generator.cached_tokens = 4
    answer = await stage.chat()
    body = answer.json()
    assert body["object"] == "chat.completion" and body["model"] == "tiny:1m"
    assert body["id"].startswith("chatcmpl-") and body["id"] == answer.headers["x-request-id"]
    choice = body["choices"][0]
    assert choice["message"] == {"role": "assistant", "content": "né 😀", "refusal": None}
    assert (choice["finish_reason"], choice["logprobs"]) == ("stop", None)
    assert body["usage"] == {
        "prompt_tokens": 10,
        "completion_tokens": 9,
        "total_tokens": 19,
        "prompt_tokens_details": {"cached_tokens": 4},
    }


async def test_a_completion_cut_by_length(stage):
    body = (await stage.complete(max_tokens=1)).json()
    assert body["object"] == "text_completion" and body["id"].startswith("cmpl-")
    assert (body["choices"][0]["text"], body["choices"][0]["finish_reason"]) == ("h", "length")


async def test_many_prompts_times_n_are_choices_in_order(stage):
    body = (await stage.complete(prompt=["a", "bb"], n=2)).json()
    assert [choice["index"] for choice in body["choices"]] == [0, 1, 2, 3]
    prompts = [bytes(request.prompt) for request in stage.generator.requests]
    assert prompts == [b"a", b"a", b"bb", b"bb"]
    assert len({request.id for request in stage.generator.requests}) == 4
    assert body["usage"]["prompt_tokens"] == 3
    assert body["usage"]["completion_tokens"] == 12


async def test_token_ids_as_prompts(stage):
    await stage.complete(prompt=[5, 6])
    await stage.complete(prompt=[[5], [6, 7]])
    assert [request.prompt for request in stage.generator.requests] == [[5, 6], [5], [6, 7]]


async def test_a_stop_string_ends_the_work(stage):
    stage.generator.reply = b"one two three four"
    body = (await stage.chat(stop=[" thr", "zzz"])).json()
    assert body["choices"][0]["message"]["content"] == "one two"
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["usage"]["completion_tokens"] == 11
    assert (stage.generator.cancelled, stage.generator.active) == (1, 0)


async def test_chat_logprobs(stage):
    stage.generator.reply = [97, 0xC3, 0xA9]
    body = (await stage.chat(logprobs=True, top_logprobs=2)).json()
    content = body["choices"][0]["logprobs"]["content"]
    assert [entry["bytes"] for entry in content] == [[97], [0xC3], [0xA9]]
    assert content[0]["token"] == "a"
    assert [top["logprob"] for top in content[0]["top_logprobs"]] == [-0.5, -9999.0]


async def test_completion_logprobs(stage):
    stage.generator.reply = [97, 0xC3, 0xA9, 98]
    body = (await stage.complete(logprobs=1)).json()
    assert body["choices"][0]["logprobs"] == {
        "tokens": ["a", "bytes:\\xc3", "bytes:\\xa9", "b"],
        "token_logprobs": [-0.5] * 4,
        "top_logprobs": [{"a": -0.5}, {"bytes:\\xc3": -0.5}, {"bytes:\\xa9": -0.5}, {"b": -0.5}],
        "text_offset": [0, 1, 1, 2],
    }


async def test_spans_add_up_to_the_whole_time(stage):
    stage.generator.gap_s = 0.002
    timings = (await stage.chat(slo={"ttft_ms": 60_000, "tpot_ms": 60_000})).json()["goodput"]
    assert sum(timings["spans_ms"].values()) == pytest.approx(timings["e2e_ms"], abs=0.01)
    assert 0 < timings["ttft_ms"] < timings["e2e_ms"]
    assert timings["slo_met"] is True and timings["handoff_ms"] is not None


async def test_a_missed_slo_is_said(stage):
    stage.generator.gap_s = 0.005
    assert (await stage.chat(slo={"tpot_ms": 1}, max_tokens=3)).json()["goodput"][
        "slo_met"
    ] is False
    assert (await stage.chat()).json()["goodput"]["slo_met"] is None


async def test_no_handoff_no_handoff_time(stage):
    stage.generator.handoff = False
    assert (await stage.chat()).json()["goodput"]["handoff_ms"] is None


async def test_an_unknown_model_is_404(stage):
    answer = await stage.chat(model="gpt-9")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")
    assert (await stage.chat(model=None)).status_code == 400


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [
        (OverloadedError("Too much.", retry_after_s=2.1), 429, "3"),
        (OverloadedError("Later.", http_status=503), 503, "1"),
        (WorkerLostError("Gone."), 503, "1"),
        (RuntimeError("secret"), 500, None),
    ],
)
async def test_errors_before_the_first_token(stage, error, status, retry, caplog):
    for stream in (False, True):
        stage.generator.refuse = error
        answer = await stage.chat(stream=stream)
        assert answer.status_code == status
        assert answer.headers.get("retry-after") == retry
        assert answer.headers["x-request-id"].startswith("chatcmpl-")
        assert "secret" not in answer.text


async def test_an_error_in_the_middle_of_a_whole_answer_has_a_status(stage):
    stage.generator.fail_after = (1, WorkerLostError("Gone."))
    answer = await stage.chat(n=2)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "worker_lost")
    assert stage.generator.active == 0


async def test_models(stage):
    async with stage.in_process() as client:
        listed = (await client.get("/v1/models")).json()
        assert [model["id"] for model in listed["data"]] == ["tiny:1m"]
        assert (await client.get("/v1/models/tiny:1m")).json() == listed["data"][0]
        missing = await client.get("/v1/models/a/b")
        assert (missing.status_code, missing.json()["error"]["param"]) == (404, "model")


async def test_unknown_paths_and_methods_have_openais_shape(stage):
    async with stage.in_process() as client:
        nowhere = await client.get("/v1/nowhere")
        wrong = await client.get("/v1/chat/completions")
    assert nowhere.status_code == 404
    assert nowhere.json()["error"]["message"] == "There is no /v1/nowhere here."
    assert wrong.status_code == 405 and wrong.headers["allow"] == "POST"
    assert "does not take GET" in wrong.json()["error"]["message"]


async def test_a_generator_that_just_ends_is_a_lost_worker(stage):
    async def nothing(request):
        return
        yield

    stage.generator.generate = nothing
    answer = await stage.chat()
    assert answer.status_code == 503
