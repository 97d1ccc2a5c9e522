"""``goodput demo`` as its users meet it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def demo(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "goodput.cli", "demo", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def test_an_unknown_model_is_one_sentence() -> None:
    done = demo("--model", "smollm2:135")
    assert done.returncode == 1
    assert "did you mean smollm2:135m?" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_it_answers_measures_and_stops_everything(tmp_path: Path) -> None:
    done = demo("--rates", "1", "--duration", "8s", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "The capital of France is Paris." in done.stdout
    assert "attainment" in done.stdout
    assert (tmp_path / "timeline.png").stat().st_size > 10_000
    summary = json.loads((tmp_path / "summary.json").read_bytes())
    records = (tmp_path / "records.jsonl").read_text().splitlines()
    assert summary["schema"].startswith("goodput.bench/")
    assert len(records) >= 1
