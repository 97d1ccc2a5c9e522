"""The SSE parser: the standard's cases, and any split of the bytes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodput.bench.wire.sse import EventTooLargeError, SSEParser


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\n", [b"a"]),
        (b"data:a\r\n\r\ndata: b\r\r", [b"a", b"b"]),
        (b"data: one\ndata: two\n\n", [b"one\ntwo"]),
        (b"data: one\r\ndata: two\r\n\r\n", [b"one\ntwo"]),
        (b": keep-alive\n\ndata: a\n: another\n\n", [b"a"]),
        (b"event: x\nid: 3\nretry: 10\ndata: a\n\n", [b"a"]),
        (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
        (b"data:  two spaces\n\n", [b" two spaces"]),
        (b"data\n\n", [b""]),
        (b"datum: a\n\n", []),
        (b"data: never ended\n", []),
        ("data: a\u2028b\x0bc\n\n".encode(), ["a\u2028b\x0bc".encode()]),
    ],
)
def test_the_standards_cases(stream: bytes, events: list[bytes]) -> None:
    assert SSEParser().feed(stream) == events
    parser = SSEParser()
    assert [e for i in range(len(stream)) for e in parser.feed(stream[i : i + 1])] == events


LINE_END = st.sampled_from([b"\n", b"\r\n", b"\r"])
LINE = st.one_of(
    st.binary(max_size=20).map(lambda b: b"data: " + b.replace(b"\r", b"").replace(b"\n", b"")),
    st.sampled_from([b"", b"", b": ping", b"event: e", b"data"]),
)


@given(
    lines=st.lists(st.tuples(LINE, LINE_END), max_size=20),
    cuts=st.lists(st.integers(0, 400), max_size=10),
)
def test_any_split_gives_the_same_events(lines: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    stream = b"".join(line + end for line, end in lines)
    parser = SSEParser()
    places = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    pieces = [stream[a:b] for a, b in itertools.pairwise(places)]
    assert [e for piece in pieces for e in parser.feed(piece)] == SSEParser().feed(stream)


def test_an_endless_event_is_refused_and_a_long_stream_is_not() -> None:
    parser = SSEParser(max_event_bytes=100)
    for _ in range(1000):
        assert parser.feed(b"data: " + b"x" * 90 + b"\n\n") == [b"x" * 90]
    with pytest.raises(EventTooLargeError):
        for _ in range(1000):
            parser.feed(b"data: x\n")
    with pytest.raises(EventTooLargeError):
        SSEParser(max_event_bytes=100).feed(b"x" * 101)
