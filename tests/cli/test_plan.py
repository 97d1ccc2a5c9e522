"""The verb: what it prints, what it writes, and how it refuses."""

from pathlib import Path

import msgspec
import pytest
from tests.plan.search.toys import toy_profile

from goodput.cli import main
from goodput.core.config import load_deployment
from goodput.plan.search.answer import PlanAnswer

QUICK = ["--requests", "200", "--budget", "2"]


@pytest.fixture
def profile(tmp_path: Path) -> str:
    path = tmp_path / "toy.json"
    path.write_bytes(msgspec.json.encode(toy_profile()))
    return str(path)


def test_json_is_all_of_stdout(profile: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["plan", profile, "chat", "--slo", "ttft=2s,tpot=100ms", "--json", *QUICK]
    assert main(arguments) == 0
    first = capsys.readouterr().out
    answer = msgspec.json.decode(first, type=PlanAnswer)
    assert answer.best is not None and answer.budget == 2
    assert main([*arguments, "--seed", "0"]) == 0
    again = msgspec.json.decode(capsys.readouterr().out, type=PlanAnswer)
    assert msgspec.structs.replace(again, seconds=answer.seconds) == answer


def test_out_has_a_deployment_that_serves(
    profile: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "found"
    slo = ["--slo", "ttft=2s,tpot=100ms"]
    assert main(["plan", profile, "chat", *slo, "--out", str(folder), *QUICK]) == 0
    out = capsys.readouterr().out
    assert "Take " in out and "excluded by queueing bounds" in out
    assert load_deployment(folder / "deployment.yaml").model == "toy"
    assert (folder / "plan.json").exists() and (folder / "pareto.png").exists()


def test_a_datasheet_and_a_model_are_enough(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--accelerator", "b200", "--model", "llama-3-70b", *QUICK]) == 0
    out = capsys.readouterr().out
    assert "estimate from datasheets" in out and "1.8 times" in out


def test_what_nothing_keeps_is_explained(profile: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", profile, "chat", "--slo", "ttft=5ms", *QUICK]) == 0
    assert "at any rate" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--slo", "ttft=0ms"], "slo.ttft must be positive"),
        (["--slo", "tpot=2x"], "multiple of the unloaded latency"),
        (["--slo", "soon"], "the SLO term 'soon'"),
        (["--budget", "0"], "--budget must be one accelerator or more"),
        (["--rate", "0"], "--rate must be positive"),
        (["--arrivals", "closed:4"], "planning needs a workload with arrivals"),
        (["--requests", "0"], "--requests must be 1 or more"),
        (["--prompt-tokens", "0"], "--prompt-tokens must be 1 or more"),
        (["--accelerator", "b200"], "--accelerator and --model go together"),
        (["--accelerator", "b200", "--model", "opt-13b"], "not both"),
    ],
)
def test_bad_input_is_one_sentence(
    profile: str, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", profile, "chat", *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"name": "x", "speed": 3}', "unknown field `speed`"),
        (b"{", "is wrong"),
    ],
)
def test_a_wrong_profile_names_its_field(
    tmp_path: Path, content: bytes, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wrong.json"
    path.write_bytes(content)
    assert main(["plan", str(path), "chat"]) == 2
    error = capsys.readouterr().err
    assert str(path) in error and words in error


def test_an_empty_trace_has_no_arrivals(
    profile: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = tmp_path / "empty.csv"
    trace.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n")
    assert main(["plan", profile, f"trace:{trace}"]) == 2
    assert "has no requests" in capsys.readouterr().err
