"""The verbs that play: what they print and keep, how they refuse, and how they are stopped."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from goodput.arena.episode.store import EpisodeStore
from goodput.arena.games.registry import GAMES
from goodput.cli import main
from goodput.cli.lazy import load_verb
from goodput.cli.play import VERBS

PAIR = ["--player", "random", "--player", "search"]


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert load_verb(verb, VERBS).name == verb
    assert main(["play", verb, "-h"]) == 0
    assert f"Usage: goodput play {verb}" in capsys.readouterr().out


def test_a_word_that_is_no_verb_is_a_game(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["play", "connect-four", "-h"]) == 0
    assert "Usage: goodput play connect-four [OPTIONS]" in capsys.readouterr().out


def test_games_lists_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["play", "games"]) == 0
    out = capsys.readouterr().out
    assert all(game in out for game in GAMES)


def test_a_run_says_what_it_plays_and_ends_with_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["play", "tictactoe", *PAIR, "--episodes", "2", "--out", str(tmp_path)]
    assert main(arguments) == 0
    captured = capsys.readouterr()
    assert "tictactoe-v1 · random, search · seeds 0, 1 · clock virtual" in captured.err
    assert f"4 episodes played; all are in {tmp_path}" in captured.err
    assert "random" in captured.out and "search" in captured.out
    assert len(EpisodeStore(tmp_path).all()) == 4 and (tmp_path / "config.json").exists()
    assert main(arguments) == 0
    assert "0 episodes played, 4 were there" in capsys.readouterr().err


def test_json_is_all_of_stdout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    players = ["--player", "random", "--player", "greedy"]
    arguments = ["play", "tetris-place", *players, "--episodes", "2", "--out", str(tmp_path)]
    assert main([*arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["tally"] == {"total": 4, "kept": 0, "played": 4}
    assert found["config"] == json.loads((tmp_path / "config.json").read_bytes())
    assert found["stopped"] is False


def test_the_command_line_overrides_the_tournaments_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "league.toml"
    file.write_text(
        'games = ["2048", "tictactoe"]\nplayers = ["random", "greedy"]\nseeds = [4, 5]\n'
        f'clocks = ["paused"]\nout = "{tmp_path / "filed"}"\n'
    )
    told = ["--clock", "virtual", "--slow-down", "1,2", "--episodes", "1", "--json"]
    assert main(["play", "tournament", str(file), *told]) == 0
    config = json.loads(capsys.readouterr().out)["config"]
    assert config == json.loads((tmp_path / "filed" / "config.json").read_bytes())
    assert config["games"] == ["2048-v1", "tictactoe-v1"] and config["seeds"] == [0]
    assert [(one["clock"], one["slow_down"]) for one in config["timings"]] == [
        ("virtual", 1.0),
        ("virtual", 2.0),
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tournamnt", "x.toml"], "there is no game 'tournamnt'"),
        (["tictactoe"], "players must not be empty: give --player"),
        (["tictactoe", "--player", "random"], "tictactoe-v1 needs 2 players, not 1"),
        (["2048", "--player", "nobody"], "there is no player 'nobody'"),
        (["2048", "--player", "random", "--clock", "sundial"], "there is no clock 'sundial'"),
        (["2048", "--player", "random", "--slow-down", "0"], "--slow-down must be positive"),
        (["2048", "--player", "random", "--harness", "wings"], "harness has no part 'wings'"),
        (["2048", "--player", "random", "--episodes", "0"], "episodes must be at least 1"),
        (["2048", "--player", "random", "x"], "unexpected extra argument"),
        (["tournament", "none.toml"], "cannot read the tournament none.toml"),
        (["replay", "none.jsonl"], "cannot read the episode none.jsonl"),
        (["report", "none"], "there is no folder none"),
    ],
)
def test_bad_input_is_one_sentence(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["play", *arguments]) == 2
    captured = capsys.readouterr()
    assert words in captured.err and captured.err.count("\n") == 1 and captured.out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_dead_server_loses_and_the_run_completes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    players = ["--player", "openai:x@http://127.0.0.1:1", "--player", "random"]
    told = ["--episodes", "1", "--timeout", "50ms", "--out", str(tmp_path), "--json"]
    assert main(["play", "tictactoe", *players, *told]) == 0
    assert json.loads(capsys.readouterr().out)["tally"]["played"] == 2
    ends = [(one.header.players, one.end) for one in EpisodeStore(tmp_path).all()]
    assert all(end.reason == "forfeit" for _, end in ends)
    assert all(players[end.forfeited_by or 0].startswith("x@") for players, end in ends)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "goodput.cli", "play", *arguments]


def test_ctrl_c_keeps_whole_episodes_and_the_same_command_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["tetris-place", "--player", "search", "--episodes", "4", "--out", str(tmp_path)]
    process = subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("*.episode.jsonl")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "to go: the same command goes on" in err and "Traceback" not in err
    assert "search" in out, "what there is has its table"
    kept = len(EpisodeStore(tmp_path).all())
    assert 1 <= kept < 4
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".jsonl"}
    assert not list(tmp_path.glob(".*"))

    assert main(["play", *arguments, "--json"]) == 0
    tally = json.loads(capsys.readouterr().out)["tally"]
    assert tally == {"total": 4, "kept": kept, "played": 4 - kept}


def test_a_person_plays_at_the_terminal(tmp_path: Path) -> None:
    players = ["--player", "human", "--player", "random"]
    process = subprocess.run(
        command("tictactoe", *players, "--out", str(tmp_path)),
        input="1\n" * 20,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert "clock paused · 1 at a time" in process.stderr and "> " in process.stdout
    episodes = EpisodeStore(tmp_path).all()
    assert len(episodes) == 2 and all(one.end.reason == "over" for one in episodes)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("played")
    told = ["--player", "random", "--episodes", "1", "--out", str(folder)]
    assert main(["play", "2048", *told]) == 0
    return next(folder.glob("*.episode.jsonl"))


def test_a_record_simulates_again_bit_for_bit(
    record: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["play", "replay", str(record)]) == 0
    out = capsys.readouterr().out
    assert "2048-v1, seed 0, random" in out and "the same, bit for bit" in out


def test_watching_shows_every_move(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["play", "replay", str(record), "--watch"]) == 0
    out = capsys.readouterr().out
    moves = len(record.read_bytes().splitlines()) - 2
    assert out.count("(applied)") == moves and out.count("frame 0 · random: ") == moves


def test_a_tampered_record_names_the_move(
    record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = record.read_text().splitlines()
    move = json.loads(lines[5])
    lines[5] = json.dumps(move | {"digest": "0" * 16})
    tampered = tmp_path / "tampered.episode.jsonl"
    tampered.write_text("\n".join(lines))
    assert main(["play", "replay", str(tampered)]) == 1
    captured = capsys.readouterr()
    assert f"{tampered}: move 5 differs" in captured.err and captured.out == ""


def test_a_record_with_another_end_is_refused(
    record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    *lines, last = record.read_text().splitlines()
    end = json.loads(last)
    lines.append(json.dumps(end | {"scores": [score + 4 for score in end["scores"]]}))
    tampered = tmp_path / "tampered.episode.jsonl"
    tampered.write_text("\n".join(lines))
    assert main(["play", "replay", str(tampered)]) == 1
    assert "the end differs" in capsys.readouterr().err


def test_half_a_record_is_a_usage_error(
    record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    half = tmp_path / "half.episode.jsonl"
    half.write_bytes(record.read_bytes()[:-40])
    assert main(["play", "replay", str(half)]) == 2
    assert str(half) in capsys.readouterr().err
