"""The demand has the workload's arrivals and lengths, at any rate."""

from pathlib import Path

import numpy as np
import pytest

from goodput.bench.arrivals import parse_arrivals
from goodput.bench.workloads import find_workload
from goodput.core.errors import UsageError
from goodput.plan.search.demand import Demand
from goodput.plan.search.sampling import workload_sample


def test_lengths_are_those_of_the_workload() -> None:
    demand = workload_sample(find_workload("chat"), parse_arrivals("poisson"), requests=1500)(0)
    assert demand.memoryless
    assert demand.requests == pytest.approx(1500, rel=0.1)
    # Medians of docs/workloads.md, and a dozen tokens of the template.
    assert np.median(demand.prompts) == pytest.approx(132, rel=0.1)
    assert np.median(demand.outputs) == pytest.approx(45, rel=0.1)
    assert np.diff(demand.times_s).mean() == pytest.approx(1.0, rel=0.1)


def test_lengths_are_drawn_as_the_workload_draws_them() -> None:
    workload = find_workload("summarize")
    demand = workload_sample(workload, parse_arrivals("poisson"), requests=30, seed=5)(2)
    plan = workload.plan(1.0, 0.0, 30.0, 7, parse_arrivals("poisson"))
    assert demand.outputs.tolist() == [timed.request.max_tokens for timed in plan]
    written = [len(timed.request.messages[0].content.split()) for timed in plan]
    assert demand.prompts.tolist() == pytest.approx(written, rel=0.2)


def test_a_seed_is_a_sample_and_a_rate_compresses_it() -> None:
    sample = workload_sample(find_workload("code"), parse_arrivals("poisson"), requests=50)
    first, again, other = sample(0), sample(0), sample(1)
    assert np.array_equal(first.prompts, again.prompts)
    assert not np.array_equal(first.times_s, other.times_s[: first.requests])
    offered = first.at(4.0).times_s
    assert first.requests / offered[-1] == pytest.approx(4.0)
    assert np.allclose(offered / offered[-1], first.times_s / first.times_s[-1])


def test_means_can_be_given() -> None:
    demand = workload_sample(
        find_workload("chat"),
        parse_arrivals("constant"),
        requests=400,
        prompt_tokens=1000,
        output_tokens=200,
    )(0)
    assert not demand.memoryless
    assert demand.prompts.mean() == pytest.approx(1000, rel=0.01)
    assert demand.outputs.mean() == pytest.approx(200, rel=0.01)


def test_a_trace_has_its_own_times_and_lengths(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    rows = ["TIMESTAMP,ContextTokens,GeneratedTokens"]
    rows += [f"2023-11-16 18:17:{second:02d}.0,{100 * second + 100},7" for second in range(10)]
    path.write_text("\n".join(rows))
    demand = workload_sample(find_workload(f"trace:{path}"), parse_arrivals("trace"), requests=10)(
        0
    )
    assert demand.requests == 10 and not demand.memoryless
    assert np.allclose(np.diff(demand.times_s), 1.0)
    assert demand.prompts.tolist() == pytest.approx([100 * n + 112 for n in range(10)], rel=0.05)
    assert set(demand.outputs.tolist()) == {7}


def test_nobody_arriving_is_one_sentence() -> None:
    with pytest.raises(UsageError, match="in a closed loop the server sets the rate"):
        workload_sample(find_workload("chat"), parse_arrivals("closed:4"), requests=10)
    empty = np.empty(0, np.int64)
    with pytest.raises(UsageError, match="the workload quiet has no arrivals"):
        Demand("quiet", empty.astype(float), empty, empty)
