"""Plays one episode: asks the players, lets the clock say when their answers count, writes all
down.

Time in games of two seats: in a game of turns each seat has a **time bank** of half the game's
``frame_limit``, which only its own thinking spends; whoever's is spent forfeits. In a simultaneous
game (versus, races) nobody waits for anybody.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final

from goodput.arena.clocks.base import Clock, Question
from goodput.arena.clocks.tokens import TokensClock
from goodput.arena.episode.record import End, Episode, Header, Move, Reason
from goodput.arena.episode.ruling import PATIENCE, Ruling, forfeits, rule_on
from goodput.arena.games.chance import branch
from goodput.arena.games.rules import Rules
from goodput.arena.players.base import Decision, Observation, Player

CADENCE: Final = 4
"""Frames between two questions to a seat of a real-time game, at least: fifteen a second. So a
player that thinks in no time meets a game that moves, under every clock."""

Watch = Callable[[int, Hashable, Move], None]
"""Is told each move with the frame and the state after it."""


async def play_episode(
    rules: Rules[Any],
    players: Sequence[Player],
    seed: int,
    clock: Clock,
    watch: Watch | None = None,
) -> Episode:
    """One player a seat, from the first state of ``seed`` to the end. The players stay open.

    Cancelling takes the unanswered questions back and leaves no task behind.
    """
    if len(players) != rules.spec.seats:
        raise ValueError(f"{rules.spec.id} has {rules.spec.seats} seats, not {len(players)}")
    return await _Play(rules, players, seed, clock, watch).run()


def header_of(rules: Rules[Any], players: Sequence[Player], seed: int, clock: Clock) -> Header:
    """The header that an episode with this set-up has, known before it is played."""
    ttft_s, rate = None, None
    if isinstance(clock, TokensClock):
        ttft_s, rate = clock.ttft_s, clock.tokens_per_s
    return Header(
        game=rules.spec.id,
        seed=seed,
        players=tuple(player.label for player in players),
        clock=clock.kind,
        slow_down=clock.slow_down,
        token_ttft_s=ttft_s,
        token_rate=rate,
        harness=tuple(sorted({part for player in players for part in player.harness})),
    )


class _Seat:
    """A player's side of the episode. ``bank`` is its thinking time left, in frames."""

    def __init__(self, player: Player, bank: int) -> None:
        self.player = player
        self.bank = bank
        self.question: Question | None = None
        self.asks_from = 0
        self.steps = 0
        self.failures = 0


