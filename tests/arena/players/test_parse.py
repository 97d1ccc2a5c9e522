"""Players by name, and what is said where there is none."""

from __future__ import annotations

from typing import Any

import pytest

from goodput.arena.players.openai.address import parse_address
from goodput.arena.players.parse import parse_player
from goodput.arena.players.settings import Settings
from goodput.core.errors import UsageError
from goodput.core.slo import SLO


@pytest.mark.parametrize("name", ["random", "greedy", "search", "human"])
def test_programs_and_people_are_called_what_they_are(name: str) -> None:
    player = parse_player(name)
    assert player.label == name and player.harness == ()


def test_a_model_is_called_by_its_name_its_server_and_what_is_special() -> None:
    text = "openai:org/model:7b@127.0.0.1:9/v1"
    assert parse_player(text).label == "org/model:7b@127.0.0.1:9"
    special = Settings(harness=("memory",), think=64, constrain=False, slo=SLO(ttft=0.4))
    assert parse_player(text, special).label.endswith(":9 +memory think=64 free slo=ttft=400ms")


def test_the_key_is_in_the_variable_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "usual")
    monkeypatch.setenv("OTHER_KEY", "other")
    assert parse_address("m@http://h").api_key == "usual"
    assert parse_address("m@http://h#OTHER_KEY").api_key == "other"
    assert parse_address("m@http://h#OTHER_KEY").url == "http://h/v1"
    monkeypatch.delenv("OPENAI_API_KEY")
    assert parse_address("m@http://h").api_key is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("clever", "there is no player 'clever'"),
        ("openai:", "needs a server"),
        ("openai:m", "needs a server"),
        ("openai:@http://h", "needs a model"),
        ("openai:m@ftp://h", "not a server address"),
        ("openai:m@http://h:port", "not a valid URL"),
        ("openai:m@http://h#NO_SUCH_KEY_HERE", "NO_SUCH_KEY_HERE"),
        ("openai:m@http://h#", "name of a variable"),
        ("openai:m@http://h#sk-secret", "name of a variable"),
        ("openai:m@http://me:secret@h", "must not hold a password"),
    ],
)
def test_a_player_that_cannot_be_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as refusal:
        parse_player(text)
    assert "secret" not in str(refusal.value) and "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"observe": "smell"}, "observe"),
        ({"think": -1}, "think"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"temperature": 3.0}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"timeout_s": 0.0}, "timeout"),
        ({"harness": ("intuition",)}, "intuition"),
    ],
)
def test_settings_that_cannot_work_are_named(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_player("openai:m@http://127.0.0.1:9", Settings(**settings))
