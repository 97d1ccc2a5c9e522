"""The torch backend on a GPU: graphs, bfloat16, its own memory. Skipped where there is none."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.models.four_sequences import LENGTHS, TABLES, decode, forced, greedy, prefill
from tests.models.small_models import random_model, save
from tests.models.stepping import build, own, step

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOODPUT_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module", params=["llama", "qwen2", "gemma3"])
def folder(request, tmp_path_factory):
    return save(random_model(request.param), tmp_path_factory.mktemp(request.param))


@pytest.fixture
def model(folder):
    return own(folder, "cuda", torch.bfloat16)


def spread(got, expected):
    """Root mean square error as a share of the logits' standard deviation."""
    return np.sqrt(np.mean((got - expected) ** 2)) / expected.std()


def test_logits_are_close_to_the_float32_reference(folder, model):
    assert spread(forced(model, 3), forced(build(folder, "torch"), 3)) < 0.05


def test_replayed_graphs_choose_what_the_same_shapes_run_plainly_choose(folder, model):
    plain = own(folder, "cuda", torch.bfloat16)
    for shape in plain._steps.values():
        assert shape._graph is not None
        shape._graph = None
    assert np.array_equal(greedy(model, 12), greedy(plain, 12))


def test_replays_of_different_shapes_do_not_disturb_each_other(model):
    """They share scratch and logits: what a step returned is what it returns again later."""
    prefill(model)
    small = [([7], LENGTHS[1], TABLES[1])]
    first = step(model, small)
    decode(model, [7] * 4)
    assert np.array_equal(step(model, small), first)


def test_a_sequence_in_a_batch_is_close_to_itself_alone(model):
    """Close, not equal: products choose their order of sums by the shape (docs/exactness.md)."""
    prefill(model)
    together = decode(model, [7] * 4)[1]
    assert spread(step(model, [([7], LENGTHS[1], TABLES[1])])[0], together) < 0.05
