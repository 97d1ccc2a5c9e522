"""Rectangles and letters."""

from __future__ import annotations

import numpy as np

from goodput.arena.games.drawing import canvas, rectangle, text_width, write

BLACK, WHITE, RED = (0, 0, 0), (255, 255, 255), (255, 0, 0)


def ink(text: str, scale: int = 1) -> list[str]:
    picture = canvas(7 * scale, text_width(text, scale), BLACK)
    write(picture, 0, 0, text, WHITE, scale)
    return ["".join("#" if pixel else "." for pixel in row) for row in picture[:, :, 0]]


def test_a_rectangle_fills_its_pixels_and_no_others() -> None:
    picture = canvas(4, 5, WHITE)
    rectangle(picture, 1, 2, 2, 3, RED)
    assert picture.shape == (4, 5, 3) and picture.dtype == np.uint8
    assert (picture[1:3, 2:5] == RED).all()
    assert (picture == WHITE).all(axis=2).sum() == 20 - 6


def test_a_rectangle_is_cut_at_the_edges() -> None:
    picture = canvas(3, 3, BLACK)
    rectangle(picture, -1, -1, 2, 2, WHITE)
    rectangle(picture, 2, 2, 9, 9, WHITE)
    rectangle(picture, -5, 0, 2, 3, WHITE)
    assert (picture == WHITE).all(axis=2).sum() == 2


def test_letters() -> None:
    assert ink("Ti") == [
        "#####..###.",
        "..#.....#..",
        "..#.....#..",
        "..#.....#..",
        "..#.....#..",
        "..#.....#..",
        "..#....###.",
    ]
    assert ink("a") == ink("A")


def test_scaled_letters_are_the_same_letters() -> None:
    assert ink("7", 2) == ["".join(mark * 2 for mark in row) for row in ink("7") for _ in range(2)]


def test_every_character_looks_different() -> None:
    characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:+-/()%!?'\"=#*♠♥♦♣&<>[]_;|$ "
    drawings = ["\n".join(ink(character)) for character in characters]
    unknown = "\n".join(ink("é"))
    assert len({*drawings, unknown}) == len(characters) + 1


def test_text_is_cut_at_the_right_and_lower_edge() -> None:
    picture = canvas(5, 8, BLACK)
    write(picture, 0, 0, "HHHH", WHITE)
    assert (picture[:, 5] == BLACK).all()
    assert (picture[:, 6] == WHITE).all()
