"""Goodput, staleness and lateness of hand-made records."""

from __future__ import annotations

from typing import Any

import pytest
from tests.arena.results.made import episode

from goodput.arena.episode.figures import figures_of, summed
from goodput.arena.episode.record import Move
from goodput.arena.players.base import Charge


def move(asked: int, frame: int, **changes: Any) -> Move:
    facts: dict[str, Any] = {
        "seat": 0,
        "action": 1,
        "wanted": "one",
        "fate": "applied",
        "late": False,
        "rung": "choice",
        "latency_s": (frame - asked) / 60,
        "ttft_s": 0.01,
        "prompt_tokens": 10,
        "output_tokens": 2,
        "calls": 1,
        "error": None,
        "digest": "",
    }
    return Move(asked_frame=asked, frame=frame, **(facts | changes))


MOVES = (
    move(0, 6),
    move(6, 18, late=True),
    move(18, 24, fate="illegal", action=None),
    move(24, 30, fate="dropped", action=None, late=True),
    move(30, 36),
)


def test_goodput_counts_what_was_applied_in_time() -> None:
    figures = figures_of([(episode(("m",), (2.0,), clock="virtual", moves=MOVES, frames=120), 0)])
    assert (figures.decisions, figures.on_time, figures.late) == (5, 2, 2)
    assert figures.seconds == 2.0 and figures.goodput == 1.0
    assert figures.late_share == pytest.approx(0.4)
    assert figures.fates == {"applied": 3, "illegal": 1, "dropped": 1}
    assert figures.staleness_frames is not None and figures.staleness_frames.p50 == 6
    assert (figures.calls, figures.prompt_tokens, figures.output_tokens) == (5, 50, 10)


def test_where_the_game_waits_thinking_counts_as_time() -> None:
    thought = (move(0, 0, latency_s=1.5), move(4, 4, latency_s=0.5))
    figures = figures_of([(episode(("m",), (2.0,), moves=thought, frames=60), 0)])
    assert figures.seconds == 3.0 and figures.goodput == pytest.approx(2 / 3)


def test_only_the_players_own_seat_counts() -> None:
    both = (move(0, 6), move(0, 30, seat=1, late=True))
    played = episode(("a", "b"), (1.0, 1.0), clock="virtual", moves=both, frames=60)
    assert figures_of([(played, 0)]).late_share == 0
    assert figures_of([(played, 1)]).late_share == 1


def test_a_forfeit_by_the_clock_has_no_age() -> None:
    gone = (move(0, 6), move(6, 306, fate="forfeit", action=None))
    played = episode(("a", "b"), (0.0, 0.0), clock="virtual", moves=gone, forfeited_by=0)
    figures = figures_of([(played, 0)])
    assert figures.staleness_frames is not None and figures.staleness_frames.p99 == 6
    assert figures.forfeits == 1 and figures_of([(played, 1)]).forfeits == 0


def test_without_decisions_there_is_nothing_to_divide() -> None:
    figures = figures_of([])
    assert (figures.goodput, figures.late_share, figures.staleness_frames) == (None, None, None)


def test_charges_add_up_by_part() -> None:
    charges = [Charge("answer", 1, 10, 2), Charge("probe", 1, 5, 1), Charge("answer", 2, 7, 3)]
    assert summed(charges) == (Charge("answer", 3, 17, 5), Charge("probe", 1, 5, 1))
