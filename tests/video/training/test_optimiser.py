"""An optimiser goes on bit for bit after a break; files that are not ours are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from goodput.core.errors import UsageError
from goodput.video.models.files import read_tensors, write_tensors
from goodput.video.training.optimiser import Optimiser, generator_of
from goodput.video.training.recipe import Optimising

SETTINGS = Optimising(steps=20, batch=4, learning_rate=0.05, warmup=3, ema=0.9)


def network(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))


def loss_of(model: nn.Module) -> object:
    def loss(step: int, generator: torch.Generator) -> Tensor:
        x = torch.randn(4, 3, generator=generator)
        error: Tensor = (model(x) - x.sum(1, keepdim=True)).pow(2).mean()
        return error

    return loss


def trained(optimiser: Optimiser, steps: int) -> list[float]:
    loss = loss_of(optimiser.network)
    return [optimiser.step(loss) for _ in range(steps)]  # type: ignore[arg-type]


def test_a_run_with_a_break_is_the_run_without() -> None:
    whole = Optimiser(network(), SETTINGS, seed=1)
    losses = trained(whole, 20)
    assert losses[-1] < losses[0] / 2

    first = Optimiser(network(), SETTINGS, seed=1)
    assert trained(first, 9) == losses[:9]
    kept = {name: tensor.clone() for name, tensor in first.state().items()}
    # Another beginning, which the state replaces in full.
    again = Optimiser(network(seed=5), SETTINGS, seed=1)
    again.restore(kept, 9)
    assert again.step_number == 9
    assert trained(again, 11) == losses[9:]
    assert all(torch.equal(again.state()[name], x) for name, x in whole.state().items())


def test_the_mean_follows_the_weights() -> None:
    optimiser = Optimiser(network(), SETTINGS, seed=1)
    trained(optimiser, 20)
    copy = network(seed=7)
    optimiser.mean_in(copy)
    weight, mean = optimiser.state()["weight.0.weight"], copy[0].weight
    assert not torch.equal(weight, mean) and (weight - mean).abs().max() < 0.2
    before = mean.clone()
    trained(optimiser, 1)
    assert not torch.equal(copy[0].weight, before), "the copy follows"
    optimiser.use_mean()
    assert torch.equal(optimiser.state()["weight.0.weight"], copy[0].weight)


def test_the_state_of_another_network_is_refused() -> None:
    optimiser = Optimiser(network(), SETTINGS, seed=1)
    trained(optimiser, 2)
    with pytest.raises(UsageError, match=r"of another network: exp_avg\.0\.bias is missing"):
        Optimiser(nn.Linear(3, 8), SETTINGS, seed=1).restore(optimiser.state(), 2)
    with pytest.raises(UsageError, match=r"of another network: 0\.weight is \[8, 3\]"):
        wider = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
        Optimiser(wider, SETTINGS, seed=1).restore(optimiser.state(), 2)


def test_a_loss_that_is_no_number_stops_the_run() -> None:
    optimiser = Optimiser(network(), SETTINGS, seed=1)
    with pytest.raises(UsageError, match="loss of step 0 is nan"):
        optimiser.step(lambda step, generator: torch.tensor(float("nan"), requires_grad=True))


def test_the_rate_warms_up_and_cools_down() -> None:
    optimiser = Optimiser(network(), SETTINGS, seed=1)
    rates = []
    for _ in range(20):
        trained(optimiser, 1)
        rates.append(optimiser._adam.param_groups[0]["lr"])
    assert rates[:3] == pytest.approx([0.05 / 3, 0.1 / 3, 0.05])
    assert rates[3:] == sorted(rates[3:], reverse=True) and rates[-1] < 0.01


def test_draws_are_a_function_of_their_numbers() -> None:
    first = [torch.rand(1, generator=generator_of(0, number)).item() for number in range(50)]
    assert len(set(first)) == 50
    assert first[7] == torch.rand(1, generator=generator_of(0, 7)).item()
    assert first[7] != torch.rand(1, generator=generator_of(1, 7)).item()


def test_files_of_something_else_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"x": torch.ones(1)}, tmp_path / "other")
    with pytest.raises(UsageError, match=r"not a file of goodput.film/1, but of None"):
        read_tensors(tmp_path / "other")
    write_tensors(tmp_path / "ours", {"x": torch.ones(2)}, {"step": 3})
    tensors, facts = read_tensors(tmp_path / "ours")
    assert facts["step"] == 3 and tensors["x"].tolist() == [1, 1]
