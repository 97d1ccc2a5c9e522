"""Lines through made-up steps: the coefficients that made them come back."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodput.core.errors import UsageError
from goodput.plan.profile.fit import Point, fit_line, judged_line, split_batch
from goodput.plan.profile.grid import shapes
from goodput.plan.profile.schema import Line, StepLoad

TRUE = Line(base_s=0.008, prefill_token_s=9e-4, prefill_pair_s=2e-7)


def prompts(line: Line, noise: float = 0.0) -> list[Point]:
    dice = random.Random(1)
    loads = [
        StepLoad(prefill_tokens=tokens, prefill_pairs=tokens * (cached + tokens / 2))
        for tokens in (16, 64, 128, 256, 512)
        for cached in (0, 512, 1024)
    ]
    return [Point(load, line.seconds(load) * dice.lognormvariate(0, noise)) for load in loads]


def decodes(line: Line, large: Line | None = None, batch: int = 8) -> list[Point]:
    loads = [
        StepLoad(decode_rows=rows, context_tokens=rows * context)
        for rows in (1, 2, 4, 8, 16, 32)
        for context in (64, 256, 1024)
    ]
    return [
        Point(load, (large if large and load.decode_rows >= batch else line).seconds(load))
        for load in loads
    ]


def test_what_made_the_points_is_found() -> None:
    line = fit_line(prompts(TRUE))
    assert line.base_s == pytest.approx(TRUE.base_s)
    assert line.prefill_token_s == pytest.approx(TRUE.prefill_token_s)
    assert line.prefill_pair_s == pytest.approx(TRUE.prefill_pair_s)
    assert (line.decode_row_s, line.context_token_s) == (0.0, 0.0)


def test_noise_shows_in_the_held_out_error_and_no_more() -> None:
    line, error = judged_line("prefill", prompts(TRUE, noise=0.05))
    assert line.prefill_token_s == pytest.approx(TRUE.prefill_token_s, rel=0.1)
    assert 0.005 < error.median < 0.12
    assert error.points == 3
    _, none = judged_line("prefill", prompts(TRUE))
    assert none.worst < 1e-6


@settings(max_examples=50, deadline=None)
@given(
    base=st.floats(1e-4, 1),
    token=st.floats(0, 1e-2),
    pair=st.floats(0, 1e-5),
    noise=st.floats(0, 0.3),
)
def test_no_coefficient_is_negative(base: float, token: float, pair: float, noise: float) -> None:
    line = fit_line(prompts(Line(base_s=base, prefill_token_s=token, prefill_pair_s=pair), noise))
    assert min(line.base_s, line.prefill_token_s, line.prefill_pair_s) >= 0


def test_a_batch_from_which_the_slope_changes_is_found() -> None:
    few, many = Line(base_s=0.008, decode_row_s=1e-4), Line(base_s=0.001, decode_row_s=3e-3)
    assert split_batch(decodes(few, many, 8)) == 8
    assert split_batch(decodes(few, many, 16)) == 16


def test_one_line_is_not_split() -> None:
    assert split_batch(decodes(Line(base_s=0.008, decode_row_s=1e-3))) is None


def test_too_few_points_are_refused() -> None:
    with pytest.raises(UsageError, match="2 measured steps are too few"):
        fit_line(prompts(TRUE)[:2])


def test_the_grid_keeps_to_the_engine() -> None:
    found = shapes(token_budget=128, context_length=512, kv_tokens=2048, block=16)
    assert {shape.region for shape in found} == {"prefill", "decode", "mixed"}
    for shape in found:
        assert shape.prompt + shape.batch <= 128
        assert shape.prompt + shape.cached < 512
        assert shape.tokens(16) <= 2048
