"""The real model among decode workers that never live long: the client must not notice.

Each life of a decode worker ends after some tokens, so that every answer goes on elsewhere several
times. What it looks like is compared with the same question at a server where nothing happens.
"""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from goodput.models.catalog import resolve
from goodput.models.weights import prepare

MODEL = "smollm2:135m"
DEPLOYMENT = """
workers: {prefill: 1, decode: 2, mixed: 0}
engine: {kv_tokens: 8192}
limits: {max_attempts: 100, heartbeat_timeout_s: %s}
"""
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 20}, "millions": {"type": "integer"}},
    "required": ["city", "millions"],
    "additionalProperties": False,
}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY}}
GREEDY = {"temperature": 0}
LIST = "Write this line four times: the red fox and the blue fox."
KINDS: dict[str, dict[str, Any]] = {
    "greedy": GREEDY,
    "seeded": {"temperature": 0.9, "top_p": 0.95, "seed": 11, "frequency_penalty": 0.6},
    "logprobs": {"temperature": 0.7, "seed": 2, "logprobs": True, "top_logprobs": 3},
    "json schema": {"temperature": 1.1, "seed": 5, "response_format": SCHEMA},
    "regex": {"temperature": 1, "seed": 4, "guided_regex": r"(in|on) \d{4}( or \d{4}){5}"},
    "guessed ahead": {**GREEDY, "messages": [{"role": "user", "content": LIST}]},
}


@dataclass
class Stream:
    """What a client saw of one answer."""

    text: str = ""
    pieces: list[str] = field(default_factory=list)
    logprobs: list[Any] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    usage: dict[str, int] = field(default_factory=dict)
    done: bool = False

    def compared(self) -> tuple[Any, ...]:
        """All but how the text was cut into events, which depends on guesses."""
        return (self.text, self.logprobs, self.reasons, self.usage["completion_tokens"], self.done)


def ask(url: str, fields: dict[str, Any]) -> Stream:
    body = {
        "model": MODEL,
        "messages": [{"role": "user", "content": "Tell me of Paris."}],
        "max_tokens": 28,
        "stream": True,
        "stream_options": {"include_usage": True},
        **fields,
    }
    request = urllib.request.Request(
        f"{url}/chat/completions",
        json.dumps(body).encode(),
        {"content-type": "application/json"},
    )
    seen = Stream()
    with urllib.request.urlopen(request, timeout=120) as response:
        for line in response:
            if not line.startswith(b"data: "):
                continue
            if line.strip() == b"data: [DONE]":
                seen.done = True
                continue
            event = json.loads(line[6:])
            assert "error" not in event, event
            seen.usage = event.get("usage") or seen.usage
            for choice in event["choices"]:
                seen.pieces.append(choice["delta"].get("content") or "")
                seen.logprobs += (choice.get("logprobs") or {}).get("content") or []
                seen.reasons += [choice["finish_reason"]] if choice["finish_reason"] else []
    seen.text = "".join(seen.pieces)
    return seen


def stop_strings(pieces: list[str]) -> list[str]:
    """Strings of the answer that begin in one token and end in the next or the one after it."""
    shown = [piece for piece in pieces if piece]
    places = range(6, len(shown) - 3, 5)
    return [shown[at][-1] + shown[at + 1] + shown[at + 2][:1] for at in places]


def migrations(server: Any) -> int:
    with urllib.request.urlopen(server.url.removesuffix("/v1") + "/metrics") as response:
        found = re.search(r"^goodput_migrations_total (\S+)$", response.read().decode(), re.M)
    assert found is not None
    return int(float(found.group(1)))


def end(server: Any) -> None:
    server.process.terminate()
    assert server.process.wait(30) == 0, server.log
    assert "Traceback" not in server.log, server.log


def questions(server: Any) -> list[dict[str, Any]]:
    """All kinds, and the greedy one with stops that a migration can cut in two."""
    stops = stop_strings(ask(server.url, {**GREEDY, "logprobs": True}).pieces)
    assert len(stops) > 2
    return [*KINDS.values(), *({**GREEDY, "stop": [stop]} for stop in stops)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "after", "heartbeat"),
    [
        ("kill", 9, 15),
        ("kill", 4, 15),
        ("stop", 9, 1.5),
    ],
)
@pytest.mark.timeout(300)
def test_answers_that_move_are_those_of_a_quiet_server(
    serve: Callable[..., Any], how: str, after: int, heartbeat: float
) -> None:
    prepare(resolve(MODEL, pull=True), "cpu")
    quiet = serve(DEPLOYMENT % 15)
    asked = questions(quiet)
    wanted = [ask(quiet.url, fields).compared() for fields in asked]
    assert migrations(quiet) == 0
    end(quiet)

    fault = {"at": "after_decode", "after": after, "how": how, "always": True}
    server = serve(DEPLOYMENT % heartbeat, faults={"decode-0": fault, "decode-1": fault})
    with ThreadPoolExecutor(len(asked)) as threads:
        seen = list(threads.map(lambda fields: ask(server.url, fields).compared(), asked))
    moved = migrations(server)
    end(server)
    for fields, expected, got in zip(asked, wanted, seen, strict=True):
        assert got == expected, fields
    assert moved >= len(asked), f"only {moved} migrations"
