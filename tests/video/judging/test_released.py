"""The judge that comes along, on real films that it was not trained on."""

from __future__ import annotations

from itertools import pairwise

from goodput.video.judging.look import read_look
from goodput.video.judging.training import real_clip
from goodput.video.judging.verdict import adherence, judge
from goodput.video.sampling.loading import RELEASED


def test_it_says_of_real_films_that_they_are_right() -> None:
    network = read_look(RELEASED / "judge.safetensors")
    found = adherence([judge(network, *real_clip(7, number)) for number in range(60)])
    assert found.all_right >= 0.95
    assert found.median_heading_error is not None and found.median_heading_error < 1


def test_and_of_others_that_they_are_not() -> None:
    network = read_look(RELEASED / "judge.safetensors")
    films = [real_clip(7, number) for number in range(41)]
    wrong = [judge(network, clip, asked) for (clip, _), (_, asked) in pairwise(films)]
    assert adherence(wrong).all_right < 0.1
