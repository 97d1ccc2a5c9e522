"""A model behind a real socket that says, refuses and breaks what the test wants."""

from __future__ import annotations

import base64
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from PIL import Image
from tests.bench.conftest import (
    CLOSE,
    DONE,
    FINISH,
    Received,
    Script,
    ScriptedServer,
    start,
    token,
    usage,
    whole,
)

from goodput.arena.games.registry import make_game
from goodput.arena.players.base import Decision, Observation
from goodput.arena.players.openai.address import parse_address
from goodput.arena.players.openai.player import OpenAIPlayer
from goodput.arena.players.parse import parse_player
from goodput.arena.players.settings import Settings
from goodput.core.errors import UsageError
from goodput.core.slo import SLO

__all__ = ["start"]

Start = Callable[..., Awaitable[ScriptedServer]]
RULES = make_game("2048-v1")
STATE = RULES.reset(3)
LEGAL = tuple(RULES.legal(STATE))
WORDS = [RULES.spec.actions[action] for action in LEGAL]


def says(text: str) -> Script:
    return [token(text), FINISH, usage(2), DONE]


def follows_choices(received: Received) -> Script:
    """A server that holds its model to ``guided_choice``."""
    choice = received.body.get("guided_choice")
    return says(choice[-1] if choice else "hello")


@pytest.fixture
async def player() -> AsyncIterator[Callable[..., OpenAIPlayer]]:
    made: list[OpenAIPlayer] = []

    def make(server: ScriptedServer, **settings: Any) -> OpenAIPlayer:
        made.append(OpenAIPlayer(parse_address(f"toy@{server.url}"), Settings(**settings)))
        return made[-1]

    yield make
    for one in made:
        await one.close()


async def decided(one: OpenAIPlayer, turn: int = 0) -> Decision:
    return await one.decide(Observation(RULES, STATE, 0, LEGAL, turn))


def adds_up(decision: Decision) -> None:
    """The bill's parts are its sums."""
    assert decision.calls == sum(charge.calls for charge in decision.charges)
    assert decision.prompt_tokens == sum(charge.prompt_tokens for charge in decision.charges)
    assert decision.output_tokens == sum(charge.output_tokens for charge in decision.charges)


async def test_a_constrained_choice_is_asked_for_where_the_server_follows(
    start: Start, player: Any
) -> None:
    server = await start(follows_choices)
    server.probe = follows_choices
    one = player(server)
    await one.reset(0)
    decision = await decided(one)
    assert (decision.rung, decision.action) == ("choice", LEGAL[-1])
    assert server.requests[0].body["guided_choice"] == WORDS
    assert (decision.calls, decision.prompt_tokens, decision.output_tokens) == (1, 7, 2)
    assert decision.latency_s > 0 and decision.ttft_s is not None
    adds_up(decision)


async def test_a_server_that_ignores_the_field_is_read_down_the_ladder(
    start: Start, player: Any
) -> None:
    server = await start(lambda _: says(f'{{"move": "{WORDS[0]}"}}'))
    one = player(server)
    await one.reset(0)
    decision = await decided(one)
    assert (decision.rung, decision.action) == ("json", LEGAL[0])
    assert "guided_choice" not in server.requests[0].body


async def test_openais_own_way_to_constrain_is_tried_last(start: Start, player: Any) -> None:
    def answer(received: Received) -> Script:
        form = received.body.get("response_format")
        if form is None:
            return says("hello")
        words = form["json_schema"]["schema"]["properties"]["move"]["enum"]
        return says(f'{{"move": "{words[-1]}"}}')

    server = await start(answer)
    server.probe = answer
    one = player(server)
    await one.reset(0)
    assert (await decided(one)).rung == "choice"
    fields = [set(probe.body) & {"guided_choice", "structured_outputs"} for probe in server.probes]
    assert {"guided_choice"} in fields and {"structured_outputs"} in fields


