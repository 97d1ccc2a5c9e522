"""Which span a miss is charged to."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from goodput.core.blame import blame
from goodput.core.record import RequestRecord, TokenStamp
from goodput.core.slo import SLO
from goodput.core.timeline import Spans

Make = Callable[..., RequestRecord]
BOUND = SLO(ttft=1.0, tpot=0.1)


def test_failures_are_charged_to_their_status(make: Make) -> None:
    records = [
        make(0.0, tokens=[], status="rejected"),
        make(1.0, tokens=[], status="rejected"),
        make(2.0, tokens=[2.1], status="error"),
        make(3.0, tokens=[]),
        make(4.0, tokens=[4.5]),
    ]
    assert blame(records, BOUND) == {"rejected": 2, "error": 1, "no_token": 1}


def test_a_late_first_token_is_charged_to_the_longest_span_before_it(make: Make) -> None:
    spans = Spans(queued_prefill=1.2, prefill=0.3, decode=9.0)
    assert blame([make(0.0, tokens=[1.5], spans=spans)], BOUND) == {"queued_prefill": 1}


def test_slow_tokens_are_charged_to_the_longest_span_after_the_first(make: Make) -> None:
    spans = Spans(prefill=0.9, transfer=0.1, queued_decode=0.5, decode=0.2)
    record = make(0.0, tokens=[0.9, 1.7], spans=spans)
    assert blame([record], BOUND) == {"queued_decode": 1}


def test_a_span_that_is_always_long_is_not_to_blame_for_being_itself(make: Make) -> None:
    healthy = make(0.0, tokens=[0.8], spans=Spans(queued_prefill=0.05, prefill=0.75))
    late = make(1.0, tokens=[2.3], spans=Spans(queued_prefill=0.5, prefill=0.8))
    assert blame([late], BOUND) == {"prefill": 1}
    assert blame([healthy, late], BOUND) == {"queued_prefill": 1}


def test_the_bound_that_is_exceeded_most_decides(make: Make) -> None:
    spans = Spans(prefill=1.1, decode=4.0)
    assert blame([make(0.0, tokens=[1.1, 5.1], spans=spans)], BOUND) == {"decode": 1}
    spans = Spans(prefill=4.0, decode=0.11)
    assert blame([make(0.0, tokens=[4.0, 4.11], spans=spans)], BOUND) == {"prefill": 1}


def test_a_late_client_and_the_network_are_named(make: Make) -> None:
    spans = Spans(prefill=0.2)
    assert blame([make(0.0, sent=1.0, tokens=[1.2], spans=spans)], BOUND) == {"client": 1}
    assert blame([make(0.0, tokens=[1.2], spans=spans)], BOUND) == {"outside": 1}


def test_servers_without_spans_leave_before_and_after_the_first_token(make: Make) -> None:
    records = [make(0.0, tokens=[2.0]), make(1.0, tokens=[1.5, 3.0]), make(2.0, tokens=[2.5])]
    assert blame(records, BOUND) == {"after_first_token": 1, "before_first_token": 1}


def test_e2e_alone_is_charged_over_the_whole_request(make: Make) -> None:
    only = SLO(e2e=1.0)
    spans = Spans(queued_prefill=0.3, prefill=0.2, decode=0.9)
    assert blame([make(0.0, tokens=[0.5, 1.4], end=1.4, spans=spans)], only) == {"decode": 1}
    assert blame([make(0.0, tokens=[0.5, 1.4], end=1.4)], only) == {"after_first_token": 1}


SPAN = st.floats(0, 3)


@given(
    st.lists(
        st.tuples(
            st.builds(Spans, queued_prefill=SPAN, prefill=SPAN, transfer=SPAN, decode=SPAN),
            st.integers(0, 5),
            st.booleans(),
            st.sampled_from(["ok", "ok", "ok", "error"]),
        ),
        max_size=20,
    )
)
def test_causes_add_up_to_the_misses(
    cases: list[tuple[Spans, int, bool, str]],
) -> None:
    records = []
    for spans, tokens, reported, status in cases:
        first = spans.queued_prefill + spans.prefill
        last = first + spans.transfer + spans.decode
        stamps = [TokenStamp(first), *[TokenStamp(last)] * (tokens - 1)] if tokens else []
        records.append(
            RequestRecord(
                id="r",
                workload="w",
                scheduled=0.0,
                sent=0.0,
                end=last,
                token_times=stamps,
                output_tokens=tokens,
                status=status,  # type: ignore[arg-type]
                spans=spans if reported else None,
            )
        )
    slo = SLO(ttft=1.0, tpot=0.3, e2e=2.0)
    causes = blame(records, slo)
    assert sum(causes.values()) == sum(not record.met(slo) for record in records)
    assert list(causes.values()) == sorted(causes.values(), reverse=True)
