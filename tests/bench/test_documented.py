"""docs/workloads.md says what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from goodput.bench.arrivals import FORMS
from goodput.bench.workloads import WORKLOADS
from goodput.bench.workloads.prompts import PromptWorkload

PAGE = (Path(__file__).parents[2] / "docs" / "workloads.md").read_text()


@pytest.mark.parametrize("name", sorted(WORKLOADS))
def test_the_table_of_workloads_is_right(name: str) -> None:
    [row] = [line for line in PAGE.splitlines() if line.startswith(f"| `{name}`")]
    workload = WORKLOADS[name]
    if workload.slo.ttft is not None:
        assert f"TTFT {workload.slo.ttft:g}, TPOT {workload.slo.tpot:g}" in row
        times = workload.relative.times
        assert f"{times['ttft']:g}×, {times['tpot']:g}×" in row
    if isinstance(workload, PromptWorkload):
        for median, _, low, high in (workload.prompt, workload.answer):
            assert f"| {median}, {low}–{high} |" in row


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_arrivals_is_explained(form: str) -> None:
    assert f"| `{form}` |" in PAGE
