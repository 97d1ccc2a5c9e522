"""The names by which games are found."""

from __future__ import annotations

import subprocess
import sys

import pytest

from goodput.arena.games import registry
from goodput.arena.games.registry import GAMES, RACE, make_game
from goodput.core.errors import UsageError


@pytest.mark.parametrize("name", GAMES)
def test_an_id_makes_the_game_of_that_id(name: str) -> None:
    assert make_game(name).spec.id == name
    assert make_game(name.rpartition("-v")[0]).spec.id == name


@pytest.mark.parametrize("name", GAMES)
def test_every_game_of_one_seat_has_a_race(name: str) -> None:
    if make_game(name).spec.seats == 1:
        assert make_game(f"{RACE}{name}").spec.id == f"race-{name}"
    else:
        with pytest.raises(UsageError, match="two seats already"):
            make_game(f"{RACE}{name}")


def test_a_race_of_a_race_is_none() -> None:
    with pytest.raises(UsageError, match=r"race-2048-v1 has two seats already"):
        make_game("race-race-2048")


@pytest.mark.parametrize("name", ["chess", "2048-v2", "tetris-v", "", "race-", "race-chess", "v1"])
def test_an_unknown_name_is_answered_with_the_list(name: str) -> None:
    with pytest.raises(UsageError, match="there is no game") as refusal:
        make_game(name)
    words = str(refusal.value)
    assert all(game in words for game in GAMES) and "mario" in words
    assert "\n" not in words


def test_a_name_without_a_version_is_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {
        "game-v9": "tictactoe:TicTacToe",
        "game-v10": "connect_four:ConnectFour",
        "game-v2": "tictactoe:TicTacToe",
    }
    monkeypatch.setattr(registry, "_OWN", versions)
    assert make_game("game").spec.id == "connect-four-v1"
    assert make_game("game-v9").spec.id == "tictactoe-v1"


def test_one_game_loads_no_other_and_no_extra() -> None:
    program = (
        "import sys\n"
        "from goodput.arena.games.registry import make_game\n"
        "make_game('race-2048')\n"
        "print(*sys.modules)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    loaded = set(ran.stdout.split())
    games = {name for name in loaded if name.startswith("goodput.arena.games.")}
    helpers = {"chance", "digest", "drawing", "font", "g2048", "race", "registry", "rules"}
    assert games == {f"goodput.arena.games.{name}" for name in helpers}
    assert not loaded & {"gymnasium", "pettingzoo", "PIL", "ale_py", "nes_py"}
