"""Guesses: what the index finds, what is copied, and how a drafter learns whether to trust them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from goodput.engine import lookup
from goodput.engine.drafter import Drafter
from goodput.engine.lookup import PromptLookup, copied

TEXTS = st.lists(st.integers(0, 2), max_size=40)


def found(tokens: list[int]) -> tuple[int, int] | None:
    index = PromptLookup()
    index.extend(tokens)
    return index.find(tokens)


def test_three_tokens_before_two_and_the_latest_place_first() -> None:
    assert found([1, 2, 3, 9, 2, 3, 8, 1, 2, 3]) == (3, 3)
    assert found([5, 2, 3, 9, 6, 2, 3, 8, 1, 2, 3]) == (7, 2)
    assert found([1, 2, 3, 9, 1, 2, 3, 8, 1, 2, 3]) == (7, 3)


def test_nothing_is_found_in_a_text_without_repetition() -> None:
    for tokens in ([], [1], [1, 2], [1, 2, 3, 4, 5, 6], [1, 1]):
        assert found(tokens) is None
    assert found([1, 1, 1]) == (2, 2)


@given(text=TEXTS, cuts=st.lists(st.integers(0, 40), max_size=6))
def test_it_finds_what_a_search_finds_however_the_text_came(
    text: list[int], cuts: list[int]
) -> None:
    index = PromptLookup()
    for cut in sorted(cuts):
        index.extend(text[:cut])
    index.extend(text)
    expected = None
    for length in (3, 2):
        for end in range(length, len(text)):
            if text[end - length : end] == text[-length:]:
                expected = (end, length)
        if expected:
            break
    assert index.find(text) == expected


def test_memory_is_bounded_and_the_newest_is_kept() -> None:
    index, tokens = PromptLookup(), list(range(60_000))
    for size in range(0, 60_001, 100):
        index.extend(tokens[:size])
        assert len(index._newer) + len(index._older) < 2 * lookup._MOST_ENTRIES + 200
    assert index.find([0, 59_000, 59_001]) == (59_002, 2)
    assert index.find([0, 1_000, 1_001]) is None


def test_a_copy_goes_on_through_the_end_of_the_text() -> None:
    assert copied([1, 2, 3, 4], 1, 2) == [2, 3]
    assert copied([7, 1, 2], 1, 5) == [1, 2, 1, 2, 1]
    assert copied([7, 5], 1, 3) == [5, 5, 5]


def test_a_quotation_is_followed_rather_than_its_latest_look_alike() -> None:
    text = [70, 0, 1, 2, 3, 10, 60, 1, 2, 3, 12, 70, 0, 1]
    drafter = Drafter()
    assert drafter.propose(text, 3) == [2, 3, 10]
    text += [2, 3]
    assert drafter.propose(text, 2) == [10, 60], "not 12, which followed 1 2 3 last"
    text += [99]
    assert drafter.propose(text, 2) == [], "it left the quotation for something new"


def test_wrong_guesses_lower_the_trust_and_right_ones_restore_it() -> None:
    drafter, text = Drafter(), [1, 2, 3, 4]
    drafter.propose(text, 4)
    first = drafter.chances()
    for number in range(12):  # after 1 2 3 comes always something new
        text += [1, 2, 3]
        drafter.propose(text, 4)
        text.append(100 + number)
        drafter.propose(text, 4)
    text += [1, 2, 3]
    drafter.propose(text, 4)
    doubtful = drafter.chances()[0]
    assert doubtful < 0.15 < first[0]
    for _ in range(30):  # nothing was ever tried, yet it sees that it would be right now
        text += [100 + 11, 1, 2, 3]
        drafter.propose(text, 4)
    assert drafter.chances()[0] > 0.8


@settings(max_examples=200)
@given(text=TEXTS, growth=st.lists(st.lists(st.integers(0, 2), max_size=4), max_size=10))
def test_guesses_are_copies_and_chances_are_probabilities(
    text: list[int], growth: list[list[int]]
) -> None:
    drafter = Drafter()
    for more in growth:
        text = [*text, *more]
        guess = drafter.propose(text, 5)
        assert guess == drafter.propose(text, 5), "asking twice changes nothing"
        assert len(guess) in (0, 5) and set(guess) <= set(text)
        assert all(0 < chance < 1 for chance in drafter.chances())
