"""How a model is asked and understood: constrained, thinking, down the ladder, with its harness."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import Image
from tests.arena.players.talk import (
    LEGAL,
    OUTPUT_TOKENS,
    PROMPT_TOKENS,
    RULES,
    STATE,
    WORDS,
    MakePlayer,
    Start,
    decided,
    follows_choices,
    parts,
    says,
)
from tests.bench.conftest import Received, Script, whole

from goodput.core.slo import SLO


async def test_a_constrained_choice_is_asked_for_where_the_server_follows(
    start: Start, player: MakePlayer
) -> None:
    server = await start(follows_choices)
    server.probe = follows_choices
    one = player(server)
    await one.reset(0)
    decision = await decided(one)
    assert (decision.rung, decision.action) == ("choice", LEGAL[-1])
    assert server.requests[0].body["guided_choice"] == WORDS
    bill = decision.calls, decision.prompt_tokens, decision.output_tokens
    assert bill == (1, PROMPT_TOKENS, OUTPUT_TOKENS)
    assert decision.latency_s > 0 and decision.ttft_s is not None


async def test_a_server_that_ignores_the_field_is_read_down_the_ladder(
    start: Start, player: MakePlayer
) -> None:
    server = await start(lambda _: says(f'{{"move": "{WORDS[0]}"}}'))
    one = player(server)
    await one.reset(0)
    decision = await decided(one)
    assert (decision.rung, decision.action) == ("json", LEGAL[0])
    assert "guided_choice" not in server.requests[0].body


async def test_openais_own_way_to_constrain_is_tried_last(start: Start, player: MakePlayer) -> None:
    def answer(received: Received) -> Script:
        if "guided_choice" in received.body:
            return [whole(400, {"error": {"message": "guided_choice is unknown here"}})]
        form = received.body.get("response_format")
        if form is None:
            return says("hello")
        words = form["json_schema"]["schema"]["properties"]["move"]["enum"]
        return says(f'{{"move": "{words[-1]}"}}')

    server = await start(answer)
    server.probe = answer
    one = player(server)
    await one.reset(0)
    decision = await decided(one)
    assert (decision.rung, decision.action) == ("choice", LEGAL[-1])
    asked = [set(probe.body) & {"guided_choice", "structured_outputs"} for probe in server.probes]
    assert asked == [set(), {"guided_choice"}, {"structured_outputs"}, set()]


@pytest.mark.parametrize("lapse", [whole(400, {"error": "no grammar is left"}), None])
async def test_a_server_that_no_longer_constrains_is_read_down_the_ladder(
    start: Start, player: MakePlayer, lapse: bytes | None
) -> None:
    def answer(received: Received) -> Script:
        if "guided_choice" in received.body:
            return [lapse] if lapse else says("As a language model, I")
        return says(f"move: {WORDS[0]}")

    server = await start(answer)
    server.probe = follows_choices
    one = player(server)
    await one.reset(0)
    decision = await decided(one)
    assert (decision.rung, decision.action) == ("move-line", LEGAL[0])
    assert parts(decision) == ["answer", "answer"] and decision.calls == 2


async def test_fields_that_a_server_refuses_are_left_out(start: Start, player: MakePlayer) -> None:
    def answer(received: Received) -> Script:
        for field in ("stream_options", "temperature"):
            if field in received.body:
                return [whole(400, {"error": {"message": f"{field} is not supported"}})]
        return says(f"move: {WORDS[0]}")

    server = await start(answer)
    server.probe = answer
    decision = await decided(player(server, constrain=False))
    assert decision.action == LEGAL[0]
    assert [charge.calls for charge in decision.charges] == [3, 1]


async def test_free_thinking_comes_before_a_constrained_answer(
    start: Start, player: MakePlayer
) -> None:
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
    assert parts(decision) == ["thinking", "answer"]


async def test_where_nothing_constrains_thoughts_and_move_are_one_answer(
    start: Start, player: MakePlayer
) -> None:
    server = await start(lambda _: says(f"The corner is full.\nmove: {WORDS[0]}"))
    decision = await decided(player(server, constrain=False, think=40, max_tokens=9))
    (asked,) = server.requests
    assert (decision.rung, decision.action) == ("move-line", LEGAL[0])
    assert asked.body["max_tokens"] == 49
    assert "Think in a few sentences" in asked.body["messages"][-1]["content"]


async def test_an_unreadable_answer_gets_one_retry_with_feedback(
    start: Start, player: MakePlayer
) -> None:
    answers = iter(["I like trains.", f"move: {WORDS[1]}"])
    server = await start(lambda _: says(next(answers)))
    decision = await decided(player(server, constrain=False))
    assert (decision.rung, decision.action) == ("retry", LEGAL[1])
    assert "names no action" in server.requests[1].body["messages"][-1]["content"]
    assert parts(decision) == ["probe", "answer", "retry"]


async def test_an_illegal_answer_is_told_so_and_stays_on_record(
    start: Start, player: MakePlayer
) -> None:
    server = await start(lambda _: says('{"move": "sideways"}'))
    decision = await decided(player(server, constrain=False))
    assert (decision.action, decision.illegal) == (None, "sideways")
    assert "'sideways' is not possible now" in server.requests[1].body["messages"][-1]["content"]


async def test_a_legal_answer_after_an_illegal_one_is_a_retry(
    start: Start, player: MakePlayer
) -> None:
    answers = iter(["move: sideways", WORDS[0]])
    server = await start(lambda _: says(next(answers)))
    decision = await decided(player(server, constrain=False))
    assert (decision.action, decision.rung, decision.illegal) == (LEGAL[0], "retry", None)


async def test_twice_nothing_is_no_move(start: Start, player: MakePlayer) -> None:
    server = await start(lambda _: says("I like trains."))
    decision = await decided(player(server, constrain=False))
    assert (decision.action, decision.illegal, decision.error) == (None, None, None)
    assert decision.rung == "none" and len(server.requests) == 2


@pytest.mark.parametrize(
    ("harness", "billed"),
    [
        ((), ["answer"]),
        (("perception",), ["perception", "answer"]),
        (("memory",), ["answer"]),
        (("reflection",), ["reflection", "answer"]),
        (("perception", "memory", "reflection"), ["reflection", "perception", "answer"]),
    ],
)
async def test_each_part_of_the_harness_is_billed(
    start: Start, player: MakePlayer, harness: tuple[str, ...], billed: list[str]
) -> None:
    server = await start(lambda _: says(f"move: {WORDS[0]}"))
    one = player(server, constrain=False, harness=harness)
    await one.reset(0)
    await decided(one)  # So that there is something to remember.
    server.requests.clear()
    decision = await decided(one, turn=1)
    assert parts(decision) == billed
    assert decision.calls == len(billed) == len(server.requests)
    assert decision.output_tokens == OUTPUT_TOKENS * len(billed)
    last = server.requests[-1].body["messages"][-1]["content"]
    assert (f"Your last moves:\nmove 1: {WORDS[0]} -> score +0" in last) == ("memory" in harness)
    assert ("What you have noticed" in last) == ("perception" in harness)
    assert ("What you have learned" in last) == ("reflection" in harness)


async def test_a_part_that_fails_is_billed_and_says_nothing(
    start: Start, player: MakePlayer
) -> None:
    def answer(received: Received) -> Script:
        if "Do not choose a move yet" in received.body["messages"][-1]["content"]:
            return [whole(500, {"error": "not now"})]
        return says(f"move: {WORDS[0]}")

    server = await start(answer)
    decision = await decided(player(server, constrain=False, harness=("perception",)))
    assert decision.action == LEGAL[0] and decision.error is None
    assert parts(decision) == ["probe", "perception", "answer"]
    assert "What you have noticed" not in server.requests[-1].body["messages"][-1]["content"]


async def test_what_was_not_possible_is_remembered_too(start: Start, player: MakePlayer) -> None:
    server = await start(lambda _: says("move: sideways"))
    one = player(server, constrain=False, harness=("memory",))
    await decided(one)
    server.requests.clear()
    await decided(one, turn=1)
    first = server.requests[0].body["messages"][-1]["content"]
    assert "move 1: sideways (not possible)" in first


async def test_a_new_episode_remembers_nothing(start: Start, player: MakePlayer) -> None:
    server = await start(lambda _: says(f"move: {WORDS[0]}"))
    one = player(server, constrain=False, harness=("memory",))
    await decided(one)
    await one.reset(1)
    server.requests.clear()
    await decided(one)
    assert "Your last moves" not in server.requests[0].body["messages"][-1]["content"]


async def test_a_picture_is_what_the_game_draws(start: Start, player: MakePlayer) -> None:
    server = await start(lambda _: says(f"move: {WORDS[0]}"))
    await decided(player(server, constrain=False, observe="picture"))
    image, text = server.requests[0].body["messages"][-1]["content"]
    kind, data = image["image_url"]["url"].split(",")
    assert kind == "data:image/png;base64" and "Possible actions" in text["text"]
    shown = Image.open(io.BytesIO(base64.b64decode(data)))
    assert shown.format == "PNG"
    assert shown.tobytes() == RULES.picture(STATE).tobytes()


async def test_the_slo_goes_with_every_request(start: Start, player: MakePlayer) -> None:
    server = await start(lambda _: says(f"move: {WORDS[0]}"))
    await decided(player(server, constrain=False, slo=SLO(ttft=0.2)))
    assert server.requests[0].body["slo"] == {"ttft_ms": 200.0}


async def test_what_never_changes_comes_first(start: Start, player: MakePlayer) -> None:
    server = await start(lambda _: says(f"move: {WORDS[0]}"))
    one = player(server, constrain=False, temperature=0.5)
    for turn in range(2):
        await decided(one, turn)
    systems: list[Any] = [request.body["messages"][0] for request in server.requests]
    assert systems[0] == systems[1] and RULES.spec.rules_text in systems[0]["content"]
    assert server.requests[0].body["temperature"] == 0.5
