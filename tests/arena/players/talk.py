"""What models behind a scripted server say, and the position that they are asked about."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tests.bench.conftest import DONE, FINISH, Received, Script, ScriptedServer, token, usage

from goodput.arena.games.registry import make_game
from goodput.arena.players.base import Decision, Observation, Player
from goodput.arena.players.openai.player import OpenAIPlayer

Start = Callable[..., Awaitable[ScriptedServer]]
MakePlayer = Callable[..., OpenAIPlayer]

RULES = make_game("2048-v1")
STATE = RULES.reset(3)
LEGAL = tuple(RULES.legal(STATE))
WORDS = [RULES.spec.actions[action] for action in LEGAL]

PROMPT_TOKENS, OUTPUT_TOKENS = 7, 2
"""Of every whole answer, by what the server says."""


def says(text: str) -> Script:
    return [token(text), FINISH, usage(OUTPUT_TOKENS, PROMPT_TOKENS), DONE]


def follows_choices(received: Received) -> Script:
    """A server that holds its model to ``guided_choice``."""
    choice = received.body.get("guided_choice")
    return says(choice[-1] if choice else "hello")


async def decided(player: Player, turn: int = 0) -> Decision:
    """The decision about ``STATE``, whose bill adds up."""
    decision = await player.decide(Observation(RULES, STATE, 0, LEGAL, turn))
    assert decision.calls == sum(charge.calls for charge in decision.charges)
    assert decision.prompt_tokens == sum(charge.prompt_tokens for charge in decision.charges)
    assert decision.output_tokens == sum(charge.output_tokens for charge in decision.charges)
    return decision


def parts(decision: Decision) -> list[str]:
    return [charge.part for charge in decision.charges]
