"""One answer from hand-made deltas: what is shown, counted and cut."""

import pytest

from goodput.core.errors import GoodputError
from goodput.core.request import GenerationRequest, SamplingParams, TokenDelta, TokenLogprobs
from goodput.frontend.choice import Choice


def choice_of(tokenizer, stops=(), **sampling):
    request = GenerationRequest(
        id="r", prompt=[1], sampling=SamplingParams(**sampling), received=1.0
    )
    return Choice(request, tokenizer, stops)


def delta(ids, **fields):
    ids = list(ids)
    return TokenDelta(
        request_id="r", token_ids=ids, logprobs=[TokenLogprobs(-float(i)) for i in ids], **fields
    )


def texts(pieces):
    return [piece.text for piece in pieces]


def test_one_piece_per_token_even_in_one_delta(tokenizer):
    assert texts(choice_of(tokenizer).feed(delta(b"abc"), 2.0)) == ["a", "b", "c"]


def test_the_stop_token_counts_but_shows_nothing(tokenizer):
    choice = choice_of(tokenizer)
    pieces = choice.feed(delta([104, 100], finish_reason="stop", stop_token=100), 2.0)
    assert texts(pieces) == ["h"]
    assert (choice.tokens, choice.finish_reason) == (2, "stop")


def test_a_stop_string_ends_it_and_later_tokens_do_not_count(tokenizer):
    choice = choice_of(tokenizer, ["lo"])
    pieces = choice.feed(delta(b"hello there"), 2.0)
    assert texts(pieces) == ["h", "e", "l"]
    assert (choice.tokens, choice.finish_reason) == (5, "stop")


@pytest.mark.parametrize(("least", "text", "tokens"), [(0, "a", 2), (2, "a", 2), (3, "a|b", 4)])
def test_min_tokens_keeps_a_stop_string_from_ending_it(tokenizer, least, text, tokens):
    choice = choice_of(tokenizer, ["|"], min_tokens=least)
    pieces = choice.feed(delta(b"a|b|c"), 2.0)
    assert "".join(texts(pieces)) == text
    assert choice.tokens == tokens


def test_held_text_is_shown_at_the_end_and_length_stays(tokenizer):
    choice = choice_of(tokenizer, ["END"])
    assert texts(choice.feed(delta(b"aEN"), 2.0)) == ["a"]
    assert texts(choice.feed(delta([], finish_reason="length"), 2.0)) == ["EN"]
    assert choice.finish_reason == "length"


def test_logprobs_wait_for_their_text_and_go_with_it(tokenizer):
    choice = choice_of(tokenizer, ["END"], logprobs=0)
    first = choice.feed(delta(b"aEN"), 2.0)
    assert [(p.text, [m.token for m in p.marks]) for p in first] == [("a", [97])]
    second = choice.feed(delta(b"!"), 2.0)
    assert [(p.text, [(m.token, m.offset) for m in p.marks]) for p in second] == [
        ("EN!", [(69, 1), (78, 2), (33, 3)])
    ]


def test_tokens_of_the_cut_text_have_no_logprobs(tokenizer):
    choice = choice_of(tokenizer, ["END"], logprobs=0)
    pieces = choice.feed(delta(b"aENDx"), 2.0)
    assert [m.token for p in pieces for m in p.marks] == [97]


def test_tokens_without_text_keep_their_logprobs(tokenizer):
    choice = choice_of(tokenizer, logprobs=0)
    pieces = choice.feed(delta([97, 257], finish_reason="length"), 2.0)
    assert [m.token for p in pieces for m in p.marks] == [97, 257]


@pytest.mark.parametrize("reason", ["error", "cancelled"])
def test_an_engine_that_gave_up_is_an_error(tokenizer, reason):
    with pytest.raises(GoodputError, match="before it was complete"):
        choice_of(tokenizer).feed(delta([], finish_reason=reason), 2.0)


def test_spans_add_up_even_when_the_engine_never_told(tokenizer):
    choice = choice_of(tokenizer, ["b"])
    choice.submitted = 1.5
    choice.feed(delta(b"a"), 2.0)
    choice.feed(delta(b"b"), 3.0)
    spans = choice.timeline_until(3.25).spans()
    assert spans.total() == pytest.approx(2.25)
    assert (spans.frontend, spans.decode) == pytest.approx((0.75, 1.0))
