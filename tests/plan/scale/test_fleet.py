"""The compiled fleet against the stepwise one, against queueing theory, and its promises."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from tests.plan.scale.profiles import WORKER, apart, together
from tests.plan.scale.stepwise import Request, play_apart, play_together

from goodput.core.errors import UsageError
from goodput.core.slo import SLO
from goodput.plan import queueing
from goodput.plan.profile.schema import Line, Link, WorkerProfile
from goodput.plan.scale.day import FleetDay, simulate_fleet
from goodput.plan.scale.fleet import FleetSpec, Group
from goodput.plan.scale.traffic import Arrivals


def poisson(rate: float, count: int, seed: int, *, prompt: int = 0, output: int = 0) -> Arrivals:
    """Random lengths where none are given."""
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.exponential(1 / rate, count))
    prompts = np.full(count, prompt) if prompt else rng.integers(1, 1200, count)
    outputs = np.full(count, output) if output else rng.integers(1, 120, count)
    return Arrivals(times, prompts, outputs)


def run(spec: FleetSpec, arrivals: Arrivals, slo: SLO) -> FleetDay:
    return simulate_fleet(spec, [arrivals], slo, seconds=float(arrivals.times_s[-1]))


def agree(spec: FleetSpec, arrivals: Arrivals, requests: Sequence[Request]) -> None:
    """Same mean TTFT, and the same requests met under many SLOs."""
    tpots = sorted((one.last - one.first) / (one.output - 1) for one in requests if one.output > 1)
    ttfts = sorted(one.first - one.arrived for one in requests)
    for share in (0.1, 0.37, 0.61, 0.83):
        # Between two requests, so that rounding decides nothing.
        place = int(share * len(tpots))
        slo = SLO(
            ttft=sum(ttfts[int(share * len(ttfts)) :][:2]) / 2,
            tpot=sum(tpots[place : place + 2]) / 2,
        )
        day = run(spec, arrivals, slo)
        assert day.met == sum(one.met(slo) for one in requests)
        assert day.mean_ttft_s == pytest.approx(sum(ttfts) / len(ttfts), rel=1e-9)


@pytest.mark.parametrize("rate", [0.5, 4.0, 9.0, 20.0])
def test_apart_equals_the_stepwise_model(rate: float) -> None:
    arrivals = poisson(rate, 400, seed=int(rate))
    agree(apart(), arrivals, play_apart(arrivals, WORKER))


@pytest.mark.parametrize("rate", [0.5, 3.0, 8.0])
@pytest.mark.parametrize("saturation", [1, 64, 400])
def test_together_equals_the_stepwise_model(rate: float, saturation: int) -> None:
    arrivals = poisson(rate, 300, seed=7)
    requests = play_together(arrivals, WORKER, 512, saturation)
    agree(together(saturation=saturation), arrivals, requests)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.7), (3, 0.8), (8, 0.85)])
def test_prefill_workers_are_an_mdc_queue(servers: int, load: float) -> None:
    """Equal prompts, one a step, each to the worker that would begin it first."""
    fixed = WorkerProfile(
        prefill=Line(base_s=0.1), decode=Line(base_s=0.01), mixed=Line(base_s=0.1), kv_tokens=10**9
    )
    rate = servers * load / 0.1
    arrivals = poisson(rate, 400_000, seed=3, prompt=10, output=1)
    day = run(apart(prefill=servers, worker=fixed), arrivals, SLO())
    wait = queueing.mdc_wait_s(rate, 0.1, servers)
    assert day.mean_ttft_s - 0.1 == pytest.approx(wait, rel=0.02)


def test_a_prefill_pipeline_is_distserves_formula() -> None:
    piped = WorkerProfile(
        pipeline=2,
        prefill=Line(base_s=0.2),
        decode=Line(base_s=0.01),
        mixed=Line(base_s=0.2),
        kv_tokens=10**9,
    )
    arrivals = poisson(7.0, 200_000, seed=5, prompt=10, output=1)
    day = run(apart(worker=piped), arrivals, SLO())
    assert day.mean_ttft_s == pytest.approx(queueing.inter_op_ttft_s(7.0, 0.2, 2), rel=0.02)


def test_every_request_ends_once_however_the_memory_is() -> None:
    """Too little KV for the batch: sequences wait, prompts wait behind them, all end."""
    tight = WorkerProfile(
        prefill=WORKER.prefill, decode=WORKER.decode, mixed=WORKER.mixed, kv_tokens=2500
    )
    arrivals = poisson(6.0, 500, seed=11)
    day = run(apart(worker=tight), arrivals, SLO(ttft=1.0))
    roomy = run(apart(), arrivals, SLO(ttft=1.0))
    for each in (day, roomy):
        assert each.scheduled == 500
        assert each.buckets["ended"].sum() == 500
        assert each.buckets["output_tokens"].sum() == arrivals.outputs.sum()
    assert day.overall(0.9)[0] > roomy.overall(0.9)[0]


def test_what_can_never_fit_is_refused_and_counts_as_missed() -> None:
    small = WorkerProfile(
        prefill=WORKER.prefill, decode=WORKER.decode, mixed=WORKER.mixed, kv_tokens=700
    )
    arrivals = poisson(2.0, 200, seed=2)
    fits = int(np.sum(arrivals.prompts + arrivals.outputs <= 700))
    day = run(apart(worker=small), arrivals, SLO())
    assert day.buckets["refused"].sum() == 200 - fits
    assert day.attainment == pytest.approx(fits / 200)


def test_pieces_of_traffic_give_what_the_whole_gives() -> None:
    arrivals = poisson(12.0, 600, seed=4)
    cuts = [slice(0, 1), slice(1, 17), slice(17, 17), slice(17, 400), slice(400, 600)]
    pieces = [Arrivals(*(column[cut] for column in arrivals)) for cut in cuts]
    slo, seconds = SLO(ttft=0.3, tpot=0.03), float(arrivals.times_s[-1])
    whole = simulate_fleet(together(2), [arrivals], slo, seconds=seconds)
    again = simulate_fleet(together(2), pieces, slo, seconds=seconds)
    assert np.array_equal(whole.buckets, again.buckets)
    assert np.array_equal(whole.ttft, again.ttft) and np.array_equal(whole.tpot, again.tpot)


def test_attainment_falls_with_the_rate_and_rises_with_the_slo() -> None:
    slo = SLO(ttft=0.25, tpot=0.03)
    rates = [2.0, 6.0, 10.0, 14.0]
    days = [run(apart(), poisson(rate, 2000, seed=9), slo) for rate in rates]
    by_rate = [day.attainment for day in days]
    assert by_rate == sorted(by_rate, reverse=True) and by_rate[0] > 0.95 > 0.5 > by_rate[-1]
    arrivals = poisson(8.0, 2000, seed=9)
    by_scale = [run(apart(), arrivals, slo.scaled(scale)).attainment for scale in (0.5, 1, 2, 4)]
    assert by_scale == sorted(by_scale) and by_scale[0] < by_scale[-1]


def test_answers_with_slack_let_prompts_through() -> None:
    """A mixed worker that knows the TPOT bound keeps it, and spends what is left on prompts."""
    arrivals = poisson(3.0, 600, seed=6)
    slo = SLO(tpot=0.06)
    paced = run(together(saturation=512, paced=True), arrivals, slo)
    greedy = run(together(saturation=512), arrivals, slo)
    assert paced.attainment >= greedy.attainment and paced.attainment > 0.95


def test_decodes_stand_still_where_prompts_are_computed_alone() -> None:
    group = Group("mixed", 1, WORKER, saturation_tokens=4096, prompts_alone=True)
    link = Link(base_s=0, bytes_per_s=1e9)
    alone = FleetSpec(groups=(group,), link=link, kv_bytes_per_token=1, paced=False)
    one = Arrivals(np.array([0.0, 0.05]), np.array([100, 900]), np.array([4, 2]))
    day = simulate_fleet(alone, [one], SLO(), seconds=1.0)
    first, second = (0.010 + rows * 1e-4 + 2e-9 * rows**2 / 2 for rows in (100, 900))
    decodes = [0.0155 + 4e-7 * 100, 0.0155 + 4e-7 * 101]  # The other prompt comes during these.
    begins = first + sum(decodes)
    assert day.mean_ttft_s == pytest.approx((first + begins + second - 0.05) / 2)
    last = begins + second + 0.016 + 4e-7 * (102 + 900)
    assert day.tpot_at(1.0)[0] == pytest.approx((last - first) / 3, rel=0.006)


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ((), "no workers"),
        ((Group("prefill", 1, WORKER),), "together"),
        ((Group("mixed", 1, WORKER), Group("mixed", 2, WORKER)), "twice"),
        ((Group("mixed", 1, WORKER, token_budget=256),), "token_budget"),
    ],
)
def test_wrong_fleets_are_named(groups: tuple[Group, ...], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        FleetSpec(groups=groups, link=Link(base_s=0, bytes_per_s=1), kv_bytes_per_token=1)


def test_traffic_without_requests_is_named() -> None:
    with pytest.raises(UsageError, match="no requests"):
        simulate_fleet(apart(), [], SLO(), seconds=10.0)
