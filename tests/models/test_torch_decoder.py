"""What the torch backend does on a GPU, on the CPU: everything but the recording of graphs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.models.four_sequences import LENGTHS, TABLES, forced, greedy, prefill
from tests.models.small_models import TOKENS, random_model, save
from tests.models.stepping import build, logits_of, own, step

from goodput.models.ops.base import ForwardBatch
from goodput.models.ops.torch.decode_graphs import NARROWEST, padded_sizes


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GOODPUT_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module", params=["llama", "gemma3"])
def folder(request, tmp_path_factory):
    """Grouped heads; Gemma 3 with sliding windows and norms of every kind."""
    return save(random_model(request.param), tmp_path_factory.mktemp(request.param))


def test_sequences_of_one_step_do_not_see_each_other(folder):
    """Decoding rows, and two chunks of equal length at different depths, in one step."""
    model = build(folder, "torch")
    alone = [logits_of(model, TOKENS[:n], [n], t) for n, t in zip(LENGTHS, TABLES, strict=True)]
    parts = list(zip([1, 1, 30, 30], [0, 32, 60, 118], TABLES, strict=True))
    together = step(model, [(TOKENS[at : at + n], at, table) for n, at, table in parts])
    expected = [rows[at : at + n] for (n, at, _), rows in zip(parts, alone, strict=True)]
    np.testing.assert_allclose(together, np.concatenate(expected), atol=2e-4)


def test_padded_decoding_equals_plain_decoding(folder):
    """Across the ends of blocks, and with what one step writes read by the next."""
    padded, plain = own(folder), build(folder, "torch")
    np.testing.assert_allclose(forced(padded, 20), forced(plain, 20), atol=2e-4)
    assert np.array_equal(greedy(padded, 40), greedy(plain, 40))


@pytest.mark.parametrize("sequences", [1, 2, 3])
def test_fewer_sequences_take_a_smaller_shape_or_a_padded_one(folder, sequences):
    plain, padded = build(folder, "torch"), own(folder)
    for model in (plain, padded):
        prefill(model)
    parts = list(zip([[7]] * 4, LENGTHS, TABLES, strict=True))[:sequences]
    np.testing.assert_allclose(step(padded, parts), step(plain, parts), atol=2e-4)


def test_rows_that_are_not_sampled_give_no_logits(folder):
    """A prompt's chunk of one token, beside a decoding row: a decode step but for its samples."""
    model = own(folder)
    prefill(model)
    expected = step(model, [([7], 33, TABLES[1])])
    batch = ForwardBatch(
        tokens=np.array([TOKENS[90], 7], np.int32),
        positions=np.array([90, 33], np.int32),
        row_starts=np.arange(3, dtype=np.int32),
        block_tables=np.array([TABLES[2], TABLES[1]], np.int32),
        sample_rows=np.array([1], np.int32),
    )
    np.testing.assert_allclose(model.forward(batch), expected, atol=2e-4)


def test_rows_without_a_sequence_leave_every_block_alone(folder):
    model = own(folder)
    prefill(model)
    before = model.pool.clone()
    step(model, list(zip([[5]] * 3, LENGTHS[1:], TABLES[1:], strict=True)))
    spare = len(before) - 1
    changed = {
        (block, offset)
        for block, _, _, _, offset, _ in (model.pool != before).nonzero().tolist()
        if block != spare
    }
    places = zip(LENGTHS[1:], TABLES[1:], strict=True)
    assert changed == {(table[n // 16], n % 16) for n, table in places}


def test_bfloat16_is_close_to_float32(folder):
    """A few hundredths of the logits' spread; a lost cast or a wrong sum loses much more."""
    expected = forced(build(folder, "torch"), 3)
    got = forced(own(folder, dtype=torch.bfloat16), 3)
    assert got.dtype == np.float32
    assert 0 < np.sqrt(np.mean((got - expected) ** 2)) / expected.std() < 0.05


@given(st.integers(1, 300), st.integers(1, 10_000), st.data())
def test_shapes_are_few_and_fit_every_step(most, blocks, data):
    sizes, widths = padded_sizes(1, most), padded_sizes(NARROWEST, blocks)
    assert len(sizes) <= 10 and len(widths) <= 11
    assert (sizes[-1], widths[-1]) == (most, blocks)
    wanted = data.draw(st.integers(1, most))
    assert wanted <= next(size for size in sizes if size >= wanted) < 2 * wanted + 1
