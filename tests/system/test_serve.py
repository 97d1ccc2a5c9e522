"""``goodput serve`` as its users meet it: a process, a port, signals."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import openai
import psutil
import pytest

from goodput.cli import main

QUICK = "{engine_kind: modelled, modelled: {step_ms: 1, check_kv: true}}"
SLOW = "{engine_kind: modelled, modelled: {step_ms: 25}}"
HELLO = [{"role": "user", "content": "Hello, who are you?"}]


def client_of(server: Any) -> openai.OpenAI:
    return openai.OpenAI(base_url=server.url, api_key="none", max_retries=0)


def all_gone(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=5.0)
    return not alive


PAIR: list[str] = []
MIXED = ["--prefill", "0", "--decode", "0", "--mixed", "1"]


@pytest.mark.parametrize("layouts", [[PAIR], pytest.param([PAIR, MIXED], marks=pytest.mark.slow)])
def test_the_official_client_gets_the_same_text_from_every_layout(
    serve: Callable[..., Any], layouts: list[list[str]]
) -> None:
    texts = []
    for options in layouts:
        server = serve(QUICK, *options)
        with client_of(server) as client:
            answer = client.chat.completions.create(
                model="smollm2:135m", messages=HELLO, max_tokens=20, temperature=0
            )
            stream = client.chat.completions.create(
                model="smollm2:135m", messages=HELLO, max_tokens=20, temperature=0, stream=True
            )
            with stream:
                streamed = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
        assert streamed == answer.choices[0].message.content
        texts.append(streamed)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 0
    assert len(set(texts)) == 1


def test_sigterm_finishes_what_is_in_flight_and_refuses_the_rest(
    serve: Callable[..., Any],
) -> None:
    server = serve(SLOW)
    workers = server.workers()
    assert len(workers) == 2
    with client_of(server) as client:
        stream = client.chat.completions.create(
            model="smollm2:135m", messages=HELLO, max_tokens=40, stream=True
        )
        with stream:
            chunks = iter(stream)
            next(chunks)
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.1)
            with pytest.raises(openai.APIStatusError) as refused:
                client.completions.create(model="smollm2:135m", prompt="late")
            assert refused.value.status_code == 503
            assert [*chunks][-1].choices[0].finish_reason == "length"
    assert server.process.wait(10) == 0
    assert "1 requests in flight" in server.log
    assert all_gone(workers)


@pytest.mark.slow
def test_a_second_signal_stops_at_once(serve: Callable[..., Any]) -> None:
    server = serve(SLOW)
    workers = server.workers()
    outcome: list[str] = []

    def talk() -> None:
        with client_of(server) as client:
            try:
                with client.chat.completions.create(
                    model="smollm2:135m", messages=HELLO, max_tokens=4000, stream=True
                ) as stream:
                    for chunk in stream:  # one by one: the main thread watches
                        outcome.append(str(chunk.choices[0].finish_reason))  # noqa: PERF401
            except openai.APIError as error:
                outcome.append(error.message)

    thread = threading.Thread(target=talk)
    thread.start()
    while not outcome:
        time.sleep(0.01)
    server.process.send_signal(signal.SIGINT)
    while "in flight" not in server.log:
        time.sleep(0.01)
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(10) == 130
    thread.join(10)
    assert outcome[-1] == "The server was stopped while it had the request."
    assert all_gone(workers)


def test_no_worker_outlives_a_killed_server(serve: Callable[..., Any]) -> None:
    server = serve(QUICK)
    workers = server.workers()
    os.kill(workers[0].pid, signal.SIGSTOP)  # Even a frozen one.
    server.process.kill()
    server.process.wait()
    assert all_gone(workers)


@pytest.mark.slow
def test_health_tells_of_a_lost_worker_and_of_its_return(serve: Callable[..., Any]) -> None:
    server = serve(QUICK)
    health = server.url.removesuffix("/v1") + "/health"
    assert httpx.get(health).status_code == 200
    victim = server.workers()[1]
    victim.kill()
    seen = set()
    deadline = time.monotonic() + 20
    while not (503 in seen and httpx.get(health).status_code == 200):
        seen.add(httpx.get(health).status_code)
        assert time.monotonic() < deadline, server.log
    assert "is being restarted" in server.log


def test_a_taken_port_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--engine", "modelled", "--port", str(port)]) == 2
    error = capsys.readouterr().err
    assert error == (
        f"goodput: Port {port} on 127.0.0.1 is already in use; choose another one with --port.\n"
    )


@pytest.mark.parametrize(
    ("deployment", "sentence"),
    [
        ("workers: {prefill: 1, decode: 0}", "workers needs at least one mixed worker"),
        ("engine: {kv_tokens: none}", "engine.kv_tokens"),
        ("modle: x", "modle"),
    ],
)
def test_a_wrong_deployment_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], deployment: str, sentence: str
) -> None:
    file = tmp_path / "deployment.yaml"
    file.write_text(deployment)
    assert main(["serve", str(file)]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert len(error.splitlines()) == 1
