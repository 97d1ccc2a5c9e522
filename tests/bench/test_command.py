"""``goodput bench`` and ``goodput chat`` as processes, against a scripted server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from goodput.bench.summary import BenchSummary
from goodput.cli import main
from goodput.core.record import read_records

Start = Any
PNG = b"\x89PNG\r\n\x1a\n"
QUICK = ("--rate", "20", "--duration", "0.5s", "--warmup", "0.1s", "--arrivals", "constant")


async def launch(*arguments: str, **variables: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "goodput.cli", *arguments),
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        env=os.environ | {"COLUMNS": "80", "NO_COLOR": "1"} | variables,
    )


async def command(
    *arguments: str, typed: bytes = b"", **variables: str
) -> tuple[int | None, str, str]:
    process = await launch(*arguments, **variables)
    out, errors = await process.communicate(typed)
    assert b"Traceback" not in errors, errors.decode()
    return process.returncode, out.decode(), errors.decode()


async def test_a_run_prints_tables_and_writes_its_files(
    start: Start, wire: Any, tmp_path: Path
) -> None:
    spans = {"goodput": {"spans_ms": {"prefill": 2.0, "transfer": 1.5}}}

    def answer(received: Any) -> list[Any]:
        if len(server.requests) % 4 == 0:
            return [wire.whole(429, {"error": {"message": "later"}})]
        return [wire.token(), 0.01, wire.token(), wire.finish, wire.usage(2, **spans), wire.done]

    server = await start(answer)
    code, out, errors = await command(
        "bench",
        "run",
        server.url,
        *QUICK,
        "--slo",
        "ttft=5s,tpot=5s",
        "--out",
        str(tmp_path / "new"),
    )
    assert code == 0, errors
    assert "TTFT" in out and "goodput" in out and "hand-off" in out and "rejected" in out
    assert max(map(len, out.splitlines())) <= 110
    folder = tmp_path / "new"
    written = {path.name for path in folder.iterdir()}
    assert written >= {"records.jsonl", "summary.json", "report.html", "timeline.png"}
    assert not any(name.startswith(".") for name in written)
    assert (folder / "timeline.png").read_bytes().startswith(PNG)
    summary = msgspec.json.decode((folder / "summary.json").read_bytes(), type=BenchSummary)
    records = read_records(folder / "records.jsonl")
    assert len(records) == 12 and summary.steps[0].figures.scheduled == 10
    window = summary.steps[0].figures.window
    assert len(window.measured(records)) == 10, "the records and the window share one clock"


async def test_json_alone_on_stdout_and_no_key_anywhere(start: Start, wire: Any) -> None:
    server = await start(lambda _: [wire.token(), wire.finish, wire.done])
    code, out, errors = await command(
        "bench", "run", server.url, *QUICK, "--json", OPENAI_API_KEY="sk-very-secret"
    )
    assert code == 0
    summary = json.loads(out)
    assert summary["schema"] == "goodput.bench/2" and summary["endpoints"][0]["model"] == "toy"
    assert server.requests[0].headers["authorization"] == "Bearer sk-very-secret"
    assert "sk-very-secret" not in out + errors


async def test_report_makes_the_page_again(start: Start, wire: Any, tmp_path: Path) -> None:
    server = await start(lambda _: [wire.token(), wire.finish, wire.done])
    run = ("bench", "run", server.url, *QUICK, "--out", str(tmp_path), "--json")
    code, printed, errors = await command(*run)
    assert code == 0, errors
    page = (tmp_path / "report.html").read_bytes()
    (tmp_path / "report.html").unlink()
    code, again, errors = await command("bench", "report", str(tmp_path), "--json")
    assert (code, again) == (0, printed), errors
    assert (tmp_path / "report.html").stat().st_size > len(page) / 2


async def test_an_invalid_run_says_so_first(start: Start, wire: Any) -> None:
    server = await start(lambda _: [wire.token(), wire.finish, wire.done])
    code, out, _ = await command(
        *("bench", "run", server.url, "--rate", "0.01", "--duration", "0.1s", "--warmup", "0s")
    )
    assert code == 0
    assert out.startswith("INVALID: at 0.01 req/s no request was scheduled")


async def test_ctrl_c_writes_what_there_is(start: Start, wire: Any, tmp_path: Path) -> None:
    process: asyncio.subprocess.Process

    def answer(received: Any) -> list[Any]:
        if len(server.requests) == 5:
            process.send_signal(signal.SIGINT)
        return [wire.token(), wire.finish, wire.done]

    server = await start(answer)
    process = await launch(
        *("bench", "run", server.url, "--rate", "20", "--duration", "60s", "--warmup", "0s"),
        *("--out", str(tmp_path)),
    )
    out, errors = await process.communicate()
    assert process.returncode == 130, errors
    assert b"Traceback" not in errors
    assert out.startswith(b"INVALID: at 20 req/s interrupted after")
    assert json.loads((tmp_path / "summary.json").read_bytes())["interrupted"] is True
    assert len(read_records(tmp_path / "records.jsonl")) >= 5


async def test_ctrl_c_before_the_first_request_just_ends(start: Start, wire: Any) -> None:
    process: asyncio.subprocess.Process

    def probe(received: Any) -> list[Any]:
        process.send_signal(signal.SIGINT)
        return [60.0]

    server = await start(lambda _: [], probe=probe)
    process = await launch("bench", "run", server.url)
    out, errors = await process.communicate()
    assert (process.returncode, out, errors) == (130, b"", b"goodput: interrupted\n")


NO_CHATS = (
    "there is no workload 'chats'; "
    "there is: agents, chat, code, mixed, summarize, trace:FILE, dataset:FILE"
)


def test_what_cannot_work_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.touch()
    for arguments, text in (
        (["http://127.0.0.1:1"], "cannot reach http://127.0.0.1:1/v1: connection refused"),
        (["h", "--workload", "chats"], NO_CHATS),
        (["h", "--rates", "1,x"], "--rates must be numbers like 0.5,1,2, not '1,x'"),
        (["h", "--rate", "1", "--rates", "1"], "give either --rate or --rates, not both"),
        (["h", "--rate", "-1"], "the request rate must be positive, not -1.0"),
        (["h", "--out", str(file)], f"cannot write {file}/.writable: File exists"),
    ):
        assert main(["bench", "run", *arguments]) == 2
        assert capsys.readouterr() == ("", f"goodput: {text}\n")


async def test_chat_streams_and_keeps_the_conversation(start: Start, wire: Any) -> None:
    def answer(received: Any) -> list[Any]:
        turn = len(received.body["messages"])
        return [wire.token(f"answer {turn}"), wire.token("é."), wire.finish, wire.done]

    server = await start(answer)
    code, out, _ = await command("chat", server.url, typed=b"hello\n\nand then?\n")
    assert (code, out) == (0, "answer 1é.\nanswer 3é.\n")
    assert [m["content"] for m in server.requests[1].body["messages"]] == [
        "hello",
        "answer 1é.",
        "and then?",
    ]


async def test_chat_asks_one_thing(start: Start, wire: Any) -> None:
    server = await start(lambda _: [wire.token("Paris."), wire.finish, wire.done])
    code, out, _ = await command("chat", server.url, "-m", "Capital of France?", "--model", "other")
    assert (code, out) == (0, "Paris.\n")
    assert server.requests[0].body["model"] == "other"


async def test_chat_reports_a_broken_answer(start: Start, wire: Any) -> None:
    server = await start(lambda _: [wire.token("Par"), wire.close])
    code, out, errors = await command("chat", server.url, "-m", "Capital of France?")
    assert (code, out) == (2, "Par")
    assert errors.startswith("goodput: the answer broke off")


async def test_ctrl_c_ends_a_single_answer(start: Start, wire: Any) -> None:
    server = await start(lambda _: [wire.token("Par"), 60.0])
    process = await launch("chat", server.url, "-m", "Capital of France?")
    assert process.stdout is not None
    assert await process.stdout.read(3) == b"Par"
    process.send_signal(signal.SIGINT)
    _, errors = await process.communicate()
    assert (process.returncode, errors) == (130, b"goodput: interrupted\n")
