"""How the slack of running answers becomes prompt rows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodput.core.request import GenerationRequest, SamplingParams
from goodput.core.slo import SLO
from goodput.core.speeds import StepCost
from goodput.core.timeline import Timeline
from goodput.engine.pacing import Pace
from goodput.engine.sequence import Sequence

USUAL = 64


def answering(generated: int, first: float, tpot: float | None = 0.1) -> Sequence:
    """A sequence whose first token came at ``first`` and that has ``generated`` tokens now."""
    slo = None if tpot is None else SLO(tpot=tpot)
    request = GenerationRequest(
        id="x",
        prompt=[1],
        generated=[2] * generated,
        sampling=SamplingParams(),
        received=0.0,
        slo=slo,
    )
    sequence = Sequence(request, Timeline(received=0.0), 0)
    sequence.timeline.first_token = first
    return sequence


def pace(decode_s: float | None = 0.010, row_s: float | None = 0.001) -> Pace:
    """Decodes take 10 ms, a prompt row 1 ms; None: nothing was measured yet."""
    pace = Pace()
    if row_s is not None:
        pace.speeds.observe(StepCost(100 * row_s, 100, 0))
    if decode_s is not None:
        pace.speeds.observe(StepCost(decode_s, 0, 1))
    return pace


def test_a_fresh_answer_leaves_less_than_one_bound() -> None:
    # Due at 0.085; the decodes of the step take 10 ms, so 75 ms are left for rows of 1 ms.
    assert pace().prompt_rows([answering(1, first=0.0)], 0.0, USUAL) == pytest.approx(75, abs=1)


def test_an_answer_far_ahead_gives_its_slack_to_a_step_of_the_longest() -> None:
    # 20 tokens in the first 200 ms: the next one is due at 1.7 s. But no step takes over 80 ms.
    fast = pace(row_s=0.0005)
    assert fast.prompt_rows([answering(20, first=0.0)], 0.2, USUAL) == fast.rows_alone(USUAL) == 160


def test_a_step_of_prompts_alone_ends_soon_so_that_a_cancelled_one_is_heard() -> None:
    assert pace(row_s=0.0001).rows_alone(USUAL) == pytest.approx(800, abs=1)
    assert pace(row_s=0.01).rows_alone(USUAL) == USUAL // 2  # Shorter ones cost too much.


def test_the_answer_with_the_least_slack_decides() -> None:
    both = [answering(20, first=0.0), answering(1, first=0.2)]
    assert pace().prompt_rows(both, 0.2, USUAL) == pytest.approx(75, abs=1)


def test_an_answer_that_is_due_decodes_alone() -> None:
    assert pace().prompt_rows([answering(1, first=0.0)], 0.08, USUAL) == 0
    assert pace().prompt_rows([answering(1, first=0.0)], 5.0, USUAL) == 0


@pytest.mark.parametrize(
    ("measured", "sequence"),
    [
        (pace(None, None), answering(5, 0.0)),
        (pace(0.01, None), answering(5, 0.0)),
        (pace(None, 0.001), answering(5, 0.0)),
        (pace(), answering(5, 0.0, tpot=None)),
        (pace(0.08, 0.001), answering(5, 0.0)),
    ],
    ids=["nothing", "no prompt", "no decode", "no bound", "decodes take the bound"],
)
def test_without_a_promise_or_a_measurement_the_usual_rows(
    measured: Pace, sequence: Sequence
) -> None:
    assert measured.prompt_rows([sequence], 0.0, USUAL) == USUAL


def test_one_answer_without_a_bound_keeps_steps_short() -> None:
    both = [answering(20, first=0.0), answering(20, first=0.0, tpot=None)]
    assert pace().prompt_rows(both, 0.2, USUAL) == USUAL


@given(
    generated=st.integers(1, 200),
    late=st.floats(0, 20),
    decode_s=st.floats(1e-4, 0.069),
    row_s=st.floats(1e-5, 0.1),
)
def test_a_step_ends_before_the_next_token_is_due(
    generated: int, late: float, decode_s: float, row_s: float
) -> None:
    sequence = answering(generated, first=0.0)
    rows = pace(decode_s, row_s).prompt_rows([sequence], late, USUAL)
    assert rows >= 0
    if rows:
        assert late + decode_s + rows * row_s <= 0.1 * generated
