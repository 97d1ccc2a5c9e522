"""What is written and printed says what the answer says."""

import io
from pathlib import Path

import msgspec
from rich.console import Console
from tests.plan.report.made import made_answer, made_row

from goodput.core.config import load_deployment
from goodput.plan.report.files import write_answer
from goodput.plan.report.picture import draw_pareto
from goodput.plan.report.table import print_answer
from goodput.plan.search.answer import PlanAnswer


def printed(answer: PlanAnswer) -> str:
    screen = io.StringIO()
    print_answer(answer, Console(file=screen, width=160))
    return screen.getvalue()


def test_the_folder_holds_the_answer(tmp_path: Path) -> None:
    answer = made_answer(made_row())
    assert write_answer(tmp_path, answer) == ["plan.json", "pareto.png", "deployment.yaml"]
    read = msgspec.json.decode((tmp_path / "plan.json").read_bytes(), type=PlanAnswer)
    assert read == answer
    assert (tmp_path / "pareto.png").read_bytes().startswith(b"\x89PNG")
    assert load_deployment(tmp_path / "deployment.yaml").workers.decode == 1


def test_an_earlier_answer_leaves_nothing_behind(tmp_path: Path) -> None:
    write_answer(tmp_path, made_answer(made_row()))
    assert write_answer(tmp_path, made_answer()) == ["plan.json"]
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]


def test_what_cannot_be_served_is_said_instead(tmp_path: Path) -> None:
    said = write_answer(tmp_path, made_answer(made_row(), accelerator="b200"))
    assert said[-1].startswith("no deployment.yaml")


def test_the_table_has_the_plan_and_what_it_means() -> None:
    text = printed(made_answer(made_row(), made_row("aggregated")))
    assert "1P tp1 + 1D tp1" in text and "3.8–4.3" in text
    assert "Take 1P tp1 + 1D tp1 (disaggregated, one node), chunks of 512" in text
    assert "Bound by the decode step" in text
    assert "a [b]machine[/b] with $names$" in text


def test_an_infeasible_answer_is_its_sentence() -> None:
    text = printed(made_answer())
    assert "No plan keeps it." in text and "Take" not in text


def test_an_estimate_is_called_one() -> None:
    row = msgspec.structs.replace(made_row(), slow=2.0, fast=7.0)
    estimate = msgspec.structs.replace(made_answer(row), origin="estimate", uncertainty=1.8)
    text = printed(estimate)
    assert "estimate from datasheets" in text and "1.8 times" in text
    assert "between 2 and 7 req/s" in text


def test_the_picture_has_a_line_a_kind() -> None:
    drawn = draw_pareto(made_answer(made_row(), made_row("aggregated")))
    assert drawn is not None
    for words in ("1P tp1 + 1D tp1 (disaggregated)", "1M tp1 (aggregated)", "Pareto front"):
        assert words in drawn.svg
    assert draw_pareto(made_answer()) is None
