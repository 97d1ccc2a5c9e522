"""A profile of this machine with the real model, for a moment: whole, and near what steps take."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from goodput.models.catalog import resolve
from goodput.plan.library.read import find_profile
from goodput.plan.profile.files import write_profile
from goodput.plan.profile.machine import profile_machine


@pytest.mark.slow
def test_a_profile_is_measured_written_and_read(tmp_path: Path) -> None:
    path = resolve("smollm2:135m", pull=True)
    seen: list[float] = []
    profile = profile_machine("here", "smollm2:135m", path, [1], seconds=5.0, progress=seen.append)
    assert seen[-1] > 0.9
    (worker,) = profile.workers
    assert worker.prefill.prefill_token_s > 0
    assert worker.decode.base_s > 0
    assert profile.near.base_s > 0
    assert {error.region for error in profile.errors} == {"prefill", "decode", "mixed"}
    write_profile(tmp_path / "p.json", profile)
    assert find_profile(str(tmp_path / "p.json")) == profile
    assert msgspec.json.decode((tmp_path / "p.json").read_bytes())["schema"] == profile.schema
