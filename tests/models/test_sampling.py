"""Choosing tokens: every rule against hand-made numbers or a slow reference."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodput.core.request import SamplingParams
from goodput.models.logits import adjusted
from goodput.models.sampling import draw, sample, uniform

Row = npt.NDArray[np.float32]


def row(*values: float) -> Row:
    return np.array(values, dtype=np.float32)


def pick(logits: Row, tokens: list[int] | None = None, prompt: int = 0, **fields: object) -> int:
    params = SamplingParams(**{"temperature": 0.0, **fields})  # type: ignore[arg-type]
    return sample(logits, tokens or [], prompt, params, (3,))[0]


def drawn(logits: Row, count: int = 3000, **fields: object) -> Counter[int]:
    """How often each token comes up at ``count`` indices of one seed."""
    params = SamplingParams(**fields)  # type: ignore[arg-type]
    tokens: list[int] = []
    seen: Counter[int] = Counter()
    for _ in range(count):
        seen[sample(logits, tokens, 0, params)[0]] += 1
        tokens.append(0)
    return seen


def test_greedy_takes_the_lowest_id_of_equals() -> None:
    assert pick(row(0, 5, 5, 1)) == 1


def test_a_tiny_temperature_is_greedy() -> None:
    assert pick(row(0, 5, 5, 1), temperature=1e-30) == 1


def test_logit_bias_moves_the_choice_and_ignores_foreign_ids() -> None:
    assert pick(row(0, 1, 2), logit_bias={0: 3.0, 99: 50.0, -1: 50.0}) == 0


def test_end_tokens_are_masked_until_min_tokens() -> None:
    logits = row(0, 1, 4, 5)
    assert pick(logits, [7, 0, 1], 1, min_tokens=3, stop_token_ids=(2,)) == 1
    assert pick(logits, [7, 0, 1, 1], 1, min_tokens=3, stop_token_ids=(2,)) == 3


def test_ignored_eos_is_not_masked() -> None:
    assert pick(row(0, 1, 4, 5), [7], 1, min_tokens=3, ignore_eos=True) == 3


def test_penalties_by_hand() -> None:
    # Prompt 0, 4; answer 1, 1, 2. Token 4 is negative, so repetition multiplies it.
    logits = row(2.0, 3.0, 1.0, 0.5, -1.0)
    params = SamplingParams(
        repetition_penalty=2.0, frequency_penalty=0.25, presence_penalty=0.5, temperature=0.0
    )
    scores = adjusted(logits, [0, 4, 1, 1, 2], 2, params, ())
    np.testing.assert_allclose(scores, [1.0, 1.5 - 0.5 - 0.5, 0.5 - 0.25 - 0.5, 0.5, -2.0])
    np.testing.assert_array_equal(logits, row(2.0, 3.0, 1.0, 0.5, -1.0))


def test_no_adjustment_copies_nothing() -> None:
    logits = row(1, 2)
    assert adjusted(logits, [0], 1, SamplingParams(), (0,)) is logits


def test_logprobs_are_of_the_raw_logits() -> None:
    logits = row(1.0, 2.0, 2.0, 0.0)
    params = SamplingParams(temperature=0.0, logit_bias={3: 9.0}, logprobs=3)
    token, logprobs = sample(logits, [], 0, params)
    total = math.log(sum(math.exp(x) for x in (1.0, 2.0, 2.0, 0.0)))
    assert token == 3
    assert logprobs is not None
    assert logprobs.logprob == pytest.approx(-total, abs=1e-6)
    assert [i for i, _ in logprobs.top] == [1, 2, 0]
    assert [x for _, x in logprobs.top] == pytest.approx([2 - total, 2 - total, 1 - total])


def test_no_alternatives_and_more_than_there_are() -> None:
    none = sample(row(1, 2), [], 0, SamplingParams(temperature=0, logprobs=0))[1]
    many = sample(row(1, 2), [], 0, SamplingParams(temperature=0, logprobs=9))[1]
    assert none is not None and none.top == []
    assert many is not None and [i for i, _ in many.top] == [1, 0]


def test_the_random_numbers_never_change() -> None:
    # Pinned: a request that resumes on a worker of another version goes on with the same text.
    expected = [0.6524484863740322, 0.7012121095215252, 0.3871241409757855]
    assert [uniform(0, index) for index in range(3)] == expected
    assert uniform(-1, 0) == uniform(2**64 - 1, 0) != uniform(1, 0)


@given(st.integers(), st.integers(0, 2**40))
def test_uniform_lies_in_the_half_open_unit_interval(seed: int, index: int) -> None:
    assert 0.0 <= uniform(seed, index) < 1.0


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_frequencies_follow_the_softmax(temperature: float) -> None:
    logits = row(0.0, 1.0, -np.inf, 2.0)
    seen = drawn(logits, 6000, temperature=temperature, seed=5)
    weights = np.exp(logits.astype(float) / temperature)
    expected = weights / weights.sum()
    assert seen[2] == 0
    for token, share in enumerate(expected):
        assert seen[token] / 6000 == pytest.approx(share, abs=4 * math.sqrt(0.25 / 6000))


def reference_candidates(logits: Row, top_k: int, top_p: float, min_p: float) -> set[int]:
    """min-p, top-k, top-p one after the other, each over a full sort."""
    weights = [math.exp(float(x) - float(logits.max())) for x in logits]
    ranked = sorted(range(len(weights)), key=lambda i: (-weights[i], i))
    ranked = [i for i in ranked if weights[i] >= min_p]
    ranked = ranked[: top_k or None]
    total, kept, reached = sum(weights[i] for i in ranked), set[int](), 0.0
    for i in ranked:
        kept.add(i)
        reached += weights[i]
        if reached >= top_p * total:
            break
    return kept


@given(
    st.lists(st.integers(-3, 3), min_size=1, max_size=9),
    st.integers(0, 10),
    st.sampled_from([0.03, 0.31, 0.57, 0.83, 0.97, 1.0]),
    st.sampled_from([0.0, 0.04, 0.2, 0.9]),
)
def test_filters_leave_what_the_reference_leaves(
    values: list[int], top_k: int, top_p: float, min_p: float
) -> None:
    logits = row(*(x / 2 for x in values))
    params = SamplingParams(top_k=top_k, top_p=top_p, min_p=min_p)
    seen = {draw(logits, params, (n + 0.5) / 400) for n in range(400)}
    assert seen == reference_candidates(logits, top_k, top_p, min_p)


def test_equal_logits_keep_exactly_k_tokens() -> None:
    assert set(drawn(row(1, 1, 1, 1), 200, top_k=2)) == {0, 1}


def test_top_p_zero_leaves_the_best_token() -> None:
    assert set(drawn(row(1, 3, 2), 100, top_p=0.0)) == {1}


@pytest.mark.parametrize("vocab", [1, 255, 256, 257, 49_152])
def test_a_large_vocabulary_is_drawn_as_by_one_cumulative_sum(vocab: int) -> None:
    logits = np.random.default_rng(vocab).normal(0, 3, vocab).astype(np.float32)
    weights = np.exp((logits - logits.max()).astype(np.float64))
    cumulative = np.concatenate(([0.0], weights.cumsum())) / weights.sum()
    params = SamplingParams(seed=9)
    for index in range(200):
        token = sample(logits, [0] * index, 0, params)[0]
        at = uniform(9, index)
        assert cumulative[token] - 1e-6 <= at <= cumulative[token + 1] + 1e-6


def test_index_counts_generated_tokens_only() -> None:
    logits, params = np.arange(50, dtype=np.float32) / 20, SamplingParams(seed=3)
    answers = {sample(logits, [1] * n + [2, 2], n, params)[0] for n in (0, 1, 30)}
    assert len(answers) == 1
