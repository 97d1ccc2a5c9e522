"""Which source of settings is heard, and which settings are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from goodput.arena.players.settings import Settings
from goodput.arena.tournament.config import Config, Entrant, Timing, resolve
from goodput.arena.tournament.wishes import PlayerWish, Wishes, read_wishes
from goodput.core.errors import GoodputError, UsageError
from goodput.core.slo import SLO

NOTHING = Wishes()
LEAST = {"games": ("2048",), "players": ("random",)}


def entrants(*players: str) -> tuple[Entrant, ...]:
    return tuple(Entrant(player=player) for player in players)


def timings(clock: str, *slow_downs: float) -> tuple[Timing, ...]:
    return tuple(Timing(clock=clock, slow_down=slow_down) for slow_down in slow_downs)


TOKENS = Timing(clock="tokens", ttft_s=0.25, tokens_per_s=40.0)
BESIDE_TOKENS = {"clocks": ("tokens",), "ttft": "1s", "rate": 1.0}

# The field, a command line's and a file's wish for it, what they come to, and the default.
PRECEDENCE: list[tuple[str, Any, Any, str, Any, Any, Any]] = [
    ("games", ("tictactoe",), ("2048",), "games", ("tictactoe-v1",), ("2048-v1",), None),
    (
        "players",
        ("greedy", "random"),
        ("search", "random"),
        "players",
        entrants("greedy", "random"),
        entrants("search", "random"),
        None,
    ),
    ("episodes", 2, 3, "seeds", (0, 1), (0, 1, 2), tuple(range(10))),
    ("seed", 5, 7, "seeds", tuple(range(5, 15)), tuple(range(7, 17)), tuple(range(10))),
    ("seeds", (4, 2), (9,), "seeds", (4, 2), (9,), tuple(range(10))),
    (
        "clocks",
        ("paused",),
        ("wall",),
        "timings",
        timings("paused", 1),
        timings("wall", 1),
        timings("virtual", 1),
    ),
    (
        "slow_downs",
        (2.0,),
        (3.0, 4.0),
        "timings",
        timings("virtual", 2),
        timings("virtual", 3, 4),
        timings("virtual", 1),
    ),
    ("races", False, True, "games", ("2048-v1",), ("race-2048-v1",), ("2048-v1",)),
    ("parallel", 2, 3, "parallel", 2, 3, 1),
    ("out", "a", "b", "out", "a", "b", "out/play/league"),
]


@pytest.mark.parametrize(
    ("field", "told", "filed", "seen", "from_command", "from_file", "default"),
    PRECEDENCE,
    ids=[row[0] for row in PRECEDENCE],
)
def test_the_command_line_is_heard_before_the_file_before_the_default(
    field: str,
    told: Any,
    filed: Any,
    seen: str,
    from_command: Any,
    from_file: Any,
    default: Any,
) -> None:
    def resolved(command: Wishes, file: dict[str, Any]) -> Any:
        rest = LEAST | {"players": ("random", "greedy")} | file
        return getattr(resolve(command, Wishes(**rest), name="league"), seen)

    assert resolved(Wishes(**{field: told}), {field: filed}) == from_command
    assert resolved(NOTHING, {field: filed}) == from_file
    if default is not None:
        assert resolved(NOTHING, {}) == default


@pytest.mark.parametrize(
    ("field", "told", "filed", "setting", "from_command", "from_file"),
    [
        ("observe", "text", "picture", "observe", "text", "picture"),
        ("constrain", True, False, "constrain", True, False),
        ("think", 0, 9, "think", 0, 9),
        ("max_tokens", 5, 6, "max_tokens", 5, 6),
        ("temperature", 0.0, 0.5, "temperature", 0.0, 0.5),
        ("timeout", "2s", "300ms", "timeout_s", 2.0, 0.3),
        ("harness", (), ("memory",), "harness", (), ("memory",)),
        ("slo", "ttft=1s", "tpot=50ms", "slo", SLO(ttft=1.0), SLO(tpot=0.05)),
    ],
)
def test_a_models_settings_too_and_a_players_own_table_lies_between(
    field: str, told: Any, filed: Any, setting: str, from_command: Any, from_file: Any
) -> None:
    def resolved(command: Wishes, player: str | PlayerWish, file: dict[str, Any]) -> Any:
        config = resolve(command, Wishes(games=("2048",), players=(player,), **file), name="x")
        return getattr(config.players[0].settings, setting)

    own = PlayerWish(player="random", **{field: filed})
    assert resolved(Wishes(**{field: told}), own, {}) == from_command
    assert resolved(Wishes(**{field: told}), "random", {field: filed}) == from_command
    assert resolved(NOTHING, own, {field: told}) == from_file
    assert resolved(NOTHING, "random", {field: filed}) == from_file
    assert resolved(NOTHING, "random", {}) == getattr(Settings(), setting)


def test_a_count_on_the_command_line_replaces_a_files_list_of_seeds() -> None:
    file = Wishes(**LEAST, seeds=(8, 9))
    assert resolve(Wishes(episodes=2), file, name="x").seeds == (0, 1)
    assert resolve(Wishes(seed=3, episodes=1), file, name="x").seeds == (3,)


def test_count_and_start_may_come_from_two_sources() -> None:
    assert resolve(Wishes(episodes=2), Wishes(**LEAST, seed=6), name="x").seeds == (6, 7)


def test_the_speed_of_tokens_is_of_that_clock_only() -> None:
    wishes = Wishes(**LEAST, clocks=("virtual", "tokens"), ttft="250ms", rate=40.0)
    assert resolve(NOTHING, wishes, name="x").timings == (Timing(), TOKENS)


def test_beside_other_clocks_the_paused_one_is_played_once() -> None:
    wishes = Wishes(**LEAST, clocks=("paused", "virtual"), slow_downs=(1.0, 2.0))
    expected = (*timings("paused", 1), *timings("virtual", 1, 2))
    assert resolve(NOTHING, wishes, name="x").timings == expected


def test_a_person_plays_one_paused_episode() -> None:
    wishes = Wishes(games=("2048",), players=("human", "random"))
    config = resolve(NOTHING, wishes, name="x")
    assert (config.seeds, config.timings, config.parallel) == ((0,), timings("paused", 1), 1)


def test_where_no_latency_counts_episodes_are_played_side_by_side() -> None:
    assert resolve(NOTHING, Wishes(**LEAST, clocks=("paused",)), name="x").parallel == 8


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"games": ()}, "games must not be empty"),
        ({"players": ()}, "players must not be empty"),
        ({"games": ("chess",)}, "there is no game 'chess'"),
        ({"games": ("2048", "2048-v1")}, "games must differ: 2048-v1 is there 2 times"),
        ({"players": ("random", "random")}, "players must differ: random is there 2 times"),
        ({"players": ("deep-blue",)}, "there is no player 'deep-blue'"),
        ({"games": ("tictactoe",)}, "tictactoe-v1 needs 2 players, not 1"),
        ({"episodes": 0}, "episodes must be at least 1"),
        ({"seeds": ()}, "seeds must not be empty"),
        ({"seeds": (1, 1)}, "seeds must differ"),
        ({"seed": -1}, "seeds must be 0 or more"),
        ({"seeds": (1,), "episodes": 2}, "either seeds, or episodes and seed"),
        ({"clocks": ("sundial",)}, "there is no clock 'sundial'"),
        ({"clocks": ()}, "clocks and slow_downs must not be empty"),
        ({"slow_downs": (0.0,)}, "the slow-down must be a positive number"),
        ({"slow_downs": (2.0, 2.0)}, "slow_downs must differ"),
        ({"clocks": ("paused",), "slow_downs": (2.0,)}, "nothing can slow it down"),
        ({"clocks": ("tokens",)}, "needs a time to first token and a token rate"),
        ({"rate": 9.0}, "only 'tokens' takes a fixed speed"),
        (BESIDE_TOKENS | {"ttft": "soon"}, "ttft must be a time"),
        ({"parallel": 0}, "parallel must be at least 1"),
        ({"players": ("human",), "parallel": 2}, "there is one terminal"),
        ({"harness": ("wings",)}, "harness has no part 'wings'"),
        ({"timeout": "0s"}, "timeout must be a positive time"),
        ({"slo": "soon"}, "the SLO term 'soon'"),
    ],
)
def test_what_cannot_be_played_is_refused_by_name(wishes: dict[str, Any], words: str) -> None:
    with pytest.raises(GoodputError, match=words):
        resolve(Wishes(**wishes), Wishes(**LEAST), name="x")


def test_a_file_is_read_and_what_is_stored_can_be_read_back(tmp_path: Path) -> None:
    file = tmp_path / "league.toml"
    file.write_text(
        """
        games = ["2048", "tictactoe"]
        players = ["random", {player = "openai:m:1b@http://h:1", harness = ["memory"], think = 8}]
        seeds = [3, 5]
        clocks = ["virtual"]
        slow_downs = [1, 2]
        timeout = "5s"
        """
    )
    config = resolve(Wishes(out=str(tmp_path / "out")), read_wishes(file), name=file.stem)
    assert config.games == ("2048-v1", "tictactoe-v1") and config.seeds == (3, 5)
    assert config.timings == timings("virtual", 1, 2)
    model = config.players[1].settings
    assert (model.harness, model.think, model.timeout_s) == (("memory",), 8, 5.0)
    config.store()
    stored = (tmp_path / "out" / "config.json").read_bytes()
    assert msgspec.json.decode(stored, type=Config) == config
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["config.json"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("games = [", "is wrong"),
        ("game = 'tetris'", "unknown field `game`"),
        ("seeds = 'all'", "seeds"),
        ("players = [{name = 'x'}]", "players"),
        ("harness = ['wings']", "harness"),
    ],
)
def test_a_wrong_file_names_itself_and_the_field(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=words) as refused:
        read_wishes(file)
    assert str(file) in refused.value.message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read the tournament .*none\.toml"):
        read_wishes(tmp_path / "none.toml")
