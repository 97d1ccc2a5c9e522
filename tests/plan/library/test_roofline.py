"""Estimates agree with what is known: sizes of models, and published times within their bounds."""

import pytest

from goodput.core.errors import UsageError
from goodput.plan.library import (
    estimated_profile,
    find_accelerator,
    find_model,
    named_profile,
)
from goodput.plan.library.accelerators import accelerators
from goodput.plan.profile.schema import StepLoad, WorkerProfile

PROMPTS = [StepLoad(prefill_tokens=n, prefill_pairs=n**2 / 2) for n in (256, 512, 1024, 2048)]
ANSWERS = [StepLoad(decode_rows=n, context_tokens=512 * n) for n in (1, 16, 64)]


def by_ways(workers: tuple[WorkerProfile, ...]) -> dict[tuple[int, int], WorkerProfile]:
    return {(worker.tensor, worker.pipeline): worker for worker in workers}


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("llama-3-8b", 8.03),
        ("llama-3-70b", 70.6),
        ("qwen2.5-7b", 7.62),
        ("qwen2.5-72b", 72.7),
        ("opt-13b", 13.0),
        ("opt-66b", 66.0),
        ("opt-175b", 175.0),
    ],
)
def test_models_have_as_many_parameters_as_their_makers_say(name: str, billions: float) -> None:
    assert find_model(name).parameters / 1e9 == pytest.approx(billions, rel=0.015)


@pytest.mark.parametrize(
    ("name", "size"), [("llama-3-8b", 131_072), ("llama-3-70b", 327_680), ("opt-13b", 819_200)]
)
def test_a_token_of_kv_is_two_vectors_a_layer(name: str, size: int) -> None:
    assert find_model(name).kv_bytes_per_token == size


@pytest.mark.parametrize("model", ["opt-13b", "opt-66b"])
def test_estimates_for_a100_hold_the_published_times_within_their_bounds(model: str) -> None:
    estimate = estimated_profile(model, "a100")
    published = by_ways(named_profile(f"{model}-a100-distserve").workers)
    compared = 0
    for ways, worker in by_ways(estimate.workers).items():
        if ways[1] > 1 or ways not in published:
            continue
        for load in (*PROMPTS, *ANSWERS):
            ratio = worker.step_s(load) / published[ways].step_s(load)
            assert 1 / estimate.uncertainty <= ratio <= estimate.uncertainty, (ways, load, ratio)
            compared += 1
    assert compared >= 3 * len(PROMPTS)


@pytest.mark.parametrize("accelerator", sorted(accelerators()))
def test_more_accelerators_are_faster_and_hold_more(accelerator: str) -> None:
    profile = estimated_profile("llama-3-8b", accelerator)
    assert profile.origin == "estimate" and profile.uncertainty > 1.3
    alone = [worker for worker in profile.workers if worker.pipeline == 1]
    assert [worker.tensor for worker in alone] == [1, 2, 4, 8]
    for load in (PROMPTS[-1], ANSWERS[-1]):
        times = [worker.step_s(load) for worker in alone]
        assert times == sorted(times, reverse=True)
    held = [worker.kv_tokens for worker in alone]
    assert held == sorted(held)


def test_every_number_of_a_datasheet_has_its_source() -> None:
    for one in accelerators().values():
        described = {"name", "title", "uncertainty", "sources"}
        assert set(one.sources) == set(one.__struct_fields__) - described


def test_a_large_model_needs_several_small_accelerators() -> None:
    assert min(w.accelerators for w in estimated_profile("llama-3-70b", "h100").workers) == 4
    assert min(w.accelerators for w in estimated_profile("llama-3-70b", "b200").workers) == 1


def test_a_node_has_the_name_of_its_accelerator() -> None:
    assert find_accelerator("dgx-b200") == find_accelerator("B200")


def test_unknown_names_list_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"--accelerator knows no 'tpu'.*b200.*dgx-b200"):
        estimated_profile("llama-3-8b", "tpu")
    with pytest.raises(UsageError, match=r"--model knows no 'gpt'.*llama-3-70b"):
        estimated_profile("gpt", "b200")