class _Play:
    def __init__(
        self,
        rules: Rules[Any],
        players: Sequence[Player],
        seed: int,
        clock: Clock,
        watch: Watch | None,
    ) -> None:
        spec = rules.spec
        self._rules, self._spec, self._seed, self._clock = rules, spec, seed, clock
        self._watch = watch
        self._header = header_of(rules, players, seed, clock)
        self._seats = [_Seat(player, spec.frame_limit // spec.seats) for player in players]
        self._state: Any = rules.reset(seed)
        self._frame = 0
        self._moves: list[Move] = []
        self._reason: Reason | None = None
        self._loser: int | None = None
        alone = len(rules.to_act(self._state)) == 1
        self._turns = spec.seats == 2 and not spec.realtime and alone
        # Banks bound a game of turns; a flag falls one frame after the bank is spent.
        self._frame_limit = spec.frame_limit + spec.seats * self._turns

    async def run(self) -> Episode:
        resets = (
            seat.player.reset(branch(self._seed, index)) for index, seat in enumerate(self._seats)
        )
        await asyncio.gather(*resets)
        began = time.monotonic()
        self._clock.start()
        self._look_for_the_end()
        try:
            while self._reason is None:
                self._ask()
                frame = await self._clock.wait(self._questions(), self._frame, self._horizon())
                self._advance(frame)
                self._call_flags()
                self._deliver()
        finally:
            await self._take_back()
        return Episode(
            header=self._header, moves=tuple(self._moves), end=self._end(time.monotonic() - began)
        )

    def _questions(self) -> list[Question]:
        return [seat.question for seat in self._seats if seat.question is not None]

    def _ask(self) -> None:
        for index in self._rules.to_act(self._state):
            seat = self._seats[index]
            if seat.question is not None or seat.asks_from > self._frame or self._spent(seat):
                continue
            legal = tuple(self._rules.legal(self._state, index))
            if not legal:
                continue
            observation = Observation(self._rules, self._state, index, legal, seat.steps)
            answer = asyncio.create_task(seat.player.decide(observation))
            seat.question = Question(index, self._frame, self._state, legal, answer)

    def _horizon(self) -> int:
        """The first frame to come at which there may be something to do but to take an answer."""
        frames = [self._frame_limit]
        for seat in self._seats:
            if seat.question is not None:
                if self._turns:
                    frames.append(seat.question.asked_frame + seat.bank + 1)
            elif self._spec.realtime and not self._spent(seat):
                frames.append(max(seat.asks_from, self._frame + 1))
        return min(frames)

    def _advance(self, frame: int) -> None:
        """Let frames pass up to ``frame``, or the first one at which an answer is due."""
        due = [question.due for question in self._questions() if question.due is not None]
        goal = min([frame, self._frame_limit, *due])
        while self._frame < goal and self._reason is None:
            self._state = self._rules.frame(self._state)
            self._frame += 1
            self._look_for_the_end()

    def _call_flags(self) -> None:
        """End a game of turns in which the seat to move has spent its bank."""
        for question in self._questions():
            if not self._turns or self._reason is not None:
                return
            seat = self._seats[question.seat]
            if self._frame > question.asked_frame + seat.bank:
                answer = question.answer
                cost = answer.result() if answer.done() else Decision(action=None, rung="none")
                cost.error = "the time bank is spent"
                self._forfeit(question.seat)
                self._write(question, cost, Ruling("forfeit", False))

    def _deliver(self) -> None:
        """Apply what is due now, the seats in their order."""
        for question in self._questions():
            if self._reason is None and question.due is not None and question.due <= self._frame:
                self._apply(question)

    def _apply(self, question: Question) -> None:
        seat = self._seats[question.seat]
        decision = question.answer.result()
        seat.question = None
        seat.steps += 1
        seat.bank -= self._frame - question.asked_frame
        seat.asks_from = question.asked_frame + CADENCE * self._spec.realtime
        failed = decision.action is None and decision.error is not None
        seat.failures = seat.failures + 1 if failed else 0

        ruling = rule_on(self._rules, self._state, self._frame, question, decision)
        if self._spec.seats == 2:
            if forfeits(ruling, decision, turns=self._turns, failures=seat.failures):
                self._forfeit(question.seat)
                ruling = Ruling("forfeit", ruling.late)
        elif seat.failures >= PATIENCE:
            self._reason = "silent"
        if ruling.action is not None:
            self._state = self._rules.step(self._state, ruling.action, question.seat)
        self._write(question, decision, ruling)
        self._look_for_the_end()

    def _forfeit(self, seat: int) -> None:
        self._reason, self._loser = "forfeit", seat

    def _write(self, question: Question, decision: Decision, ruling: Ruling) -> None:
        words = self._spec.actions
        wanted = decision.illegal or decision.said
        if decision.action is not None and 0 <= decision.action < len(words):
            wanted = words[decision.action]
        move = Move(
            seat=question.seat,
            asked_frame=question.asked_frame,
            frame=self._frame,
            action=ruling.action,
            wanted=wanted[:80],
            fate=ruling.fate,
            late=ruling.late,
            rung=decision.rung,
            latency_s=decision.latency_s,
            ttft_s=decision.ttft_s,
            prompt_tokens=decision.prompt_tokens,
            output_tokens=decision.output_tokens,
            calls=decision.calls,
            error=decision.error,
            digest=self._rules.digest(self._state),
            charges=decision.charges,
        )
        self._moves.append(move)
        if self._watch is not None:
            self._watch(self._frame, self._state, move)

    def _look_for_the_end(self) -> None:
        if self._reason is not None:
            return
        if self._rules.over(self._state):
            self._reason = "over"
        elif self._frame >= self._frame_limit:
            self._reason = "frames"
        elif any(map(self._spent, self._seats)) and not self._questions():
            acting = self._rules.to_act(self._state)
            if acting and all(self._spent(self._seats[index]) for index in acting):
                self._reason = "steps"

    def _spent(self, seat: _Seat) -> bool:
        """Whether the seat has used up its actions."""
        return seat.steps >= self._spec.step_limit

    async def _take_back(self) -> None:
        """Cancel the questions that nobody waits for any more, and see them end."""
        answers = [question.answer for question in self._questions()]
        for answer in answers:
            answer.cancel()
        await asyncio.gather(*answers, return_exceptions=True)

    def _end(self, seconds: float) -> End:
        assert self._reason is not None
        scores = tuple(
            float(self._rules.score(self._state, seat)) for seat in range(self._spec.seats)
        )
        return End(
            frames=self._frame,
            steps=len(self._moves),
            scores=scores,
            outcome=self._outcome(scores),
            reason=self._reason,
            forfeited_by=self._loser,
            seconds=seconds,
            digest=self._rules.digest(self._state),
        )

    def _outcome(self, scores: tuple[float, ...]) -> tuple[float, ...]:
        if self._spec.seats == 1:
            return ()
        if self._loser is not None:
            return tuple(float(seat != self._loser) for seat in range(2))
        if decided := self._rules.outcome(self._state):
            return tuple(decided)
        # A limit ended it: whoever leads has won.
        lead = scores[0] - scores[1]
        first = 0.5 if lead == 0 else float(lead > 0)
        return first, 1 - first