async def test_free_thinking_comes_before_a_constrained_answer(start: Start, player: Any) -> None:
    def answer(received: Received) -> Script:
        return follows_choices(received) if "guided_choice" in received.body else says("Hm, well.")

    server = await start(answer)
    server.probe = follows_choices
    one = player(server, think=40)
    await one.reset(0)
    decision = await decided(one)
    assert decision.rung == "choice"
    thinking, choosing = server.requests
    assert "guided_choice" not in thinking.body and thinking.body["max_tokens"] == 40
    assert {"role": "assistant", "content": "Hm, well."} in choosing.body["messages"]
    assert [charge.part for charge in decision.charges] == ["thinking", "answer"]
    adds_up(decision)


async def test_an_unreadable_answer_gets_one_retry_with_feedback(start: Start, player: Any) -> None:
    answers = iter(["I like trains.", f"move: {WORDS[1]}"])
    server = await start(lambda _: says(next(answers)))
    one = player(server, constrain=False)
    decision = await decided(one)
    assert (decision.rung, decision.action) == ("retry", LEGAL[1])
    assert "names no action" in server.requests[1].body["messages"][-1]["content"]
    assert [charge.part for charge in decision.charges] == ["probe", "answer", "retry"]
    adds_up(decision)


async def test_an_illegal_answer_is_told_so_and_stays_on_record(start: Start, player: Any) -> None:
    server = await start(lambda _: says('{"move": "sideways"}'))
    decision = await decided(player(server, constrain=False))
    assert (decision.action, decision.illegal) == (None, "sideways")
    assert "'sideways' is not possible now" in server.requests[1].body["messages"][-1]["content"]


async def test_twice_nothing_is_no_move(start: Start, player: Any) -> None:
    server = await start(lambda _: says("I like trains."))
    decision = await decided(player(server, constrain=False))
    assert (decision.action, decision.illegal, decision.error) == (None, None, None)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("harness", "parts"),
    [
        ((), ["answer"]),
        (("perception",), ["perception", "answer"]),
        (("memory",), ["answer"]),
        (("reflection",), ["reflection", "answer"]),
        (("perception", "memory", "reflection"), ["reflection", "perception", "answer"]),
    ],
)
async def test_each_part_of_the_harness_is_billed(
    start: Start, player: Any, harness: tuple[str, ...], parts: list[str]
) -> None:
    server = await start(lambda _: says(f"move: {WORDS[0]}"))
    one = player(server, constrain=False, harness=harness)
    await one.reset(0)
    await decided(one)  # So that there is something to remember.
    server.requests.clear()
    decision = await decided(one, turn=1)
    assert [charge.part for charge in decision.charges] == parts
    adds_up(decision)
    last = server.requests[-1].body["messages"][-1]["content"]
    assert ("Your last moves" in last) == ("memory" in harness)
    assert ("What you have noticed" in last) == ("perception" in harness)


async def test_a_new_episode_remembers_nothing(start: Start, player: Any) -> None:
    server = await start(lambda _: says(f"move: {WORDS[0]}"))
    one = player(server, constrain=False, harness=("memory",))
    await decided(one)
    await one.reset(1)
    server.requests.clear()
    await decided(one)
    assert "Your last moves" not in server.requests[0].body["messages"][-1]["content"]


async def test_a_picture_is_what_the_game_draws(start: Start, player: Any) -> None:
    server = await start(lambda _: says(f"move: {WORDS[0]}"))
    await decided(player(server, constrain=False, observe="picture"))
    image, text = server.requests[0].body["messages"][-1]["content"]
    kind, data = image["image_url"]["url"].split(",")
    assert kind == "data:image/png;base64" and "Possible actions" in text["text"]
    shown = Image.open(io.BytesIO(base64.b64decode(data)))
    assert (shown.height, shown.width, 3) == RULES.picture(STATE).shape


