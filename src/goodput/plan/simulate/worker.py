"""A worker of the simulation: the real loop and engine, on a clock of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from goodput.core.clock import ManualClock
from goodput.core.config import EngineConfig, ModelledConfig, Role
from goodput.core.speeds import Speeds
from goodput.engine.engine import Engine
from goodput.kv.block_pool import BlockPool
from goodput.plan.profile.schema import StepLoad, WorkerProfile
from goodput.plan.simulate.executor import VOCABULARY, Leaper, TimedExecutor
from goodput.workers.loop import WorkerLoop
from goodput.workers.messages import FromWorker, ToWorker, WorkerConfig

_STALL_S: Final = 0.005

Deliver = Callable[[float, FromWorker], None]
NoteStep = Callable[[float, float, StepLoad], None]


class _LoopEnd:
    """The worker's end of the channel: what its loop says is delivered with its own time."""

    def __init__(self, deliver: Deliver, clock: ManualClock) -> None:
        self._deliver = deliver
        self._clock = clock

    def send(self, message: FromWorker) -> None:
        """See :class:`~goodput.workers.channel.Channel`."""
        self._deliver(self._clock.now(), message)

    def receive(self, timeout_s: float) -> list[ToWorker]:
        """Not used: messages come with each turn."""
        raise AssertionError("a simulated worker is never polled")


class SimulatedWorker:
    """Stands in a slot for a process; acts when it is woken, and says when it wants to be again.

    Nobody sees a worker between two messages, so a step is played at once, when it begins, and
    what it reports is delivered at its end. Messages that come meanwhile wait for that end, as they
    do in a real worker. Without ``note_step``, which is to see every step, steps that end before
    ``horizon()`` are leapt over (``executor.Leaper``); the host's own ``speeds`` learn from them.
    """

    def __init__(
        self,
        name: str,
        role: Role,
        engine: EngineConfig,
        profile: WorkerProfile,
        *,
        first_block: int,
        num_blocks: int,
        seed: int,
        post: Callable[[SimulatedWorker, ToWorker], None],
        deliver: Deliver,
        speeds: Speeds,
        horizon: Callable[[], float],
        note_step: NoteStep | None = None,
    ) -> None:
        self.name = name
        self.complaint: str | None = None
        self.free_at = 0.0
        self._post = post
        self._note_step = note_step
        self._clock = ManualClock()
        self._inbox: list[ToWorker] = []
        self._executor = TimedExecutor(profile, self._clock, f"{seed}/{name}")
        pool = BlockPool(first_block, num_blocks, engine.block_size, engine.prefix_cache)
        self.engine = Engine(engine, pool, self._executor, self._clock, role, lease_prefix=name)
        if note_step is None:
            scheduler = self.engine.scheduler
            learners = (scheduler.pace.speeds, speeds)
            scheduler.guess = Leaper(self._executor, self._clock, scheduler, learners, horizon)
        end = _LoopEnd(deliver, self._clock)
        self._loop = WorkerLoop(_config(name, role, engine), end, self.engine, self._clock)

    @property
    def pid(self) -> int:
        """None in fact."""
        return 0

    def kill(self) -> None:
        """A fence: in a simulation nobody is ever late, so this is a bug."""
        raise AssertionError(f"the simulated worker {self.name} was killed: {self.complaint}")

    def send(self, message: ToWorker) -> None:
        """What the host says to this worker."""
        self._post(self, message)

    def hear(self, message: ToWorker) -> None:
        """A message has arrived; it is read at the next turn."""
        self._inbox.append(message)

    def turn(self, now: float) -> float | None:
        """Act at ``now``; when the worker acts next by itself (None: only on a message)."""
        self._clock.advance_to(now)
        messages, self._inbox = self._inbox, []
        self._loop.turn(messages)
        self.free_at = self._clock.now()
        if self._note_step is not None and self.free_at > now:
            self._note_step(now, self.free_at, self._executor.last)
        if not self.engine.has_work:
            return None
        return self.free_at + (_STALL_S if self._loop.stalled else 0.0)


def _config(name: str, role: Role, engine: EngineConfig) -> WorkerConfig:
    """Of all that a process is told, a loop reads little."""
    return WorkerConfig(
        name=name,
        role=role,
        incarnation=0,
        engine=engine,
        context_length=engine.context_length or 0,
        engine_kind="modelled",
        backend="cpu",
        model_path=None,
        modelled=ModelledConfig(),
        vocab_size=VOCABULARY,
        pool_fd=-1,
        pool_blocks=0,
        bytes_per_block=0,
        first_block=0,
        num_blocks=0,
    )
