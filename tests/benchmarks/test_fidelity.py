"""The figures of `benchmarks/fidelity.py`, on cases small enough to do by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from benchmarks.fidelity_measures import compare_answers, compare_window, joined
from benchmarks.fidelity_texts import questions


def logs(*rows: tuple[float, ...]) -> np.ndarray:
    return np.log(np.array(rows, np.float32)) + 3  # a constant that a softmax takes away


REFERENCE = logs((0.5, 0.25, 0.25), (0.25, 0.5, 0.25), (0.9, 0.05, 0.05))
TOKENS = [2, 0, 1]


def test_a_model_beside_itself():
    same = compare_window(REFERENCE, REFERENCE, TOKENS).summary()
    assert same["perplexity"] == pytest.approx(math.sqrt(1 / (0.5 * 0.5)))
    assert same["predicted_tokens"] == 2, "nothing follows the last row"
    assert (same["top1"], same["perplexity_change"]) == (1.0, 0.0)
    assert same["kl"] == pytest.approx(0, abs=1e-12)


def test_another_model():
    other = logs((0.25, 0.5, 0.25), (0.25, 0.5, 0.25), (0.1, 0.1, 0.8))
    found = compare_window(REFERENCE, other, TOKENS)
    assert found.summary()["top1"] == 0.5
    assert found.kl == pytest.approx([0.5 * math.log(2) - 0.25 * math.log(2), 0], abs=1e-6)
    assert found.summary()["perplexity_change"] == pytest.approx(math.sqrt(2) - 1, abs=1e-6)
    twice = joined([found, found]).summary()
    assert twice["perplexity"] == pytest.approx(found.summary()["perplexity"])
    assert twice["predicted_tokens"] == 4


def test_answers_count_when_they_are_whole():
    found = compare_answers([[1, 2, 3], [4, 5]], [[1, 2, 3], [4, 6, 7]])
    assert (found["same_answers"], found["common_prefix"], found["mean_length"]) == (0.5, 2.0, 2.5)
    assert compare_answers([[1, 2]], [[1, 2, 3]])["same_answers"] == 0.0


def test_questions_differ():
    assert len(set(questions(200))) == 200
    with pytest.raises(SystemExit, match="204"):
        questions(205)
