"""The self-check for real: its server in a process of its own, and the command."""

from __future__ import annotations

import asyncio
import json
import os
import select
import subprocess
import sys
import urllib.request

import pytest

from goodput.bench.selfcheck.check import check_rates
from goodput.bench.selfcheck.errors import CheckedRate
from goodput.bench.selfcheck.process import timed_server
from goodput.bench.selfcheck.server import FIRST_TOKEN_S, TOKEN_GAP_S
from goodput.cli import main
from goodput.core.errors import UsageError

PROMPT = {"messages": [{"role": "user", "content": "0/7"}], "max_tokens": 3}


def ask(url: str, body: dict[str, object] | None = None) -> bytes:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data)) as response:
        content: bytes = response.read()
        return content


def test_the_server_keeps_its_timetable_and_tells_it() -> None:
    with timed_server() as url:
        stream = ask(f"{url}/v1/chat/completions", PROMPT)
        assert stream.count(b'"content":" token"') == 3
        assert b'"completion_tokens":3' in stream and stream.endswith(b"data: [DONE]\n\n")
        (received, tokens) = json.loads(ask(f"{url}/v1/timings"))["requests"]["0/7"]
        # Never before its time; how much later is the machine's affair.
        for index, written in enumerate(tokens):
            assert written >= received + FIRST_TOKEN_S + index * TOKEN_GAP_S
        assert len(tokens) == 3
        assert json.loads(ask(f"{url}/v1/timings"))["requests"] == {}, "each is told once"


def test_both_sides_tell_the_same_story() -> None:
    with timed_server() as url:
        seen: list[CheckedRate] = []
        work = check_rates(url, [20.0], duration_s=1.0, tokens=5, seen=seen.append)
        (checked,) = asyncio.run(work)
    assert seen == [checked]
    assert checked.failed == 0 and checked.requests > 5
    assert checked.token is not None and checked.token.count == 5 * checked.requests
    assert checked.ttft is not None and checked.ttft.count == checked.requests
    # Stamps of two processes on one clock: a wrong origin or pairing would be off by far more.
    assert checked.ttft.p50 < 0.05 and checked.token.p50 < 0.05


def test_the_server_ends_with_whoever_started_it() -> None:
    """The starter is killed without a chance to clean up."""
    script = (
        "import subprocess, sys\n"
        "server = subprocess.Popen([sys.executable, '-m', 'goodput.bench.selfcheck.server'],\n"
        "    stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "server.stdout.readline(); print(server.pid, flush=True); sys.stdin.read()\n"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert starter.stdout is not None and starter.stdin is not None
    server = os.pidfd_open(int(starter.stdout.readline()))
    starter.kill()
    starter.wait()
    starter.stdin.close()
    starter.stdout.close()

    assert select.select([server], [], [], 30.0)[0], "the server is still there"
    os.close(server)


def test_the_command_prints_json_alone(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--rate", "20", "--duration", "0.5s", "--tokens", "3", "--json"]
    assert main(["bench", "selfcheck", *arguments]) == 0
    out, errors = capsys.readouterr()
    report = json.loads(out)
    assert report["schema"] == "goodput.selfcheck/1" and report["words"]
    assert report["rates"][0]["rate"] == report["wanted"] == 20.0
    assert "20 requests/s: " in errors


@pytest.mark.parametrize("rate", ["0", "-1", "nan"])
def test_an_impossible_rate_is_one_sentence(rate: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "selfcheck", "--rate", rate]) == UsageError.exit_code
    assert "the request rate must be positive" in capsys.readouterr().err
