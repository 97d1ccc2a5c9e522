"""Endpoints that are down, slow, rude or over quota: each costs its player a move, and no more."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.arena.players.talk import LEGAL, WORDS, MakePlayer, Start, decided, parts, says
from tests.bench.conftest import CLOSE, DONE, Received, Script, event, token, whole

from goodput.arena.clocks import make_clock
from goodput.arena.episode.ruling import PATIENCE
from goodput.arena.episode.runner import play_episode
from goodput.arena.games.registry import make_game
from goodput.arena.players.openai.address import parse_address
from goodput.arena.players.openai.player import OpenAIPlayer
from goodput.arena.players.parse import parse_player
from goodput.arena.players.settings import Settings

PAGE = b"<html><title>502\nBad Gateway</title></html>"


def page(status: int) -> bytes:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: text/html\r\nContent-Length: {len(PAGE)}\r\n\r\n"
    return head.encode() + PAGE


RUDE: dict[str, tuple[Script, str]] = {
    "a page instead of JSON": ([page(502)], "502 Bad Gateway"),
    "a page that claims success": ([page(200)], "the answer is text/html, not an event stream"),
    "a whole answer, not streamed": (
        [whole(200, {"choices": []})],
        "the answer is application/json",
    ),
    "no quota": (
        [whole(402, {"error": {"message": "You have no\n credit left."}})],
        "HTTP 402: You have no credit left.",
    ),
    "not allowed": ([whole(403, {"error": {"message": "Not from here."}})], "HTTP 403: Not from"),
    "no such model": ([whole(404, {"detail": "no model toy"})], "HTTP 404: no model toy"),
    "a failure without a word": ([whole(500, "")], "HTTP 500"),
    "a failure amid the answer": (
        [token("mo"), event({"error": {"message": "CUDA out of memory"}})],
        "CUDA out of memory",
    ),
    "cut off amid the answer": ([token("move: "), CLOSE], "in the middle of its answer"),
    "an answer without end": ([token(f"move: {WORDS[0]}")], "ended before the answer did"),
    "nonsense": ([b"data: {not json}\n\n", DONE], "malformed event"),
    "no HTTP at all": ([b"HTTP/9 hello\r\n\r\n"], "not HTTP/1.1"),
}


@pytest.mark.parametrize("constrained", [False, True], ids=["free", "constrained"])
@pytest.mark.parametrize("name", RUDE)
async def test_a_rude_endpoint_costs_the_move_and_says_why(
    start: Start, player: MakePlayer, name: str, constrained: bool, monkeypatch: Any
) -> None:
    monkeypatch.setattr("goodput.arena.players.openai.calls._NO_CONNECTION", (0.01,))

    def probe(received: Received) -> Script:
        choice = received.body.get("guided_choice") if constrained else None
        return says(choice[0] if choice else "hello")

    script, words = RUDE[name]
    server = await start(lambda _: list(script))
    server.probe = probe
    one = player(server, constrain=constrained)
    await one.reset(0)
    decision = await decided(one)
    assert decision.action is None and decision.rung == "none" and not decision.timed_out
    assert decision.error is not None and words in decision.error
    assert "\n" not in decision.error and "Traceback" not in decision.error
    assert set(parts(decision)) == {"answer"}
    assert ("guided_choice" in server.requests[0].body) == constrained


async def test_a_busy_server_is_asked_again_when_it_says(start: Start, player: MakePlayer) -> None:
    busy = iter([429, 503])

    def answer(_: Received) -> Script:
        if status := next(busy, None):
            return [whole(status, {}, "Retry-After: 0.06")]
        return says(f"move: {WORDS[0]}")

    server = await start(answer)
    one = player(server, constrain=False)
    await one.reset(0)
    decision = await decided(one)
    assert decision.action == LEGAL[0] and decision.calls == 3
    first, second, third = (request.at for request in server.requests)
    assert second - first >= 0.06 and third - second >= 0.06


async def test_at_once_is_not_without_end(start: Start, player: MakePlayer) -> None:
    server = await start(lambda _: [whole(429, {}, "Retry-After: 0")])
    decision = await decided(player(server, constrain=False, timeout_s=0.3))
    assert decision.action is None and decision.timed_out
    assert 1 < decision.calls <= 8


@pytest.mark.parametrize(
    "script",
    [
        [whole(429, {"error": {"message": "You exceeded your quota."}}, "Retry-After: 9")],
        [5.0, token("up")],
        [token("move: "), 5.0],
    ],
    ids=["busy", "slow to begin", "slow to end"],
)
async def test_a_server_that_stays_busy_or_slow_times_out(
    start: Start, player: MakePlayer, script: Script
) -> None:
    server = await start(lambda _: list(script))
    one = player(server, constrain=False, timeout_s=0.3)
    await one.reset(0)
    decision = await decided(one)
    assert decision.action is None and decision.timed_out and decision.error
    assert decision.calls == 1 and 0.3 <= decision.latency_s < 4


async def test_a_server_that_comes_back_is_found_again(start: Start, player: MakePlayer) -> None:
    down = True
    server = await start(lambda _: says(f"move: {WORDS[0]}"))
    server.probe = lambda _: [whole(500, {"error": "starting"})] if down else says("hello")
    one = player(server)
    await one.reset(0)
    first = await decided(one)
    assert (first.action, first.error) == (None, "HTTP 500: starting")
    assert parts(first) == ["probe"]
    down = False
    assert (await decided(one)).action == LEGAL[0]


async def test_what_a_slow_server_can_do_is_found_out_bit_by_bit(
    start: Start, player: MakePlayer
) -> None:
    """Four greetings of 0.15 s do not fit into one decision of 0.4 s."""

    def answer(received: Received) -> Script:
        form = received.body.get("response_format")
        return says('{"move": "quokka"}' if form else "hello")

    server = await start(lambda _: says(f'{{"move": "{WORDS[0]}"}}'))
    server.probe = lambda received: [0.15, *answer(received)]
    one = player(server, timeout_s=0.4)
    first = await decided(one)
    assert first.timed_out and first.action is None and parts(first) == ["probe"]
    for _ in range(8):
        if parts(decision := await decided(one)) == ["answer"]:
            break
    assert decision.rung == "choice"


async def test_nobody_there_is_no_move() -> None:
    one = OpenAIPlayer(parse_address("toy@http://127.0.0.1:9"), Settings(timeout_s=0.5))
    decision = await decided(one)
    assert decision.action is None and decision.error == "connection refused"
    await one.close()


async def test_taking_a_question_back_leaves_nothing_behind(
    start: Start, player: MakePlayer
) -> None:
    asked = asyncio.Event()

    def answer(_: Received) -> Script:
        asked.set()
        return [5.0]

    server = await start(answer)
    one = player(server, constrain=False)
    await one.reset(0)
    question = asyncio.create_task(decided(one))
    await asked.wait()
    question.cancel()
    with pytest.raises(asyncio.CancelledError):
        await question
    server.answer = lambda _: says(f"move: {WORDS[0]}")
    assert (await decided(one)).action == LEGAL[0]


LEAKS: dict[str, Script] = {
    "JSON": [whole(401, {"error": {"message": "very-secret is no key of ours"}})],
    "a page": [
        b"HTTP/1.1 500 X\r\nContent-Type: text/html\r\nContent-Length: 33\r\n\r\n"
        b"<title>Bearer very-secret</title>"
    ],
    "the stream": [event({"error": {"message": "bad key very-secret"}})],
    "a long text": [whole(400, {"error": "x" * 292 + "very-secret"})],
}


@pytest.mark.parametrize("name", LEAKS)
async def test_a_key_is_sent_and_never_told(
    start: Start, player: MakePlayer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("ARENA_KEY", "very-secret")
    server = await start(lambda _: list(LEAKS[name]))
    one = player(server, key="ARENA_KEY", constrain=False)
    await one.reset(0)
    decision = await decided(one)
    assert server.requests[0].headers["authorization"] == "Bearer very-secret"
    assert decision.error and "very" not in f"{decision}{one.label}"


async def test_a_game_alone_ends_in_silence_and_a_game_for_two_is_lost(
    start: Start, player: MakePlayer
) -> None:
    server = await start(lambda _: [page(502)])
    one, rival = player(server, constrain=False), parse_player("random")
    alone = await play_episode(make_game("2048-v1"), [one], 1, make_clock("paused"))
    assert alone.end.reason == "silent" and len(alone.moves) == PATIENCE
    assert all(move.error == "502 Bad Gateway" for move in alone.moves)
    both = await play_episode(make_game("tictactoe-v1"), [one, rival], 1, make_clock("paused"))
    assert both.end.forfeited_by == 0 and both.end.outcome == (0.0, 1.0)
