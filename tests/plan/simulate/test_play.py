"""Times of the simulator, worked out by hand, and what must hold whatever is played."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.plan.simulate.made import LINK, deployment, profile_of, request, run

from goodput.core.errors import UsageError
from goodput.core.slo import SLO
from goodput.plan.profile.schema import Line

BOTH = [deployment(mixed=1), deployment(prefill=1, decode=1)]
KINDS = ["mixed", "apart"]


def text(number: int, length: int) -> list[int]:
    return [number * 1000 + place for place in range(length)]


def test_a_lone_request_takes_what_the_profile_says() -> None:
    outcome = run(profile_of(frontend_s=0.5), deployment(mixed=1), request(1.0, text(1, 40), 5))
    (record,) = outcome.records
    assert record.scheduled == record.sent == 1.0
    assert record.ttft == pytest.approx(0.5 + 0.040)
    assert record.tpot == pytest.approx(0.010)
    assert record.e2e == pytest.approx(0.5 + 0.040 + 4 * 0.010)
    assert record.status == "ok"
    assert (record.prompt_tokens, record.output_tokens) == (40, 5)


def test_a_hand_off_takes_its_link() -> None:
    outcome = run(profile_of(), deployment(prefill=1, decode=1), request(1.0, text(1, 40), 5))
    (record,) = outcome.records
    assert record.ttft == pytest.approx(0.040)
    blocks = 3  # of 16 tokens, for 40
    transfer = LINK.seconds(blocks * 16 * 1000)
    assert record.spans is not None
    assert record.spans.handoff == pytest.approx(transfer)
    assert record.e2e == pytest.approx(0.040 + transfer + 4 * 0.010)
    assert record.spans.total() == pytest.approx(record.e2e)


def test_two_prompts_wait_for_each_other_and_two_answers_do_not() -> None:
    asked = [request(0.0, text(number, 40), 3) for number in (1, 2)]
    first, second = run(
        profile_of(), deployment(prefill=1, decode=1, saturation_tokens=1), *asked
    ).records
    assert first.ttft == pytest.approx(0.040)
    assert second.ttft == pytest.approx(0.080)
    assert first.tpot is not None and first.tpot < 0.035


def test_a_known_prefix_is_not_computed_again() -> None:
    outcome = run(
        profile_of(),
        deployment(mixed=1),
        request(0.0, text(1, 64), 2),
        request(5.0, [*text(1, 48), *text(2, 16)], 2),
    )
    assert [record.cached_tokens for record in outcome.records] == [0, 48]
    assert outcome.records[1].ttft == pytest.approx(0.016)


def test_a_conversation_goes_on_when_its_answer_has_ended() -> None:
    outcome = run(
        profile_of(),
        deployment(mixed=1),
        request(0.0, text(1, 64), 17),
        request(0.0, text(2, 11), 2, follows=0, think_s=3.0),
    )
    first, second = outcome.records
    assert first.end is not None
    assert second.scheduled == pytest.approx(first.end + 3.0)
    # Its own turn, what is around it, and all that was said before: 64 + 17 + 5 + 11.
    assert second.prompt_tokens == 97
    assert second.cached_tokens == 80


def test_a_turn_after_the_window_is_never_asked() -> None:
    outcome = run(
        profile_of(),
        deployment(mixed=1),
        request(0.0, text(1, 64), 2),
        request(0.0, text(2, 8), 2, follows=0, think_s=50.0),
        seconds=20.0,
    )
    assert len(outcome.records) == 1


def test_what_does_not_end_in_time_is_cut_off() -> None:
    outcome = run(
        profile_of(), deployment(mixed=1), request(0.5, text(1, 1600), 500), seconds=1.0, drain_s=1
    )
    assert not outcome.drained
    assert [record.status for record in outcome.records] == ["cut_off"]


def test_admission_refuses_what_cannot_be_kept() -> None:
    slo = SLO(ttft=0.5, tpot=0.1)
    asked = [request(0.001 * n, text(n, 400), 4, slo=slo) for n in range(8)]
    # The speeds are learned first: nothing is refused before they are known.
    warm = [request(0.0, text(90, 400), 9, slo=slo)]
    later = [msgspec.structs.replace(timed, due=timed.due + 10) for timed in asked]
    config = msgspec.structs.replace(deployment(mixed=1), admission="slo")
    records = run(profile_of(), config, *warm, *later).records
    refused = [record for record in records if record.status == "rejected"]
    assert refused
    assert all(record.http_status == 429 and record.retry_after_s for record in refused)
    kept = [record for record in records[1:] if record.status == "ok"]
    assert kept
    assert all(record.met() for record in kept)


def test_workers_of_other_sizes_are_refused_by_name() -> None:
    with pytest.raises(UsageError, match=r"engine.threads is 4, but the profile made has .* 1"):
        run(profile_of(), deployment(mixed=1, threads=4), request(0.0, text(1, 8), 1))


@pytest.mark.parametrize("config", BOTH, ids=KINDS)
@settings(max_examples=20, deadline=None)
@given(
    asked=st.lists(
        st.tuples(st.floats(0, 3), st.integers(1, 300), st.integers(1, 60)),
        min_size=1,
        max_size=25,
    ),
    seed=st.integers(0, 3),
)
def test_every_request_ends_once_and_every_block_is_back(
    config: object, asked: list[tuple[float, int, int]], seed: int
) -> None:
    small = msgspec.structs.replace(
        config,  # type: ignore[type-var]
        engine=msgspec.structs.replace(config.engine, kv_tokens=1024),  # type: ignore[attr-defined]
    )
    timed = [request(due, text(n % 3, size), tokens) for n, (due, size, tokens) in enumerate(asked)]
    timed.sort(key=lambda one: one.due)
    outcomes = [run(profile_of(), small, *timed, seed=seed) for _ in range(2)]
    assert outcomes[0].records == outcomes[1].records
    assert outcomes[0].drained  # check_whole() has looked at blocks and leases
    for record in outcomes[0].records:
        assert record.status == "ok"
        assert record.output_tokens == sum(stamp.count for stamp in record.token_times)
        assert record.e2e is not None and record.ttft is not None
        assert record.e2e >= record.ttft > 0


def test_more_load_never_makes_the_first_tokens_earlier() -> None:
    means = []
    for gap in (1.0, 0.2, 0.1, 0.05):
        timed = [request(gap * number, text(number, 60), 10) for number in range(40)]
        records = run(profile_of(), deployment(mixed=1), *timed).records
        means.append(sum(record.ttft or 0.0 for record in records) / len(records))
    assert means == pytest.approx(sorted(means))


def test_a_longer_decode_line_shows_in_the_answers() -> None:
    slow = profile_of(decode=Line(base_s=0.02, decode_row_s=0.001))
    (record,) = run(slow, deployment(mixed=1), request(0.0, text(1, 20), 11)).records
    assert record.tpot == pytest.approx(0.021)
