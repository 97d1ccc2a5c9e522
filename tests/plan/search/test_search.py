"""Whole searches whose answer is known, or must not depend on what it does not depend on."""

import dataclasses
from collections.abc import Callable
from itertools import pairwise

import msgspec
import pytest
from tests.plan.search.toys import toy_demand, toy_profile, toy_worker

from goodput.core.errors import UsageError
from goodput.core.slo import SLO
from goodput.plan.profile.schema import Profile
from goodput.plan.search.answer import PlanAnswer
from goodput.plan.search.crew import Crew
from goodput.plan.search.demand import Demand
from goodput.plan.search.enumerate import Space, aggregated, disaggregated, same_node
from goodput.plan.search.judge import FleetJudge
from goodput.plan.search.question import Question
from goodput.plan.search.race import Race
from goodput.plan.search.search import search

LOOSE = SLO(ttft=3.0, tpot=0.2)


def asked(
    profile: Profile | None = None,
    *,
    slo: SLO = LOOSE,
    budget: int = 4,
    rate: float | None = None,
    sample: Callable[[int], Demand] = lambda seed: toy_demand(requests=400, seed=seed),
) -> Question:
    profile = profile or toy_profile()
    return Question(
        profile=profile, sample=sample, slo=slo, budget=budget, node=profile.node, rate=rate
    )


def raced(question: Question) -> Race:
    space, demand = question.space(question.budget), question.sample(0)
    with Crew(1) as crew:
        race = Race(demand, question.slo, crew)
        race.run([*aggregated(space), *disaggregated(space)], lambda done, of: None)
    return race


def timeless(answer: PlanAnswer) -> PlanAnswer:
    return msgspec.structs.replace(answer, seconds=0.0)


def test_the_split_follows_the_work() -> None:
    # A prompt is 300 ms of work, an answer 100 ms: three to one keeps all four busy.
    best = raced(asked()).best("disaggregated")
    assert best is not None
    assert best.candidate.label == "3P tp1 + 1D tp1"
    assert 8.0 < best.goodput < 10.0


def test_the_split_turns_with_the_work() -> None:
    long_answers = asked(sample=lambda seed: toy_demand(prompt=100, output=31, seed=seed))
    best = raced(long_answers).best("disaggregated")
    assert best is not None and best.candidate.label == "1P tp1 + 3D tp1"


def test_each_phase_gets_the_parallelism_that_its_bound_needs() -> None:
    # Two accelerators halve a prompt's time and do nothing for an answer's.
    profile = toy_profile(toy_worker(), toy_worker(tensor=2, token_s=0.5e-3))
    tight = asked(profile, slo=SLO(ttft=0.2, tpot=0.2), budget=3)
    best = raced(tight).best("disaggregated")
    assert best is not None and best.candidate.label == "1P tp2 + 1D tp1"


def test_a_candidate_uses_no_more_than_the_budget() -> None:
    profile = toy_profile(toy_worker(), toy_worker(tensor=2), toy_worker(tensor=4, pipeline=2))
    for budget in (2, 7, 16):
        space = Space(profile, budget, 8)
        found = [*aggregated(space), *disaggregated(space), *same_node(space)]
        assert all(candidate.accelerators <= budget for candidate in found)
        assert len({candidate.title for candidate in found}) == len(found)


def test_cells_keep_kv_in_its_node() -> None:
    space = Space(toy_profile(toy_worker(), toy_worker(tensor=2, pipeline=2)), 16, 4)
    found = list(same_node(space))
    assert {candidate.placement for candidate in found} == {"same node"}
    for candidate in found:
        prefill, decode = candidate.fleet.groups
        stages = prefill.worker.pipeline
        assert decode.worker.pipeline == stages
        assert candidate.cells == 4 // stages
        assert candidate.fleet.accelerators <= 4 * stages
        assert candidate.fleet.link == space.profile.near


def test_slow_links_between_nodes_keep_kv_inside() -> None:
    profile = toy_profile(node=2, far_bytes_per_s=1e5)
    answer = search(asked(profile, slo=SLO(ttft=3.0, tpot=0.1), budget=4), processes=1)
    apart = [row for row in answer.plans if row.kind == "disaggregated"]
    assert apart and {row.placement for row in apart} == {"same node"}


@pytest.mark.parametrize("scale", [0.5, 0.8])
def test_a_tighter_promise_holds_no_more(scale: float) -> None:
    stated = SLO(ttft=1.0, tpot=0.1)
    full, less = (raced(asked(slo=slo)).winner for slo in (stated, stated.scaled(scale)))
    assert full is not None and less is not None
    assert less.goodput <= full.goodput * 1.01


