"""What a run's folder holds, and that all but the data files can be made again."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from rich.console import Console
from tests.bench.report.made import HOSTILE, made_run

from goodput.bench.report.files import remake_report, write_report
from goodput.bench.report.pictures import PICTURES
from goodput.bench.report.table import print_tables
from goodput.bench.summary import BenchSummary, read_summary
from goodput.core.errors import UsageError
from goodput.core.record import read_records

DATA = {"records.jsonl", "summary.json"}
PNG = b"\x89PNG\r\n\x1a\n"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def page_of(folder: Path) -> str:
    return (folder / "report.html").read_text()


def test_the_rest_is_made_again_from_the_data_files_alone(tmp_path: Path) -> None:
    (tmp_path / "misses.png").write_bytes(PNG)
    (tmp_path / "mine.png").write_bytes(PNG)
    summary, records = made_run((2,), seconds=5)
    write_report(tmp_path, summary, records)
    pictures = {"scales.png", "distributions.png", "throughput.png", "timeline.png"}
    assert names(tmp_path) == {*DATA, *pictures, "report.html", "mine.png"}, (
        "one rate is no axis; an earlier run's misses go; other people's files stay"
    )
    before = {name: (tmp_path / name).read_bytes() for name in names(tmp_path)}
    assert all(before[name].startswith(PNG) for name in pictures)
    for name in pictures | {"report.html"}:
        (tmp_path / name).unlink()
    assert msgspec.to_builtins(remake_report(tmp_path)) == msgspec.to_builtins(summary)
    after = {name: (tmp_path / name).read_bytes() for name in names(tmp_path)}
    assert after == before, "nothing but the data decides what a report looks like"


def test_every_record_is_found_through_its_step() -> None:
    summary, records = made_run((1, 3), endpoints={"a": 1.0, "b": 2.0}, seconds=6)
    assert sum(step.record_count for step in summary.steps) == summary.records == len(records)
    for step in summary.steps:
        own = step.of(records)
        assert len(step.figures.window.measured(own)) == step.figures.scheduled
        assert all(step.figures.window.end > record.scheduled for record in own)


def test_a_comparison_has_all_pictures(written: Path) -> None:
    assert names(written) >= {f"{name}.png" for name in PICTURES} | {*DATA, "report.html"}
    summary = read_summary(written / "summary.json")
    assert summary.compare is not None and summary.compare.names == ["a", HOSTILE]
    assert len(read_records(written / "records.jsonl")) == summary.records
    [drawn] = re.findall(r'<h2 id="compare">.*?</figure>', page_of(written), re.DOTALL)
    assert ">b $x$ &lt;script&gt;" in drawn, "a name in a picture starts no formula"


def test_an_invalid_run_says_so_in_the_first_line_of_everything(written: Path) -> None:
    assert "INVALID" in (written / "summary.json").read_text().splitlines()[0]
    page = page_of(written)
    assert "<title>INVALID: " in page
    body = page[page.index("<body>") :].splitlines()
    assert "INVALID: at 2 req/s of a the client sent late" in body[1]
    printed = io.StringIO()
    summary = read_summary(written / "summary.json")
    print_tables(summary, Console(file=printed, width=120))
    assert printed.getvalue().startswith("INVALID: at 2 req/s of a the client sent late\n")
    assert HOSTILE in printed.getvalue(), "names are no markup"
    summary.steps[0].figures.invalid.clear()
    summary.judge()
    assert summary.to_json().splitlines()[0] == b'{ "verdict": "valid",'


def test_a_closed_loop_claims_no_goodput() -> None:
    summary, _ = made_run((2,), seconds=3)
    summary.steps[0].concurrency = 8
    printed = io.StringIO()
    print_tables(summary, Console(file=printed, width=120))
    assert "met/s" in printed.getvalue() and "closed loop" in printed.getvalue()
    table = printed.getvalue().split("closed loop")[0]
    assert "goodput" not in table


def test_a_run_that_measured_nothing_has_a_page_all_the_same(tmp_path: Path) -> None:
    summary, _ = made_run((), seconds=1)
    write_report(tmp_path, summary, [])
    assert "INVALID" in (tmp_path / "report.html").read_text()
    assert not any(name.endswith(".png") for name in names(tmp_path))


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (lambda folder: (folder / "summary.json").unlink(), "cannot read .*summary.json: No such"),
        (lambda folder: (folder / "summary.json").write_text("{}"), "is not a summary of goodput"),
        (
            lambda folder: (folder / "summary.json").write_text('{"schema": "goodput.bench/1"}'),
            r"is not a summary of goodput bench: Invalid enum value 'goodput.bench/1'",
        ),
        (lambda folder: (folder / "records.jsonl").write_text(""), "has 0 records, but"),
        (lambda folder: (folder / "records.jsonl").write_text("{\n"), "line 1 of .*records.jsonl"),
    ],
)
def test_files_that_do_not_fit_are_one_sentence(
    written: Path, tmp_path: Path, break_it: Callable[[Path], object], sentence: str
) -> None:
    for name in DATA:
        shutil.copy(written / name, tmp_path)
    break_it(tmp_path)
    with pytest.raises(UsageError, match=sentence):
        remake_report(tmp_path)
    assert names(tmp_path) <= DATA


def test_the_summary_type_is_what_readers_decode() -> None:
    summary, _ = made_run((2,), seconds=3)
    again = msgspec.json.decode(summary.to_json(), type=BenchSummary)
    assert again.to_json() == summary.to_json()
