"""A model as a player: harness, thinking, the constrained answer, and the ladder below it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from goodput.arena.players.base import Charge, Decision, Observation
from goodput.arena.players.harness import perception, reflection
from goodput.arena.players.harness.memory import Memory
from goodput.arena.players.ladder import Reading, read_move
from goodput.arena.players.openai.address import Address
from goodput.arena.players.openai.calls import Caller, Reply
from goodput.arena.players.openai.constraint import Constraint, Probe, tokens_for
from goodput.arena.players.prompt import (
    Form,
    Message,
    choices,
    feedback,
    legal_words,
    system_turn,
    user_turn,
    with_notes,
)
from goodput.arena.players.settings import Settings
from goodput.bench.wire.endpoint import Endpoint

_NOTHING = "(no answer)"
"""Stands for an empty answer in a conversation: some servers refuse empty turns."""


class OpenAIPlayer:
    """Plays by asking ``address``; owns its connections until :meth:`close`.

    What the server can do is found out before the first episode, so that it costs no move; what is
    not known by then (the server was down, or slow) is asked within the next decisions.
    """

    def __init__(self, address: Address, settings: Settings) -> None:
        settings.check()
        self.label = f"{address.label}{settings.words()}"
        self.harness: tuple[str, ...] = settings.harness
        self._settings = settings
        self._endpoint = Endpoint(address.url, address.api_key)
        self._caller = Caller(
            self._endpoint,
            address.model,
            temperature=settings.temperature,
            slo=settings.slo,
        )
        self._probe = Probe(self._caller, constrain=settings.constrain)
        self._memory = Memory()

    async def reset(self, seed: int) -> None:
        """Forget the last episode. The model is not seeded: servers differ in what they promise."""
        self._memory = Memory()
        if not self._probe.done:
            await self._probe.go_on(time.monotonic() + self._settings.timeout_s)

    async def close(self) -> None:
        await self._endpoint.__aexit__(None, None, None)

    async def decide(self, observation: Observation) -> Decision:
        began = time.monotonic()
        self._memory.look(observation)
        turn = _Turn(observation, began + self._settings.timeout_s)
        decision = await self._decide(turn)
        decision.charges = tuple(turn.charges)
        decision.calls = sum(charge.calls for charge in turn.charges)
        decision.prompt_tokens = sum(charge.prompt_tokens for charge in turn.charges)
        decision.output_tokens = sum(charge.output_tokens for charge in turn.charges)
        decision.latency_s = time.monotonic() - began
        self._memory.keep(observation, decision)
        return decision

    async def _decide(self, turn: _Turn) -> Decision:
        if not self._probe.done:
            found = await self._probe.go_on(turn.deadline)
            turn.charges.append(found.charge("probe"))
            if found.error is not None:
                return _no_move(found)
        notes = await self._notes(turn)
        if self._probe.constraint is not None:
            decision = await self._choose(turn, notes, self._probe.constraint)
            if decision is not None:
                return decision
        return await self._climb(turn, notes)

    async def _notes(self, turn: _Turn) -> dict[str, str]:
        """What the harness has to say before the move, by title. A part that fails says nothing."""
        notes: dict[str, str] = {}
        moves = self._memory.text()
        if "memory" in self.harness and moves:
            notes["Your last moves"] = moves
        if "reflection" in self.harness and moves:
            said = await self._note(
                turn, "reflection", reflection.request(moves), reflection.MAX_TOKENS
            )
            if said:
                notes[reflection.TITLE] = said
        if "perception" in self.harness:
            said = await self._note(turn, "perception", perception.REQUEST, perception.MAX_TOKENS)
            if said:
                notes[perception.TITLE] = said
        return notes

    async def _note(self, turn: _Turn, part: str, request: str, max_tokens: int) -> str:
        reply = await self._ask(turn, part, self._opening(turn, request), max_tokens)
        return "" if reply.error is not None else reply.text.strip()

    async def _choose(
        self, turn: _Turn, notes: dict[str, str], constraint: Constraint
    ) -> Decision | None:
        """The constrained answer, after free thinking where that is wanted; None when the server
        did not hold the model to the actions after all."""
        observation = turn.observation
        if self._settings.think:
            messages = self._opening(turn, with_notes(notes, choices(observation, "thinking")))
            thought = await self._ask(turn, "thinking", messages, self._settings.think)
            if thought.error is not None:
                return _no_move(thought)
            messages = _continued(messages, thought.text, choices(observation, constraint.form))
        else:
            messages = self._opening(turn, with_notes(notes, choices(observation, constraint.form)))
        words = legal_words(observation)
        reply = await self._ask(
            turn, "answer", messages, tokens_for(words), constraint.fields(words)
        )
        if reply.error is not None:
            return None if reply.refused else _no_move(reply)
        reading = turn.read(reply)
        if reading.action is None:
            return None
        return _move(Reading(reading.action, "choice"), reply)

    async def _climb(self, turn: _Turn, notes: dict[str, str]) -> Decision:
        """The unconstrained answer, read rung by rung, and one retry with feedback."""
        think = self._settings.think
        form: Form = "thinking" if think else "free"
        messages = self._opening(turn, with_notes(notes, choices(turn.observation, form)))
        reply = await self._ask(turn, "answer", messages, self._settings.max_tokens + think)
        if reply.error is not None:
            return _no_move(reply)
        reading = turn.read(reply)
        if reading.action is not None:
            return _move(reading, reply)
        messages = _continued(messages, reply.text, feedback(turn.observation, reading.illegal))
        again = await self._ask(turn, "retry", messages, self._settings.max_tokens)
        if again.error is not None:
            decision = _no_move(again)
            decision.illegal = reading.illegal
            return decision
        second = turn.read(again)
        if second.action is None and second.illegal is None:
            return _move(Reading(None, "none", reading.illegal), again)
        return _move(Reading(second.action, "retry", second.illegal), again)

    def _opening(self, turn: _Turn, below: str) -> list[Message]:
        observation = turn.observation
        return [
            system_turn(observation.rules.spec),
            user_turn(observation, self._settings.observe, below),
        ]

    async def _ask(
        self,
        turn: _Turn,
        part: str,
        messages: Sequence[Message],
        max_tokens: int,
        extra: dict[str, object] | None = None,
    ) -> Reply:
        reply = await self._caller.ask(messages, max_tokens, turn.deadline, extra)
        turn.charges.append(reply.charge(part))
        return reply


class _Turn:
    """One decision while it is made: the question, the time it may take, and its bill."""

    def __init__(self, observation: Observation, deadline: float) -> None:
        self.observation = observation
        self.deadline = deadline
        self.charges: list[Charge] = []

    def read(self, reply: Reply) -> Reading:
        """The move in an answer."""
        spec = self.observation.rules.spec
        return read_move(reply.text, spec.actions, self.observation.legal)


def _continued(messages: Sequence[Message], said: str, request: str) -> list[Message]:
    """The conversation after the model's answer, with what is asked next."""
    return [
        *messages,
        {"role": "assistant", "content": said.strip() or _NOTHING},
        {"role": "user", "content": request},
    ]


def _move(reading: Reading, reply: Reply) -> Decision:
    return Decision(
        action=reading.action,
        rung=reading.rung,
        illegal=reading.illegal,
        ttft_s=reply.ttft_s,
        said=reply.text,
    )


def _no_move(reply: Reply) -> Decision:
    return Decision(
        action=None,
        rung="none",
        error=reply.error,
        timed_out=reply.timed_out,
        ttft_s=reply.ttft_s,
        said=reply.text,
    )
