"""A finished job's figures, on hand-made times."""

import pytest

from goodput.core.request import GenerationRequest, SamplingParams, TokenDelta
from goodput.core.slo import SLO
from goodput.core.timeline import Timeline
from goodput.frontend.choice import Choice
from goodput.frontend.job import Job
from goodput.frontend.report import make_report


def job_of(count, n=1, slo=None):
    requests = [
        GenerationRequest(id=str(i), prompt=[1] * 5, sampling=SamplingParams(), received=10.0)
        for i in range(count)
    ]
    return Job("r", 10.0, requests, n, (), False, False, slo)


def choice_of(tokenizer, request, first, last, tokens, cached=0, timeline=None):
    choice = Choice(request, tokenizer, ())
    choice.feed(TokenDelta(request_id="r", token_ids=[97]), first)
    rest = TokenDelta(
        request_id="r",
        token_ids=[97] * (tokens - 1),
        finish_reason="length",
        cached_tokens=cached,
        timeline=timeline,
    )
    choice.feed(rest, last)
    return choice


def test_times_are_those_of_the_first_token_the_slowest_choice_and_the_end(tokenizer):
    job = job_of(2, n=2)
    choices = [
        choice_of(tokenizer, job.requests[0], 11.0, 13.0, 5),
        choice_of(tokenizer, job.requests[1], 12.0, 14.0, 3),
    ]
    report = make_report(job, choices, 14.5)
    assert (report.ttft, report.tpot, report.e2e) == (1.0, 1.0, 4.5)
    assert report.spans.total() == pytest.approx(4.5)
    assert (report.prompt_tokens, report.completion_tokens) == (5, 8)


def test_what_answers_to_one_prompt_share_was_not_cached(tokenizer):
    job = job_of(4, n=2)
    cached = [0, 4, 3, 4]
    choices = [
        choice_of(tokenizer, request, 11.0, 12.0, 2, hit)
        for request, hit in zip(job.requests, cached, strict=True)
    ]
    report = make_report(job, choices, 12.0)
    assert (report.cached_tokens, report.prompt_tokens) == (3, 10)


@pytest.mark.parametrize(
    ("slo", "met"),
    [
        (None, None),
        (SLO(), True),
        (SLO(ttft=1.0, tpot=0.5, e2e=3.5), True),
        (SLO(ttft=0.9), False),
        (SLO(tpot=0.4), False),
        (SLO(e2e=3.4), False),
    ],
)
def test_the_slo_is_joint_over_its_bounds(tokenizer, slo, met):
    job = job_of(1, slo=slo)
    choices = [choice_of(tokenizer, job.requests[0], 11.0, 13.0, 5)]
    assert make_report(job, choices, 13.5).slo_met is met


def test_the_handoff_is_told_only_where_there_was_one(tokenizer):
    job = job_of(1)
    stamps = Timeline(received=10.0, first_token=11.0, offered=11.25, accepted=11.5, last_token=13)
    choices = [choice_of(tokenizer, job.requests[0], 11.0, 13.0, 5, timeline=stamps)]
    assert make_report(job, choices, 13.5).handoff == 0.5
    choices = [choice_of(tokenizer, job.requests[0], 11.0, 13.0, 5)]
    assert make_report(job, choices, 13.5).handoff is None
