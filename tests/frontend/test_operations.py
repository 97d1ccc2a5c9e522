"""Health, draining, limits and metrics."""

import asyncio

from goodput.core.config import LimitsConfig
from goodput.core.errors import WorkerLostError


async def test_health_follows_the_fleet_and_the_drain(stage):
    async with stage.in_process() as client:
        ready = await client.get("/health")
        stage.fleet.is_ready = False
        starting = await client.get("/health")
        stage.fleet.is_ready = True
        stage.gate.start_draining()
        draining = await client.get("/health")
        assert (await client.get("/live")).status_code == 200
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert ready.json()["workers"][0]["gauges"] == {"kv_blocks_free": 12.0}
    assert (starting.status_code, starting.json()["status"]) == (503, "starting")
    assert (draining.status_code, draining.json()["status"]) == (503, "draining")


async def test_a_drain_refuses_new_requests_and_ends_the_old(stage, eventually):
    stage.generator.gap_s = 0.05
    inside = asyncio.create_task(stage.chat())
    await eventually(lambda: stage.generator.active == 1)
    stage.gate.start_draining()
    refused = await stage.chat()
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    await asyncio.wait_for(stage.gate.wait_idle(), 5)
    assert (await inside).status_code == 200


async def test_a_refused_prompt_is_not_even_tokenized(stage):
    def tokenize(messages):
        raise AssertionError("tokenized a request that was to be refused")

    stage.text.encode_chat = tokenize
    stage.gate.start_draining()
    assert (await stage.chat()).status_code == 503


async def test_too_many_pending_sequences_are_429(make_stage, eventually):
    stage = make_stage(LimitsConfig(max_pending=3))
    stage.generator.gap_s = 0.05
    inside = asyncio.create_task(stage.complete(n=2))
    await eventually(lambda: stage.generator.active == 2)
    refused = await stage.complete(n=2)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert refused.json()["error"]["type"] == "overloaded_error"
    assert (await stage.complete()).status_code == 200
    assert (await inside).status_code == 200
    assert stage.gate.pending == 0
    assert (await stage.complete(n=2)).status_code == 200


async def test_metrics_tell_what_happened(stage):
    stage.generator.cached_tokens = 4
    await stage.chat(slo={"e2e_ms": 60_000})
    await stage.chat(slo={"e2e_ms": 0.001}, n=2)
    await stage.complete(temperature=9, slo={"e2e_ms": 1})
    stage.generator.refuse = WorkerLostError("Gone.")
    await stage.complete(slo={"e2e_ms": 60_000})
    lines = (await stage.metrics()).splitlines()
    for expected in (
        'goodput_requests_total{endpoint="chat.completions",status="200"} 2.0',
        'goodput_requests_total{endpoint="completions",status="400"} 1.0',
        'goodput_requests_total{endpoint="completions",status="503"} 1.0',
        'goodput_slo_requests_total{outcome="met"} 1.0',
        'goodput_slo_requests_total{outcome="missed"} 2.0',
        "goodput_prompt_tokens_total 20.0",
        "goodput_generated_tokens_total 9.0",
        "goodput_cached_tokens_total 8.0",
        "goodput_time_to_first_token_seconds_count 2.0",
        "goodput_request_duration_seconds_count 2.0",
        "goodput_handoff_seconds_count 2.0",
        "goodput_inter_token_latency_seconds_count 6.0",
        "goodput_sequences_in_flight 0.0",
        'goodput_worker_up{role="prefill",worker="prefill-0"} 1.0',
        'goodput_worker_kv_blocks_free{role="decode",worker="decode-0"} 12.0',
    ):
        assert expected in lines


async def test_two_apps_have_their_own_metrics(make_stage):
    first, second = make_stage(), make_stage()
    await first.chat()
    assert "goodput_prompt_tokens_total 10.0" in await first.metrics()
    assert "goodput_prompt_tokens_total 0.0" in await second.metrics()
