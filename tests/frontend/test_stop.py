import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodput.frontend.stop import StopMatcher


def run(stops, pieces):
    matcher, shown = StopMatcher(stops), []
    for piece in pieces:
        shown.append(matcher.push(piece))
        if matcher.matched:
            return shown, True
    return [*shown, matcher.finish()], False


def first_end(text, stops):
    """The definition: the first moment at which the text ends in a stop string."""
    for end in range(1, len(text) + 1):
        starts = [end - len(stop) for stop in stops if text[:end].endswith(stop)]
        if starts:
            return text[: min(starts)], True
    return text, False


@pytest.mark.parametrize(
    ("stops", "pieces", "shown", "matched"),
    [
        ([], ["a", "b"], ["a", "b", ""], False),
        (["END"], ["a E", "N", "D b"], ["a ", "", ""], True),
        (["END"], ["a E", "N", "x"], ["a ", "", "ENx", ""], False),
        (["END"], ["a EN"], ["a ", "EN"], False),
        (["\n\n"], ["a\n", "\n"], ["a", ""], True),
        (["aab"], ["a", "a", "a", "b"], ["", "", "a", ""], True),
        (["abcd", "bc"], ["abc"], ["a"], True),
        (["é"], ["caf", "é"], ["caf", ""], True),
    ],
)
def test_by_hand(stops, pieces, shown, matched):
    assert run(stops, pieces) == (shown, matched)


letters = st.text("ab", max_size=12)


@given(st.lists(st.text("ab", min_size=1, max_size=4), max_size=3), st.lists(letters, max_size=8))
def test_the_cut_does_not_depend_on_the_pieces(stops, pieces):
    shown, matched = run(stops, pieces)
    assert ("".join(shown), matched) == first_end("".join(pieces), stops)


@given(st.lists(st.text("ab", min_size=1, max_size=4), min_size=1), st.lists(letters, max_size=8))
def test_holds_back_no_more_than_it_must(stops, pieces):
    matcher, text, shown = StopMatcher(stops), "", ""
    for piece in pieces:
        text += piece
        shown += matcher.push(piece)
        if matcher.matched:
            return
        held = text[len(shown) :]
        assert text.startswith(shown)
        assert not held or any(len(s) > len(held) and s.startswith(held) for s in stops)


def test_before_min_tokens_a_stop_is_text_but_may_begin():
    matcher = StopMatcher(["aa"])
    assert matcher.push("xaa", armed=False) == "xa"
    assert matcher.push("a", armed=True) == ""
    assert matcher.matched


def test_a_stop_inside_held_text_from_before_min_tokens_does_not_count():
    matcher = StopMatcher(["abc", "b"])
    assert matcher.push("ab", armed=False) == ""
    assert matcher.push("x", armed=True) == "abx"
    assert not matcher.matched
