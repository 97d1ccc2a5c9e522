"""Sparse attention against a slow one that is written down cube by cube."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from goodput.video.models.sparse import (
    _fine,
    fine_by_blocks,
    kept_cubes,
    sparse_attention,
    tables_of,
)

Grid = tuple[int, int, int]


def members(grid: Grid, cubes: Grid) -> list[list[int]]:
    """The tokens of each cube."""
    found: dict[Grid, list[int]] = {}
    for number, place in enumerate(itertools.product(*map(range, grid))):
        cube = tuple(at // side for at, side in zip(place, cubes, strict=True))
        found.setdefault(cube, []).append(number)  # type: ignore[arg-type]
    return [found[cube] for cube in sorted(found)]


def slowly(
    q: Tensor, k: Tensor, v: Tensor, grid: Grid, cubes: Grid, sparsity: float, gate: Tensor
) -> Tensor:
    groups, out = members(grid, cubes), torch.zeros_like(q)
    for head in range(q.shape[1]):
        qh, kh, vh = q[0, head], k[0, head], v[0, head]
        means = [[x[group].mean(0) for group in groups] for x in (qh, kh, vh)]
        for number, group in enumerate(groups):
            scores = torch.stack([means[0][number] @ mean for mean in means[1]])
            scores = scores / math.sqrt(q.shape[-1])
            coarse = scores.softmax(0) @ torch.stack(means[2])
            best = scores.topk(kept_cubes(len(groups), sparsity)).indices.tolist()
            seen = [token for cube in best for token in groups[cube]]
            weights = (qh[group] @ kh[seen].T / math.sqrt(q.shape[-1])).softmax(-1)
            out[0, head, group] = gate[0, head, group] * coarse + weights @ vh[seen]
    return out


@settings(max_examples=40, deadline=None)
@given(
    grid=st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 6)),
    cubes=st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4)),
    sparsity=st.sampled_from([0.0, 0.3, 0.75, 0.99]),
    seed=st.integers(0, 999),
)
def test_it_is_what_it_says(grid: Grid, cubes: Grid, sparsity: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    shape = (1, 2, math.prod(grid), 8)
    q, k, v, gate = (torch.randn(shape, generator=generator) for _ in range(4))
    found = sparse_attention(q, k, v, grid, cubes, sparsity, gate)
    assert torch.allclose(found, slowly(q, k, v, grid, cubes, sparsity, gate), atol=1e-4)


@given(
    grid=st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 6)),
    cubes=st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4)),
)
def test_every_token_lies_in_one_cube(grid: Grid, cubes: Grid) -> None:
    tables = tables_of(grid, cubes)
    assert sorted(tables.places[tables.valid].tolist()) == list(range(math.prod(grid)))
    assert tables.valid.any(1).all(), "no cube is all padding"
    assert torch.equal(tables.places.flatten()[tables.back], torch.arange(math.prod(grid)))


def test_without_sparsity_it_is_dense_attention_to_the_last_bit() -> None:
    q, k, v = (torch.randn(2, 4, 5 * 6 * 7, 16) for _ in range(3))
    dense = scaled_dot_product_attention(q, k, v)
    assert torch.equal(sparse_attention(q, k, v, (5, 6, 7), (2, 3, 4), 0.0), dense)
    closed = torch.zeros(1, 4, 1, 16)
    assert torch.equal(sparse_attention(q, k, v, (5, 6, 7), (2, 3, 4), 0.0, closed), dense)


def test_scores_learn_through_the_coarse_result_only() -> None:
    q, k, v = (torch.randn(1, 1, 64, 8, requires_grad=True) for _ in range(3))
    grid, cubes = (4, 4, 4), (2, 2, 2)
    # One token a cube is chosen for: v of the cubes left out gets no gradient from the fine part.
    sparse_attention(q, k, v, grid, cubes, 0.99).sum().backward()  # type: ignore[no-untyped-call]
    assert v.grad is not None and (v.grad.abs().sum(-1) == 0).any()
    v.grad = None
    open_gate = torch.ones(1, 1, 1, 1)
    made = sparse_attention(q, k, v, grid, cubes, 0.99, open_gate)
    made.sum().backward()  # type: ignore[no-untyped-call]
    assert v.grad is not None and (v.grad.abs().sum(-1) > 0).all()


def test_how_many_cubes_are_kept() -> None:
    assert [kept_cubes(10, s) for s in (0.0, 0.05, 0.5, 0.91, 0.999)] == [10, 10, 5, 1, 1]
    with pytest.raises(ValueError, match="sparsity lies in"):
        sparse_attention(*(torch.zeros(1, 1, 1, 2),) * 3, (1, 1, 1), (1, 1, 1), 1.0)


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
def test_blocks_of_a_mask_see_what_gathered_ones_do() -> None:
    """The way of a GPU, run slowly on the CPU; on a GPU it has not run."""
    grid, cubes = (3, 4, 5), (2, 2, 2)
    tables = tables_of(grid, cubes)
    q, k, v = (torch.randn(2, 2, 60, 16)[:, :, tables.places] for _ in range(3))
    chosen = torch.rand(2, 2, len(tables.places), len(tables.places)).topk(3).indices
    gathered = _fine(q, k, v, chosen, tables)
    assert torch.allclose(fine_by_blocks(q, k, v, chosen, tables), gathered, atol=1e-5)
