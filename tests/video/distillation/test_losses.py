"""What students are drawn to, in a world where the right answer is known."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from goodput.video import flow
from goodput.video.distillation.consistency import ConsistencyLoss
from goodput.video.distillation.forcing import ForcingLoss
from goodput.video.distillation.matching import Matching
from goodput.video.distillation.rollouts import AtOnce, ByChunk
from goodput.video.distillation.teaching import Guided, predicted
from goodput.video.models.family import TransformerConfig
from goodput.video.models.text import tokens_of
from goodput.video.models.transformer import FilmTransformer
from goodput.video.training.latents import Latents
from goodput.video.training.optimiser import generator_of
from goodput.video.training.recipe import ConsistencyStage, ForcingStage, MatchingStage

SHAPE = (1, 2, 2, 2)


class Constant(nn.Module):
    """Takes everything for the same film, whose values are its only weight."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.film = nn.Parameter(torch.full(SHAPE, value))
        self.asked: list[Tensor] = []

    def text(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        return tokens.float(), tokens > 0

    def forward(self, noisy: Tensor, sigma: Tensor, text: Tensor, seen: Tensor) -> Tensor:
        self.asked.append(noisy.detach())
        return self.film.expand(len(noisy), *SHAPE)


class Worded(Constant):
    """Without a sentence it takes everything for emptiness."""

    def forward(self, noisy: Tensor, sigma: Tensor, text: Tensor, seen: Tensor) -> Tensor:
        asked = (seen.sum(1) > 1).view(-1, 1, 1, 1, 1)
        return super().forward(noisy, sigma, text, seen) * asked


class Masked(nn.Module):
    """Guesses 1 everywhere and remembers the noise levels."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value))
        self.levels = torch.empty(0)

    def text(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        return tokens.float(), tokens > 0

    def forward(self, noisy: Tensor, sigma: Tensor, *words: Tensor, chunk: int) -> Tensor:
        self.levels = sigma
        return self.value.expand(noisy.shape)


def matching(student: Any, critic: Any, teacher: Any, steps: int = 2) -> Matching:
    stage = MatchingStage(student_steps=steps, steps=1, batch=3, learning_rate=0.1)
    rollout = AtOnce(student, flow.schedule(steps, 3.0), SHAPE)
    return Matching(rollout, critic, Guided(teacher, 1.0), stage, ["a ball"], 3.0)


def test_guidance_goes_beyond_what_was_asked() -> None:
    teacher: Any = Guided(Worded(2.0), 3.0)  # type: ignore[arg-type]
    clean = teacher.clean(torch.zeros(2, *SHAPE), torch.ones(2), ["a ball", "a ring"])
    assert torch.equal(clean, torch.full((2, *SHAPE), 6.0))


def test_a_rollout_stops_at_every_step_now_and_then() -> None:
    student: Any = Constant(2.0)
    rollout = AtOnce(student, flow.schedule(4, 3.0), SHAPE)
    taken = set()
    for number in range(40):
        student.asked.clear()
        made = rollout(["a ball", "a ring"], generator_of(0, number))
        assert made.shape == (2, *SHAPE) and made.requires_grad
        taken.add(len(student.asked))
        # The first step sees pure noise, a later one mostly the film, which is 2 everywhere.
        means = [noisy.mean().item() for noisy in student.asked]
        assert abs(means[0]) < 1.2 and means == sorted(means[:1]) + means[1:]
    assert taken == {1, 2, 3, 4}


def test_chunks_see_the_students_own_clean_chunks() -> None:
    """The same film, made by the sampler that users meet, is what the rollout trains on."""
    torch.manual_seed(0)
    config = TransformerConfig(
        width=32, depth=1, heads=2, patch=(1, 2, 2), text_width=32, text_depth=1, latent_channels=4
    )
    network = FilmTransformer(config)
    for weight in network.parameters():
        if not weight.any():
            nn.init.normal_(weight, std=0.3)
    levels = flow.schedule(1, 3.0)
    rolled = ByChunk(network, levels, (4, 6, 4, 4), 2)(["a ball"], generator_of(0))
    assert rolled.shape == (1, 4, 6, 4, 4)
    with torch.no_grad():
        words = network.text(tokens_of(["a ball"]))
        # A clean film through the mask: the last chunk's level is that of noise.
        sigma = torch.tensor([[0.0, 0.0, 0.0, 0.0, 1.0, 1.0]])
        noise = generator_of(0)
        torch.randint(1, (1,), generator=noise)
        drawn = [torch.randn(1, 4, 2, 4, 4, generator=noise) for _ in range(3)]
        seen = torch.cat([rolled[:, :, :4], drawn[2]], dim=2)
        expected = network(seen, sigma, *words, chunk=2)[:, :, 4:]
    assert torch.allclose(rolled[:, :, 4:], expected, atol=1e-4)
    rolled[:, :, 4:].sum().backward()  # type: ignore[no-untyped-call]
    assert network.embed.weight.grad is not None


def test_forcing_scores_only_what_is_noisy() -> None:
    network: Any = Masked(1.0)
    stage = ForcingStage(chunk=1, steps=1, batch=64, learning_rate=0.1)
    latents = Latents(torch.zeros(2, 1, 4, 2, 2), ["a ball", "a ring"])
    loss = ForcingLoss(network, stage, latents, 3.0)(0, generator_of(0)).item()
    assert loss > 0
    levels = network.levels
    assert levels.shape == (64, 4) and (levels == 0).any()
    # A clean chunk has only clean ones before it.
    clean = levels == 0
    assert (clean[:, 1:] <= clean[:, :-1]).all()
    expected = ((1 / levels.clamp(min=0.05)) ** 2)[~clean].sum() / levels.numel()
    assert loss == pytest.approx(expected.item(), rel=1e-4)


def test_a_student_moves_towards_the_teacher_and_away_from_the_critic() -> None:
    student, critic, teacher = Constant(0.0), Constant(-1.0), Constant(1.0)
    losses = matching(student, critic, teacher)
    losses.student_loss(0, generator_of(0)).backward()  # type: ignore[no-untyped-call]
    # Descent goes against the gradient: upwards, to where real films are.
    assert student.film.grad is not None and (student.film.grad < 0).all()
    # |critic - teacher| is 2, the teacher is 1 away from the film.
    assert losses.gap == pytest.approx(2.0)
    assert critic.film.grad is None and teacher.film.grad is None


def test_a_student_that_nobody_tells_apart_stays() -> None:
    student = Constant(0.5)
    matching(student, Constant(1.0), Constant(1.0)).student_loss(0, generator_of(0)).backward()  # type: ignore[no-untyped-call]
    assert student.film.grad is not None and not student.film.grad.any()


def test_a_critic_learns_the_student() -> None:
    student, critic = Constant(0.5), Constant(-1.0)
    losses = matching(student, critic, Constant(1.0))
    optimiser = torch.optim.SGD(critic.parameters(), lr=0.5)
    for step in range(60):
        optimiser.zero_grad()
        losses.critic_loss(step, generator_of(0, step)).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(critic.parameters(), 1.0)
        optimiser.step()
    assert torch.allclose(critic.film, student.film, atol=0.1)
    assert student.film.grad is None


def test_consistency_by_hand() -> None:
    """The mean says 3 everywhere; only without noise left is the teacher's own film the target."""
    student, mean, teacher = Constant(0.0), Constant(3.0), Constant(2.0)
    stage = ConsistencyStage(levels=1, steps=1, batch=4, learning_rate=0.1)
    latents = Latents(torch.zeros(2, *SHAPE), ["a ball", "a ring"])
    networks: tuple[Any, Any] = (student, mean)
    guided = Guided(teacher, 1.0)  # type: ignore[arg-type]
    last = ConsistencyLoss(*networks, guided, stage, latents, 3.0)
    # From noise to nothing in one step: the teacher's film, 2.
    assert last(0, generator_of(0)).item() == pytest.approx(4.0)
    stage = ConsistencyStage(levels=1000, steps=1, batch=4, learning_rate=0.1)
    loss = ConsistencyLoss(*networks, guided, stage, latents, 3.0)(0, generator_of(0))
    assert loss.item() == pytest.approx(9.0)
    loss.backward()  # type: ignore[no-untyped-call]
    assert mean.film.grad is None and teacher.film.grad is None


def test_without_guidance_a_network_is_asked_once() -> None:
    network: Any = Constant(1.0)
    predicted(network, torch.zeros(2, *SHAPE), torch.ones(2), ["a", "b"])
    assert len(network.asked) == 1
