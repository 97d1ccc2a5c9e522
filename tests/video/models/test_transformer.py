"""The transformer: what a film becomes depends on its own noise, level and sentence only."""

from __future__ import annotations

import pytest
import torch
from msgspec.structs import replace
from torch import nn

from goodput.core.errors import UsageError
from goodput.video.models.family import FAMILY, TransformerConfig, transformer_config
from goodput.video.models.rotary import rotations, turn
from goodput.video.models.text import MOST_WORDS, TextEncoder, tokens_of, unknown_words
from goodput.video.models.transformer import FilmTransformer, Past, remembered

TINY = TransformerConfig(
    width=32, depth=2, heads=2, patch=(1, 2, 2), text_width=32, text_depth=1, latent_channels=4
)


@pytest.fixture
def network() -> FilmTransformer:
    """One whose zero-initialised parts do something, as a trained one's do."""
    torch.manual_seed(0)
    made = FilmTransformer(TINY)
    for weight in made.parameters():
        if not weight.any():
            nn.init.normal_(weight, std=0.3)
    return made.eval().requires_grad_(False)


def ask(network: FilmTransformer, noisy: torch.Tensor, sigma: list[float], *text: str) -> object:
    return network(noisy, torch.tensor(sigma), *network.text(tokens_of(text)))


