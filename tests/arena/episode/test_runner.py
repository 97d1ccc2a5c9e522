"""Timelines of a counting game: when answers count, and what becomes of late and illegal ones."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.arena.toys import Counting, Scripted, after

from goodput.arena.clocks import make_clock
from goodput.arena.episode.record import Episode
from goodput.arena.episode.ruling import PATIENCE
from goodput.arena.episode.runner import CADENCE, play_episode


async def played(
    rules: Counting, *players: Scripted, clock: str = "virtual", **settings: Any
) -> Episode:
    return await play_episode(rules, players, 3, make_clock(clock, **settings))


async def test_an_answer_of_a_tenth_of_a_second_counts_six_frames_later() -> None:
    player = Scripted(after(0.1))
    episode = await played(Counting(end=60), player)
    assert [(move.asked_frame, move.frame) for move in episode.moves][:3] == [
        (0, 6),
        (6, 12),
        (12, 18),
    ]
    assert player.asked == list(range(0, 60, 6))
    # The last question was put at frame 54; at 60 the game is over.
    assert episode.end.scores == (9.0,) and episode.end.frames == 60
    assert episode.end.reason == "over"


async def test_a_player_without_latency_is_asked_fifteen_times_a_second() -> None:
    player = Scripted(after(0.0))
    await played(Counting(end=60), player)
    assert player.asked == list(range(0, 60, CADENCE))


async def test_under_the_paused_clock_latency_costs_nothing() -> None:
    episode = await played(Counting(end=60), Scripted(after(5.0)), clock="paused")
    assert len(episode.moves) == 15 and all(not move.late for move in episode.moves)


async def test_slow_down_multiplies_what_was_measured() -> None:
    episode = await played(Counting(end=60), Scripted(after(0.1)), slow_down=3.0)
    assert [move.frame for move in episode.moves] == [18, 36, 54]


async def test_a_move_is_late_when_what_was_seen_has_changed() -> None:
    episode = await played(Counting(changes=10, end=60), Scripted(after(0.1)))
    # Asked at 0, 6, 12, ...: between 6 and 12 the view changes, between 0 and 6 it does not.
    late = {move.asked_frame: move.late for move in episode.moves}
    assert late[0] is False and late[6] is True and late[12] is False and late[18] is True
    assert all(move.fate == "applied" for move in episode.moves)


async def test_where_late_moves_are_dropped_they_score_nothing() -> None:
    episode = await played(Counting(late="drop", end=60), Scripted(after(0.1)))
    fates = [move.fate for move in episode.moves]
    on_time = sum(not move.late for move in episode.moves)
    assert 0 < on_time < len(fates)
    assert fates.count("applied") == on_time == episode.end.scores[0]
    assert all(
        move.fate == "dropped" and move.action is None for move in episode.moves if move.late
    )


async def test_each_sides_latency_costs_only_itself() -> None:
    fast, slow = Scripted(after(0.1)), Scripted(after(0.5))
    episode = await played(Counting(seats=2, end=60), fast, slow)
    alone = await played(Counting(end=60), Scripted(after(0.1)))
    assert episode.end.scores == (alone.end.scores[0], 1.0)
    assert [move.frame for move in episode.moves if move.seat == 1] == [30]


@pytest.mark.parametrize("action", [3, 99, -1])
async def test_alone_an_illegal_move_is_a_lost_move(action: int) -> None:
    episode = await played(Counting(), Scripted(after(0.1, action), after(0.1, 2)))
    first, second, *_ = episode.moves
    assert (first.fate, first.action) == ("illegal", None)
    assert (second.fate, second.action) == ("applied", 2)


async def test_against_another_an_illegal_move_forfeits() -> None:
    episode = await played(
        Counting(seats=2), Scripted(after(0.1, 2)), Scripted(after(0.1, 1), after(0.1, 3))
    )
    assert episode.end.reason == "forfeit" and episode.end.forfeited_by == 1
    assert episode.end.outcome == (1.0, 0.0)
    assert episode.moves[-1].fate == "forfeit" and episode.moves[-1].wanted == "never"


async def test_a_timeout_forfeits_and_is_never_dropped() -> None:
    silent = Scripted(after(0.2, None, error="no answer in time", timed_out=True))
    episode = await played(Counting(seats=2), silent, Scripted(after(0.1)))
    assert episode.end.forfeited_by == 0 and episode.end.outcome == (0.0, 1.0)


async def test_in_real_time_one_missing_answer_only_costs_itself() -> None:
    weak = Scripted(after(0.1, None), after(0.1, 2))
    episode = await played(Counting(seats=2), weak, Scripted(after(0.1, 1)))
    assert episode.end.reason == "over" and episode.end.scores[0] > episode.end.scores[1]


async def test_in_a_game_of_turns_no_move_forfeits() -> None:
    episode = await played(
        Counting(realtime=False, seats=2), Scripted(after(0.1)), Scripted(after(0.1, None))
    )
    assert episode.end.forfeited_by == 1


async def test_a_time_bank_is_spent_by_its_own_thinking_only() -> None:
    # Half of 600 frames each: 5 s. A second a move is the sixth that does not fit.
    slow, fast = Scripted(after(1.0)), Scripted(after(0.01))
    episode = await played(Counting(realtime=False, seats=2, frame_limit=600), slow, fast)
    assert episode.end.reason == "forfeit" and episode.end.forfeited_by == 0
    assert [move.seat for move in episode.moves].count(0) == 6
    assert episode.moves[-1].error == "the time bank is spent"


async def test_an_endpoint_that_is_gone_ends_its_own_episode_after_ten_tries() -> None:
    episode = await played(
        Counting(end=10_000, frame_limit=20_000), Scripted(after(0.1, None, error="down"))
    )
    assert (episode.end.reason, len(episode.moves)) == ("silent", PATIENCE)


async def test_one_answer_in_between_starts_the_count_anew() -> None:
    down = after(0.01, None, error="down")
    answers = [down] * (PATIENCE - 1) + [after(0.01)] + [down] * (PATIENCE - 1) + [after(0.01)]
    episode = await played(Counting(end=30), Scripted(*answers))
    assert episode.end.reason == "over"


async def test_limits_end_it() -> None:
    steps = await played(Counting(step_limit=4), Scripted(after(0.1)))
    assert (steps.end.reason, len(steps.moves)) == ("steps", 4)
    frames = await played(Counting(end=10_000, frame_limit=100), Scripted(after(0.1)))
    assert (frames.end.reason, frames.end.frames) == ("frames", 100)


async def test_whoever_leads_at_the_limit_has_won() -> None:
    rules = Counting(seats=2, end=10_000, frame_limit=100)
    episode = await played(rules, Scripted(after(0.1, 1)), Scripted(after(0.1, 2)))
    assert episode.end.outcome == (0.0, 1.0)
    draw = await played(rules, Scripted(after(0.1, 1)), Scripted(after(0.1, 1)))
    assert draw.end.outcome == (0.5, 0.5)


async def test_players_are_told_seeds_of_their_own_that_repeat() -> None:
    first, second = Scripted(after(0.1)), Scripted(after(0.1))
    await played(Counting(seats=2), first, second)
    await played(Counting(seats=2), first, second)
    assert first.seeds[0] == first.seeds[1] != second.seeds[0]


async def test_cancelling_takes_questions_back_and_leaves_no_task() -> None:
    class Thinker(Scripted):
        async def decide(self, observation: Any) -> Any:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.cancelled += 1
                raise

    thinker = Thinker(after(0.0))
    before = asyncio.all_tasks()
    playing = asyncio.create_task(played(Counting(), thinker))
    await asyncio.sleep(0.01)
    playing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await playing
    assert thinker.cancelled == 1 and asyncio.all_tasks() == before


async def test_the_wall_clock_plays_in_real_time() -> None:
    episode = await played(Counting(end=30), Scripted(after(0.0)), clock="wall")
    assert episode.end.frames == 30 and episode.end.seconds >= 0.45
    assert all(move.frame > move.asked_frame for move in episode.moves)
