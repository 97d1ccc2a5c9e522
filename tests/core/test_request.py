"""Deltas that are told as one."""

from __future__ import annotations

from goodput.core.request import TokenDelta, TokenLogprobs
from goodput.core.timeline import Timeline


def test_the_later_delta_says_how_it_ended() -> None:
    first = TokenDelta("r", [1, 2])
    last = TokenDelta("r", [3], finish_reason="length", timeline=Timeline(received=1.0))
    both = first.followed_by(last)
    assert both.token_ids == [1, 2, 3]
    assert both.finish_reason == "length"
    assert both.timeline == Timeline(received=1.0)
    assert both.logprobs is None


def test_logprobs_stay_with_their_tokens() -> None:
    first = TokenDelta("r", [1], logprobs=[TokenLogprobs(-0.5)])
    both = first.followed_by(TokenDelta("r", [2], logprobs=[TokenLogprobs(-1.5)]))
    assert both.logprobs == [TokenLogprobs(-0.5), TokenLogprobs(-1.5)]


def test_an_end_without_tokens_adds_none() -> None:
    both = TokenDelta("r", [1]).followed_by(TokenDelta("r", [], finish_reason="stop"))
    assert (both.token_ids, both.finish_reason) == ([1], "stop")