def test_patches_come_back_where_they_were() -> None:
    for patch in ((1, 2, 2), (2, 4, 2), (1, 4, 4)):
        config = TransformerConfig(width=32, depth=1, heads=2, patch=patch, latent_channels=3)
        network = FilmTransformer(config)
        latents = torch.randn(2, 3, 4, 8, 12)
        tokens, grid = network._tokens(latents)
        assert grid == (4 // patch[0], 8 // patch[1], 12 // patch[2])
        assert tokens.shape == (2, grid[0] * grid[1] * grid[2], config.patch_values)
        first = latents[0, :, : patch[0], : patch[1], : patch[2]]
        assert torch.equal(tokens[0, 0], first.flatten())
        assert torch.equal(network._latents(tokens, grid), latents)


def test_a_film_does_not_see_its_company(network: FilmTransformer) -> None:
    noisy = torch.randn(2, 4, 3, 4, 4)
    # The other sentence is longer: this one's padding must not show.
    both = ask(network, noisy, [0.9, 0.3], "a red ball bounces", "two blue squares cross over grey")
    alone = ask(network, noisy[:1], [0.9], "a red ball bounces")
    assert torch.allclose(both[:1], alone, atol=1e-5)


def test_sentence_noise_level_and_place_matter(network: FilmTransformer) -> None:
    noisy = torch.randn(1, 4, 3, 4, 4)
    base = ask(network, noisy, [0.5], "a red ball bounces")
    assert not torch.allclose(base, ask(network, noisy, [0.5], "a blue ball bounces"), atol=1e-3)
    assert not torch.allclose(base, ask(network, noisy, [0.6], "a red ball bounces"), atol=1e-3)
    rolled = ask(network, noisy.roll(2, dims=3), [0.5], "a red ball bounces")
    assert not torch.allclose(base.roll(2, dims=3), rolled, atol=1e-3)


@pytest.mark.parametrize("patch", [(1, 2, 2), (2, 2, 2)])
def test_chunk_by_chunk_is_all_chunks_at_once(patch: tuple[int, int, int]) -> None:
    """What a chunk becomes with the clean past in a cache is what the mask says it does."""
    torch.manual_seed(1)
    network = FilmTransformer(replace(TINY, patch=patch))
    for weight in network.parameters():
        if not weight.any():
            nn.init.normal_(weight, std=0.3)
    words = network.text(tokens_of(["a red ball bounces"]))
    film = torch.randn(1, 4, 6, 4, 4)
    levels = torch.tensor([[0.0, 0.0, 0.0, 0.0, 0.7, 0.7]])
    with torch.no_grad():
        whole = network(film, levels, *words, chunk=2)
        past: Past = []
        for first in (0, 2):
            chunk = film[:, :, first : first + 2]
            clean, own = network.forward_chunk(chunk, torch.zeros(1), words, past, first)
            assert torch.allclose(clean, whole[:, :, first : first + 2], atol=1e-4)
            past = remembered(past, own)
        last, _ = network.forward_chunk(film[:, :, 4:], torch.tensor([0.7]), words, past, 4)
    assert torch.allclose(last, whole[:, :, 4:], atol=1e-4)


def test_one_level_for_all_frames_is_one_level(network: FilmTransformer) -> None:
    noisy = torch.randn(2, 4, 3, 4, 4)
    words = network.text(tokens_of(["a ball", "a ring"]))
    one = network(noisy, torch.tensor([0.5, 0.2]), *words)
    each = network(noisy, torch.tensor([[0.5] * 3, [0.2] * 3]), *words)
    assert torch.allclose(one, each, atol=1e-5)


def test_no_chunk_sees_a_later_one(network: FilmTransformer) -> None:
    noisy = torch.randn(1, 4, 4, 4, 4)
    changed = noisy.clone()
    changed[:, :, 2:] = 0
    words, sigma = network.text(tokens_of(["a ball"])), torch.tensor([0.5])
    before, after = (network(x, sigma, *words, chunk=2) for x in (noisy, changed))
    assert torch.allclose(before[:, :, :2], after[:, :, :2], atol=1e-5)
    assert not torch.allclose(before[:, :, 2:], after[:, :, 2:], atol=1e-2)


def test_sparse_attention_without_sparsity_is_the_dense_network(network: FilmTransformer) -> None:
    noisy, words = torch.randn(1, 4, 4, 8, 8), network.text(tokens_of(["a ball"]))
    sigma = torch.tensor([0.5])
    dense = network(noisy, sigma, *words)
    sparse = FilmTransformer(replace(TINY, cubes=(2, 2, 2)))
    sparse.load_state_dict(network.state_dict(), strict=False)
    sparse.requires_grad_(False)
    assert torch.equal(sparse(noisy, sigma, *words), dense)
    half = FilmTransformer(replace(TINY, cubes=(2, 2, 2), sparsity=0.5))
    half.load_state_dict(sparse.state_dict())
    half.requires_grad_(False)
    assert not torch.allclose(half(noisy, sigma, *words), dense, atol=1e-4)
    # A gate that is open adds the coarse look.
    nn.init.ones_(sparse.blocks[0].attention.gate.bias)  # type: ignore[union-attr]
    assert not torch.allclose(sparse(noisy, sigma, *words), dense, atol=1e-4)


def test_rotation_tells_only_distances() -> None:
    """The product of a turned query and key is a function of how far apart they are."""
    grid = (3, 4, 5)
    table = rotations(grid, 16)
    q, k = torch.randn(1, 1, 1, 16), torch.randn(1, 1, 1, 16)
    turned_q, turned_k = (turn(x.expand(1, 1, 60, 16), table)[0, 0] for x in (q, k))
    products = (turned_q @ turned_k.T).view(*grid, *grid)
    assert torch.allclose(products[0, 0, 0, 1, 2, 3], products[1, 1, 1, 2, 3, 4], atol=1e-5)
    assert not torch.allclose(products[0, 0, 0, 1, 2, 3], products[0, 0, 0, 1, 2, 2], atol=1e-3)
    later = rotations((2, 4, 5), 16, first_frame=1)
    assert torch.equal(later, table[:, 20:])


def test_words() -> None:
    tokens = tokens_of(["a red Ball, bounces!", "", "a dragon"])
    assert tokens.shape == (3, 5)
    assert (tokens[1, 1:] == 0).all() and (tokens[:, 0] == 1).all()
    assert tokens[2, 2] == 2
    assert tokens_of(["red " * 99]).shape == (1, 1 + MOST_WORDS)
    assert unknown_words("a fine dragon bounces") == ["fine", "dragon"]
    vectors, seen = TextEncoder(32, 1)(tokens)
    assert vectors.shape == (3, 5, 32) and seen.sum(1).tolist() == [5, 1, 3]


def test_family() -> None:
    assert transformer_config("small") is FAMILY["small"]
    with pytest.raises(UsageError, match="model must be one of nano, small"):
        transformer_config("tiny")
    for config in FAMILY.values():
        assert config.width % config.heads == 0 and config.width // config.heads % 2 == 0
