"""A comparison with everything that can go wrong in a page, written once."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.bench.report.made import HOSTILE, made_run

from goodput.bench.report.files import write_report
from goodput.bench.results import CompareResult, Ratio


@pytest.fixture(scope="package")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an invalid comparison with a hostile name and all pictures; only to read."""
    folder = tmp_path_factory.mktemp("written")
    summary, records = made_run((2, 6), endpoints={"a": 1.0, HOSTILE: 1.5}, seconds=6)
    summary.compare = CompareResult(
        names=["a", HOSTILE],
        baseline="a",
        blocks=2,
        confidence=0.95,
        ratios=[
            Ratio(name=HOSTILE, figure=figure, better="lower", value=1.5, low=1.2, high=high)
            for figure, high in (("ttft_p50", 2.0), ("tpot_p50", None))
        ],
        words=f"{HOSTILE} is slower.",
    )
    summary.steps[0].figures.invalid.append("the client sent late")
    summary.judge()
    write_report(folder, summary, records)
    return folder
