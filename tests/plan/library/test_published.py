"""The DistServe authors' figures come out of the profiles as they went in."""

import msgspec
import pytest

from goodput.core.errors import UsageError
from goodput.plan.library import named_profile, profile_names
from goodput.plan.profile.schema import Profile, StepLoad, WorkerProfile


def worker_of(name: str, tensor: int, pipeline: int = 1) -> WorkerProfile:
    return next(
        worker
        for worker in named_profile(name).workers
        if (worker.tensor, worker.pipeline) == (tensor, pipeline)
    )


def prompt(tokens: int) -> StepLoad:
    return StepLoad(prefill_tokens=tokens, prefill_pairs=tokens**2 / 2)


def test_prefill_is_the_published_polynomial() -> None:
    seconds = worker_of("opt-13b-a100-distserve", 1).step_s(prompt(512))
    published_ms = 18.10254647 + 0.10191226 * 512 + 7.12226e-6 * 512**2 + 1
    assert seconds * 1e3 == pytest.approx(published_ms, rel=1e-6)


def test_two_stages_take_two_milliseconds_each_beside_their_half() -> None:
    one, two = (worker_of("opt-13b-a100-distserve", 1, stages) for stages in (1, 2))
    stage_ms = two.step_s(prompt(100)) * 1e3 / 2
    assert stage_ms == pytest.approx((one.step_s(prompt(100)) * 1e3 - 1) / 2 + 2)


@pytest.mark.parametrize(("rows", "published_ms"), [(94, 19.9347 + 94 * 0.038507), (95, 22.2057)])
def test_large_batches_have_their_own_line(rows: int, published_ms: float) -> None:
    seconds = worker_of("opt-13b-a100-distserve", 1).step_s(StepLoad(decode_rows=rows))
    assert seconds * 1e3 == pytest.approx(published_ms, rel=1e-4)


def test_memory_is_the_published_table() -> None:
    assert worker_of("opt-13b-a100-distserve", 1, 2).kv_tokens == 163_008
    assert worker_of("opt-66b-a100-vllm", 3).kv_tokens == 45_056


def test_a_falling_quadratic_part_is_replaced_by_the_closest_line() -> None:
    worker = worker_of("opt-66b-a100-vllm", 2)
    assert worker.prefill.prefill_pair_s == 0
    for tokens in (64, 256, 1024, 2048):
        published_ms = 58.3822 + 0.38264080 * tokens - 7.11415e-6 * tokens**2
        assert worker.prefill.seconds(prompt(tokens)) * 1e3 - 1 == pytest.approx(
            published_ms, rel=0.03
        )


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_is_whole(name: str) -> None:
    profile = named_profile(name)
    assert profile.name == name
    assert profile.origin == "published" and "Apache-2.0" in profile.source
    for worker in profile.workers:
        for line in (worker.prefill, worker.decode, worker.mixed, worker.large_decode):
            assert line is not None
            assert min(msgspec.structs.astuple(line)) >= 0
        mixed = StepLoad(prefill_tokens=100, prefill_pairs=5000, decode_rows=8, context_tokens=800)
        parts = (prompt(100), StepLoad(decode_rows=8, context_tokens=800))
        assert max(map(worker.step_s, parts)) < worker.step_s(mixed)
        assert worker.step_s(mixed) < sum(map(worker.step_s, parts))
    assert msgspec.json.decode(msgspec.json.encode(profile), type=Profile) == profile


def test_an_unknown_profile_names_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"no profile 'opt-1b'.*opt-13b-a100-distserve"):
        named_profile("opt-1b")