async def test_the_slo_goes_with_every_request(start: Start, player: Any) -> None:
    server = await start(lambda _: says(f"move: {WORDS[0]}"))
    await decided(player(server, constrain=False, slo=SLO(ttft=0.2)))
    assert server.requests[0].body["slo"] == {"ttft_ms": 200.0}


RUDE: dict[str, tuple[Script, str]] = {
    "a page instead of JSON": (
        [
            b"HTTP/1.1 502 X\r\nContent-Type: text/html\r\nContent-Length: 41\r\n\r\n"
            b"<html><title>502 Bad Gateway</title></html"
        ],
        "502 Bad Gateway",
    ),
    "no quota": ([whole(402, {"error": {"message": "You have no credit left."}})], "credit"),
    "not allowed": ([whole(403, {"error": {"message": "The key is not valid here."}})], "key"),
    "its own failure": ([whole(500, {"error": {"message": "CUDA out of memory"}})], "CUDA"),
    "cut off amid the answer": ([token("mo"), CLOSE], ""),
    "nonsense": ([b"data: {not json}\n\n", DONE], ""),
}


@pytest.mark.parametrize("name", RUDE)
async def test_a_rude_endpoint_costs_the_move_and_says_why(
    start: Start, player: Any, name: str
) -> None:
    script, words = RUDE[name]
    server = await start(lambda _: list(script))
    one = player(server, constrain=False)
    await one.reset(0)
    decision = await decided(one)
    assert decision.action is None and decision.error and words in decision.error
    assert "\n" not in decision.error and "Traceback" not in decision.error


async def test_a_busy_server_is_asked_again_when_it_says(start: Start, player: Any) -> None:
    busy = iter([True, True])

    def answer(_: Received) -> Script:
        if next(busy, False):
            return [whole(429, {}, "Retry-After: 0.05")]
        return says(f"move: {WORDS[0]}")

    server = await start(answer)
    one = player(server, constrain=False)
    await one.reset(0)
    decision = await decided(one)
    assert decision.action == LEGAL[0] and decision.calls == 3
    assert decision.latency_s >= 0.1


async def test_a_server_that_stays_busy_or_slow_times_out(start: Start, player: Any) -> None:
    for script in ([whole(429, {}, "Retry-After: 9")], [5.0, token("up")]):
        server = await start(lambda _, script=script: list(script))
        one = player(server, constrain=False, timeout_s=0.3)
        await one.reset(0)
        decision = await decided(one)
        assert decision.action is None and decision.timed_out and decision.latency_s < 2


async def test_nobody_there_is_no_move() -> None:
    one = OpenAIPlayer(parse_address("toy@http://127.0.0.1:9"), Settings(timeout_s=0.5))
    decision = await decided(one)
    assert decision.action is None and decision.error
    await one.close()


async def test_a_key_is_sent_and_never_told(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARENA_KEY", "very-secret")
    server = await start(lambda _: [whole(401, {"error": {"message": "No."}})])
    address = parse_address(f"toy@{server.url}#ARENA_KEY")
    one = OpenAIPlayer(address, Settings(constrain=False))
    await one.reset(0)
    decision = await decided(one)
    await one.close()
    assert server.probes[0].headers["authorization"] == "Bearer very-secret"
    assert "very-secret" not in f"{decision}{one.label}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("clever", "there is no player 'clever'"),
        ("openai:", "needs a server"),
        ("openai:m", "needs a server"),
        ("openai:@http://h", "needs a model"),
        ("openai:m@http://h#NO_SUCH_KEY_HERE", "NO_SUCH_KEY_HERE"),
    ],
)
def test_a_player_that_cannot_be_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_player(text)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"observe": "smell"}, "observe"),
        ({"think": -1}, "think"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"temperature": 3.0}, "temperature"),
        ({"timeout_s": 0.0}, "timeout"),
        ({"harness": ("intuition",)}, "intuition"),
    ],
)
def test_settings_that_cannot_work_are_named(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_player("openai:m@http://127.0.0.1:9", Settings(**settings))
