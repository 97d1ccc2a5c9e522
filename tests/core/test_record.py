"""A request's derived figures on hand-made timelines, and its life as a line of JSON."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodput.core.errors import UsageError
from goodput.core.record import RequestRecord, TokenStamp, read_records, write_records
from goodput.core.slo import SLO
from goodput.core.timeline import Spans

Make = Callable[..., RequestRecord]


def test_ttft_counts_from_the_schedule_not_from_the_send(make: Make) -> None:
    record = make(10.0, sent=10.25, tokens=[10.75, 11.0], end=11.125)
    assert record.late == 0.25
    assert record.ttft == 0.75
    assert record.ttft_from_sent == 0.5
    assert record.e2e == 1.125


def test_tpot_is_the_time_after_the_first_token_over_the_others(make: Make) -> None:
    assert make(0.0, tokens=[1.0, 1.5, 3.0]).tpot == 1.0


def test_tpot_counts_the_servers_tokens_where_it_reports_them(make: Make) -> None:
    assert make(0.0, tokens=[1.0, 2.0, 3.0], output_tokens=5, token_source="usage").tpot == 0.5


def test_one_token_has_no_tpot_and_meets_its_bound(make: Make) -> None:
    record = make(0.0, tokens=[0.5])
    assert record.tpot is None
    assert record.token_gaps() == []
    assert record.met(SLO(ttft=1.0, tpot=0.001))


def test_a_chunk_of_several_tokens_stamps_them_all_with_one_time(make: Make) -> None:
    record = make(0.0, tokens=[(1.0, 2), (2.0, 3)])
    assert record.output_tokens == 5
    assert record.tpot == 0.25
    assert record.token_gaps() == [0.0, 1.0, 0.0, 0.0]


def test_bounds_are_inclusive_and_joint(make: Make) -> None:
    record = make(0.0, tokens=[1.0, 1.5], end=2.0)
    assert record.met(SLO(ttft=1.0, tpot=0.5, e2e=2.0))
    assert not record.met(SLO(ttft=0.999, tpot=0.5, e2e=2.0))
    assert not record.met(SLO(ttft=1.0, tpot=0.499, e2e=2.0))
    assert not record.met(SLO(ttft=1.0, tpot=0.5, e2e=1.999))


@pytest.mark.parametrize("status", ["error", "rejected", "timeout", "cut_off", "never_sent"])
def test_no_failure_ever_meets_not_even_with_all_tokens_in_time(make: Make, status: str) -> None:
    record = make(0.0, tokens=[0.1, 0.2], status=status)
    assert not record.met(SLO(ttft=1.0))
    assert not record.met()


def test_an_answer_without_a_token_is_a_miss(make: Make) -> None:
    assert not make(0.0, tokens=[], end=0.1).met(SLO(tpot=1.0))


def test_a_record_is_judged_by_its_own_slo_unless_another_is_given(make: Make) -> None:
    record = make(0.0, tokens=[0.5], slo=SLO(ttft=0.4))
    assert not record.met()
    assert record.met(SLO(ttft=0.6))


def test_a_new_record_is_a_miss_and_error_texts_are_bounded() -> None:
    record = RequestRecord(id="a", workload="w", scheduled=1.0)
    assert record.status == "never_sent" and not record.met()
    assert (record.ttft, record.tpot, record.e2e, record.late) == (None, None, None, None)
    record.fail("error", "x" * 10_000)
    assert record.status == "error" and len(record.error or "") == 300


TIMES = st.floats(0, 1e6, allow_nan=False)


@settings(max_examples=25)
@given(
    st.lists(
        st.builds(
            RequestRecord,
            id=st.text(max_size=8),
            workload=st.just("chat"),
            scheduled=TIMES,
            sent=st.none() | TIMES,
            token_times=st.lists(st.builds(TokenStamp, TIMES, st.integers(1, 5)), max_size=4),
            status=st.sampled_from(["ok", "error", "rejected", "timeout", "cut_off"]),
            error=st.none() | st.text(max_size=20),
            slo=st.none() | st.builds(SLO, ttft=st.floats(0.001, 10)),
            spans=st.none() | st.builds(Spans, prefill=TIMES),
        ),
        max_size=5,
    )
)
def test_records_survive_their_file(
    tmp_path_factory: pytest.TempPathFactory, records: list[RequestRecord]
) -> None:
    path = tmp_path_factory.mktemp("records") / "new" / "records.jsonl"
    write_records(path, records)
    assert read_records(path) == records
    assert [file.name for file in path.parent.iterdir()] == ["records.jsonl"]


def test_a_damaged_file_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text('{"id":"a","workload":"w","scheduled":1}\n{"id":"b"\n')
    with pytest.raises(UsageError, match=r"line 2 of .*records\.jsonl"):
        read_records(path)
    with pytest.raises(UsageError, match="cannot read the records"):
        read_records(tmp_path / "absent")
    with pytest.raises(UsageError, match="cannot write"):
        write_records(path / "below-a-file", [])
