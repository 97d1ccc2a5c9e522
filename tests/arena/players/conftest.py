"""Models as players, each behind a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.arena.players.talk import MakePlayer
from tests.bench.conftest import ScriptedServer, start

from goodput.arena.players.openai.address import parse_address
from goodput.arena.players.openai.player import OpenAIPlayer
from goodput.arena.players.settings import Settings

__all__ = ["start"]


@pytest.fixture
async def player() -> AsyncIterator[MakePlayer]:
    """Makes players of a scripted server; they are closed after the test."""
    made: list[OpenAIPlayer] = []

    def make(server: ScriptedServer, *, key: str = "", **settings: Any) -> OpenAIPlayer:
        address = parse_address(f"toy@{server.url}{key and f'#{key}'}")
        made.append(OpenAIPlayer(address, Settings(**settings)))
        return made[-1]

    yield make
    for one in made:
        await one.close()
