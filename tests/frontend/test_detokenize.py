from hypothesis import given
from hypothesis import strategies as st

from goodput.frontend.detokenize import Detokenizer


class Bytes:
    """Tokens are indices into a list of byte strings; -1 is special."""

    def __init__(self, pieces):
        self.pieces = pieces

    def token_bytes(self, token, /):
        return self.pieces[token]

    def is_special(self, token, /):
        return token < 0


def pieces_of(chunks):
    detokenizer = Detokenizer(Bytes(chunks))
    return [*(detokenizer.push(token) for token in range(len(chunks))), detokenizer.finish()]


def test_an_emoji_over_four_tokens_comes_whole():
    assert pieces_of([bytes([byte]) for byte in "a😀b".encode()]) == [
        *("a", "", "", "", "😀", "b", "")
    ]


def test_a_character_that_never_ends_is_replaced_at_the_end():
    assert pieces_of([b"a", "😀".encode()[:3]]) == ["a", "", "\ufffd"]


def test_a_broken_character_is_replaced_when_the_next_begins():
    assert pieces_of(["😀".encode()[:2], b"x"]) == ["", "\ufffdx", ""]


def test_special_tokens_show_nothing_and_split_nothing():
    detokenizer = Detokenizer(Bytes([b"\xc3", b"\xa9"]))
    assert [detokenizer.push(token) for token in (0, -1, 1)] == ["", "", "é"]


@given(st.lists(st.binary(max_size=5), max_size=12))
def test_any_bytes_give_what_the_whole_decodes_to(chunks):
    assert "".join(pieces_of(chunks)) == b"".join(chunks).decode("utf-8", "replace")


@given(st.text(max_size=20), st.data())
def test_valid_text_is_never_split_inside_a_character(text, data):
    raw = text.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    chunks = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    pieces = pieces_of(chunks)
    assert "".join(pieces) == text
    assert all("\ufffd" not in piece or "\ufffd" in text for piece in pieces)
