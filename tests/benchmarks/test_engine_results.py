"""The engine benchmark's figures and tables, on seconds small enough to do by hand."""

from __future__ import annotations

import pytest

from engine_cases import FULL, Case, decode
from engine_contestants import Memory
from engine_footprint import Footprint
from engine_results import Floor, Row, context_costs
from engine_tables import context_table, footprint_table, rates_table


def floor(product: float, weights: float, cache: float = 0.0) -> Floor:
    return Floor(150e9, 20e9, product, weights, cache)


def make_row(case: Case, threads: int, ours: list[float]) -> Row:
    row = Row(case, threads)
    for seconds in ours:
        row.add("ours", "cpu", seconds)
        row.floors.append(floor(0.5, 0.1, 0.1))
    return row


def test_the_full_set_is_the_stated_one():
    assert [case.name for case in FULL[:3]] == ["prefill 128", "prefill 512", "prefill 2048"]
    decodes = {(case.sequences, case.context) for case in FULL[3:]}
    assert decodes == {(b, c) for b in (1, 2, 4, 8, 16, 32, 64) for c in (256, 1024)}
    assert decode(8, 256) == Case(rows=1, sequences=8, before=255)


def test_ratios_are_taken_repeat_by_repeat():
    row = make_row(Case(100, 1, 0), 1, [1.0, 2.0, 4.0])
    for seconds in (2.0, 6.0, 12.0):
        row.add("llama.cpp", "Q4_0", seconds)
    # 2, 3 and 3; the ratio of medians would be 3 too, so a noisy middle tells them apart:
    assert row.ratio("llama.cpp") == 3.0
    row.seconds["llama.cpp"]["Q4_0"] = [2.0, 2.0, 12.0]
    assert row.ratio("llama.cpp") == 2.0, "2, 1 and 3"
    assert row.rates("ours") == [100.0, 50.0, 25.0]
    assert row.share == pytest.approx(0.25), "a half, a quarter, an eighth"


def test_the_better_peer_counts():
    row = make_row(Case(1, 1, 255), 1, [1.0])
    assert row.ratio_to_best is None
    row.add("llama.cpp", "Q4_0", 3.0)
    row.add("vLLM", "float32", 2.0)
    assert row.ratio_to_best == 2.0


def test_a_variant_far_behind_is_given_up_and_cannot_be_the_best():
    row = Row(Case(1, 1, 255), 1)
    variants = ["a", "b", "c"]
    assert row.candidates("peer", variants) == variants
    for variant, seconds in zip(variants, (1.0, 1.49, 1.51), strict=True):
        row.add("peer", variant, seconds)
    assert row.candidates("peer", variants) == ["a", "b"]
    row.add("peer", "a", 9.0)
    row.add("peer", "b", 1.3)
    assert row.best_variant("peer") == "b"
    row.seconds["peer"]["c"] = [0.1]
    assert row.best_variant("peer") == "b", "it was timed once only"


def test_the_floor_is_the_slower_of_the_two():
    assert floor(2.0, 0.5, 0.5).seconds == 2.0
    assert floor(1.0, 0.5, 1.5).seconds == 2.0


def test_more_threads_are_compared_within_a_repeat():
    one = make_row(Case(1, 1, 255), 1, [2.0, 4.0, 2.0])
    two = make_row(Case(1, 1, 255), 2, [1.0, 2.0, 2.0])
    assert two.scaling(one) == 2.0


def test_what_context_costs():
    rows = [
        make_row(decode(8, context), 1, [seconds]) for context, seconds in ((256, 1), (1024, 3))
    ]
    for row, cache in zip(rows, (0.25, 1.0), strict=True):
        row.floors = [floor(0.5, 0.1, cache)]
    [cost] = context_costs([*rows, make_row(Case(128, 1, 0), 1, [5.0])])
    assert (cost.batch, cost.threads) == (8, 1)
    assert (cost.extra_seconds, cost.read_seconds) == (2.0, 0.75)
    assert context_table([cost]).splitlines()[-1] == "| 8 | 1 | 2000.0 | 750.0 | 2.7x |"
    assert context_costs(rows[:1]) == [], "one context says nothing"


def test_the_table_of_rates():
    row = make_row(Case(100, 1, 0), 2, [1.0, 2.0, 4.0])
    for variant, seconds in (("Q4_0, flash", 4.0), ("Q8_0, plain", 5.0)):
        for _ in range(3):
            row.add("llama.cpp", variant, seconds)
    single = make_row(Case(100, 1, 0), 1, [1.5, 3.0, 6.0])
    heading, rule, line = rates_table([row], {"prefill 100": single}).splitlines()
    assert heading.count("|") == rule.count("|") == line.count("|")
    assert line == (
        "| prefill 100 | 50 (25–100) | 25 Q4_0, flash (2.00x) | 500.0 ms, 150 GOP/s | 25% | 1.50x |"
    )
    assert "to one thread" not in rates_table([single], {})


def test_the_table_of_footprints():
    table = footprint_table([Footprint("ours", 1.26, Memory(75_000_000, 186_000_000, 338_000_000))])
    assert table.splitlines()[-1] == "| ours | 1.3 | 75 | 186 | 338 |"
