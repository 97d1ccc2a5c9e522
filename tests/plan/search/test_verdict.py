"""What to choose, by load."""

import msgspec
from tests.plan.report.made import made_row

from goodput.core.slo import SLO
from goodput.plan.search.answer import PlanRow
from goodput.plan.search.verdict import verdicts

SLO_ = SLO(ttft=1.0, tpot=0.1)


def row(kind: str, goodput: float, spread: float = 0.1) -> PlanRow:
    return msgspec.structs.replace(
        made_row(kind), goodput=goodput, low=goodput - spread, high=goodput + spread
    )


def test_the_crossover_is_where_the_first_gives_up() -> None:
    ranges, crossover = verdicts([row("disaggregated", 8.0), row("aggregated", 5.0)], SLO_)
    assert crossover == 5.0
    assert [(one.low, one.high, one.choice) for one in ranges] == [
        (0.0, 5.0, "either"),
        (5.0, 8.0, "disaggregated"),
        (8.0, None, "none"),
    ]
    assert "1.60 times" in ranges[1].words


def test_apart_is_the_better_of_both_kinds_with_a_hand_off() -> None:
    rows = [row("hybrid", 6.0), row("disaggregated", 4.0), row("aggregated", 5.0)]
    ranges, crossover = verdicts(rows, SLO_)
    assert crossover == 5.0 and ranges[1].choice == "hybrid"


def test_intervals_that_overlap_are_no_verdict() -> None:
    ranges, _ = verdicts([row("disaggregated", 5.1), row("aggregated", 5.0)], SLO_)
    assert "may be chance" in ranges[1].words


def test_one_kind_alone_has_no_crossover() -> None:
    ranges, crossover = verdicts([row("aggregated", 5.0)], SLO_)
    assert crossover is None
    assert [one.choice for one in ranges] == ["aggregated", "none"]