def test_a_larger_budget_holds_no_less() -> None:
    found = [raced(asked(budget=budget)).winner for budget in (1, 2, 3, 4, 6)]
    rates = [row.goodput for row in found if row is not None]
    assert len(rates) == 5
    assert all(more >= less * 0.99 for less, more in pairwise(rates))


def test_the_answer_depends_on_the_question_alone() -> None:
    question = asked(budget=2)
    answer = timeless(search(question, processes=1))
    assert answer == timeless(search(question, processes=1))
    other = asked(budget=2, sample=lambda seed: toy_demand(requests=400, seed=seed + 9))
    assert answer != timeless(search(other, processes=1))


@pytest.mark.slow
def test_the_answer_does_not_depend_on_the_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("goodput.plan.search.crew._WORTH_A_CREW", 1)
    profile = toy_profile(toy_worker(), toy_worker(tensor=2, token_s=0.6e-3, row_s=6e-3))
    question = asked(profile, budget=5)
    alone, apart = (timeless(search(question, processes=count)) for count in (1, 2))
    assert alone == apart


def test_what_was_pruned_is_really_worse() -> None:
    profile = toy_profile(toy_worker(), toy_worker(tensor=2, token_s=0.6e-3, row_s=6e-3))
    question = asked(profile, slo=SLO(ttft=2.0, tpot=0.03), budget=8)
    race = raced(question)
    # Theory speaks of the long run: so long that the start does not count.
    demand, judge = toy_demand(requests=20_000, seed=7), FleetJudge(question.slo)
    assert {one.proof is None for one in race.pruned} == {True, False}
    for one in race.pruned:
        assert judge.attainment(one.candidate, one.rate, demand) < question.slo.target, one.words
        assert one.words.startswith(one.candidate.title) or "simulated at" in one.words


def test_the_fewest_accelerators_for_a_load() -> None:
    answer = search(asked(budget=6, rate=4.0), processes=1)
    assert answer.needed is not None and answer.best is not None
    assert answer.best.accelerators <= answer.needed
    assert answer.best.high >= 4.0
    less = raced(asked(budget=answer.needed - 1)).winner
    assert less is not None and less.goodput < 4.0


def test_a_load_beyond_the_budget_is_not_called_held() -> None:
    answer = search(asked(budget=2, rate=50.0), processes=1)
    assert answer.needed is None
    assert answer.best is not None and answer.best.goodput < 50


def test_the_impossible_is_explained() -> None:
    answer = search(asked(slo=SLO(ttft=0.25, tpot=0.2)), processes=1)
    assert answer.plans == [] and answer.verdicts == []
    assert answer.infeasible is not None
    assert "at any rate" in answer.infeasible
    assert "takes 300 ms, over the TTFT bound of 250 ms" in answer.infeasible


def test_the_verdict_covers_every_load_once() -> None:
    answer = search(asked(), processes=1)
    assert answer.verdicts[0].low == 0 and answer.verdicts[-1].high is None
    for before, after in pairwise(answer.verdicts):
        assert before.high == after.low
    assert answer.verdicts[-1].choice == "none"


def test_scales_rise_with_the_promise() -> None:
    question = asked(slo=SLO(ttft=1.0, tpot=0.1), sample=lambda seed: toy_demand(seed=seed))
    best = search(question, processes=1).best
    assert best is not None
    rates = [point.goodput for point in best.scales]
    assert all(b >= a * 0.97 for a, b in pairwise(rates))
    [stated] = [point.goodput for point in best.scales if point.scale == 1.0]
    # The curve is of one sample, the interval of several.
    assert best.low * 0.95 <= stated <= best.high * 1.05


def test_an_estimate_says_how_far_it_may_be_off() -> None:
    profile = msgspec.structs.replace(toy_profile(), uncertainty=1.5)
    best = search(asked(profile, budget=2), processes=1).best
    assert best is not None and best.slow is not None and best.fast is not None
    assert best.slow < best.goodput / 1.3
    assert best.fast > best.goodput * 1.3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"budget": 0}, "--budget must be one accelerator or more"),
        ({"node": 0}, "--node-size must be one accelerator or more"),
        ({"rate": 0.0}, "--rate must be positive"),
        ({"slo": SLO()}, "--slo must bound ttft, tpot or e2e"),
        ({"slo": SLO(ttft=1.0, target=1.0)}, "--target must lie in"),
        ({"profile": toy_profile(toy_worker(tensor=8))}, "--budget 4 holds no worker"),
    ],
)
def test_a_wrong_question_is_one_sentence(change: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        dataclasses.replace(asked(), **change)  # type: ignore[arg-type]
