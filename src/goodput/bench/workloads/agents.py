"""``agents``: sessions of several turns behind one long system prompt.

All sessions of a seed share the system prompt (400 tokens). A session has 2 to 6 turns; each adds
about 35 tokens to the history, which holds the model's own answers (about 40 tokens), and comes
about 3 seconds after the answer before it. The rate counts requests, not sessions.
"""

from __future__ import annotations

from random import Random

from msgspec.structs import replace

from goodput.bench.arrivals.base import Arrivals
from goodput.bench.workloads.base import Message, PlannedRequest, Timed, Workload, generator
from goodput.bench.workloads.text import Length, lognormal, prose
from goodput.core.slo import SLO
from goodput.core.slo_spec import SLOSpec

_SYSTEM_TOKENS = 400
_FEWEST_TURNS, _MOST_TURNS = 2, 6
_MEAN_TURNS = (_FEWEST_TURNS + _MOST_TURNS) / 2
_ASKED: Length = (35, 0.5, 8, 100)
_ANSWER: Length = (40, 0.5, 8, 120)
_THINK_MS: Length = (3000, 0.5, 500, 12_000)
# Only for joining sessions in progress: what an answer is taken to last.
_ANSWER_S = 1.0
_LEAD_S = (_MOST_TURNS - 1) * (3.4 + _ANSWER_S)


class AgentsWorkload(Workload):
    """Multi-turn sessions whose prompts are mostly what the server has computed before."""

    name = "agents"
    slo = SLO(ttft=1.0, tpot=0.100)
    relative = SLOSpec(fixed=SLO(), times={"ttft": 5.0, "tpot": 3.0})

    def request(self, seed: int, index: int) -> PlannedRequest:
        return self.conversation(seed, index)[0]

    def conversation(self, seed: int, index: int) -> list[PlannedRequest]:
        rng = generator(self.name, seed, index)
        system = Message("system", prose(generator(self.name, seed, "system"), _SYSTEM_TOKENS))
        turns = []
        for turn in range(rng.randint(_FEWEST_TURNS, _MOST_TURNS)):
            asked = Message("user", prose(rng, lognormal(rng, _ASKED)))
            answer_tokens, think_ms = lognormal(rng, _ANSWER), lognormal(rng, _THINK_MS)
            turns.append(
                PlannedRequest(
                    messages=(asked,) if turn else (system, asked),
                    max_tokens=answer_tokens,
                    kind=self.name,
                    slo=self.slo,
                    follows=turn - 1 if turn else None,
                    think_s=think_ms / 1e3 if turn else 0.0,
                )
            )
        return turns

    def plan(
        self, rate: float, start: float, end: float, seed: int, arrivals: Arrivals
    ) -> list[Timed]:
        """Sessions that began before ``start`` are joined in progress, answers made up: so the
        rate and the mix of early and late turns are right from the first moment."""
        begun = arrivals.times(rate / _MEAN_TURNS, start - _LEAD_S, end, seed)
        joined = (
            self._join(self.conversation(seed, index), at, start, generator("join", seed, index))
            for index, at in enumerate(begun)
        )
        sessions = [session for session in joined if session and session[0].due < end]
        sessions.sort(key=lambda session: session[0].due)
        plan: list[Timed] = []
        for session in sessions:
            plan.append(session[0])
            for timed in session[1:]:
                follower = replace(timed.request, follows=len(plan) - 1)
                plan.append(Timed(timed.due, follower))
        return plan

    def _join(
        self, turns: list[PlannedRequest], at: float, start: float, rng: Random
    ) -> list[Timed]:
        """The turns expected from ``start`` on, the first of them with all the history before."""
        history: tuple[Message, ...] = ()
        session: list[Timed] = []
        for turn in turns:
            at += turn.think_s
            if session:
                session.append(Timed(at, turn))
            elif at >= start:
                opening = replace(turn, messages=history + turn.messages, follows=None, think_s=0.0)
                session.append(Timed(at, opening))
            else:
                answer = Message("assistant", prose(rng, turn.max_tokens))
                history = (*history, *turn.messages, answer)
            at += _ANSWER_S
        return session
