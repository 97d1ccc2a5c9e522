"""One serving process from bound port to clean exit: fleet, HTTP frontend, signals, drain."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import resource
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import uvicorn

from goodput.control.fleet import Fleet, ModelFacts
from goodput.control.fleet_metrics import FleetMetrics
from goodput.control.registry import WorkerPhase
from goodput.core.config import DeploymentConfig
from goodput.core.errors import GoodputError, UsageError
from goodput.core.heap import settle_heap
from goodput.frontend.app import create_app
from goodput.frontend.ports import TextSide, WorkerState, WorkerStatus
from goodput.models.grammar_check import complaint
from goodput.workers.messages import Fault

_BACKLOG: Final = 2048
_ACCEPTS_PER_ROUND: Final = 16
_CLOSE_TIMEOUT_S: Final = 5
_STATES: Final[dict[WorkerPhase, WorkerState]] = {
    WorkerPhase.DEAD: "lost",
    WorkerPhase.STARTING: "starting",
    WorkerPhase.READY: "ready",
    WorkerPhase.DRAINING: "draining",
    WorkerPhase.STOPPED: "stopped",
}


class FleetHealth:
    """The fleet as the frontend's ``FleetStatus``."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def ready(self) -> bool:
        """Whether at least one whole path from prompt to answer has live workers."""
        return self._fleet.ready()

    def workers(self) -> Sequence[WorkerStatus]:
        """All worker slots."""
        return [
            WorkerStatus(
                name=slot.name,
                role=slot.role,
                state=_STATES[slot.phase],
                pid=slot.pid,
                gauges=slot.gauges,
            )
            for slot in self._fleet.statuses()
        ]


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the first signal drains, which it cannot."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bind(host: str, port: int) -> socket.socket:
    """The listening socket (port 0: any free one). Raises UsageError in one sentence.

    Called before anything is started, so that a taken port costs no time.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except socket.gaierror:
        raise UsageError(f"The host {host} is not an address of this machine.") from None
    except OSError as error:
        reason = (
            "is already in use"
            if error.errno == errno.EADDRINUSE
            else f"cannot be used: {error.strerror}"
        )
        raise UsageError(
            f"Port {port} on {host} {reason}; choose another one with --port."
        ) from None


def accepting(listener: socket.socket) -> list[socket.socket]:
    """The listener and copies of it; a server that gets them all accepts from each in turn.

    uvloop takes one connection from a socket in each round of its loop. A busy server's rounds take
    milliseconds, so that a burst of new connections waited for seconds while others were answered.
    """
    return [listener, *(listener.dup() for _ in range(_ACCEPTS_PER_ROUND - 1))]


def allow_many_files() -> None:
    """Raise this process's limit of open files as far as it may: each client takes one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Serving:
    """Runs a deployment until a signal, or until its workers cannot start.

    ``notify`` gets short lines for the operator, ``faults`` (for tests) go to the workers. Workers,
    pool and ``listener`` are gone when :meth:`run` returns or raises.
    """

    def __init__(
        self,
        config: DeploymentConfig,
        model: ModelFacts,
        text: TextSide,
        listener: socket.socket,
        notify: Callable[[str], None],
        faults: Mapping[str, Fault] | None = None,
    ) -> None:
        self._config = config
        self._faults = faults
        self._model = model
        self._text = text
        self._listener = listener
        self._notify = notify
        self._signals: asyncio.Queue[signal.Signals] = asyncio.Queue()

    async def run(self) -> int:
        """The exit code: 0 after a drain, 130 when a second signal cut it short.

        Raises GoodputError when a worker cannot start.
        """
        fleet = Fleet(self._config, self._model, notify=self._notify, faults=self._faults)
        app = create_app(
            fleet,
            self._text,
            model_name=served_name(self._config.model),
            context_length=self._model.context_length,
            limits=self._config.limits,
            fleet_status=FleetHealth(fleet),
            judge_grammar=complaint if self._config.engine_kind == "model" else None,
        )
        app.state.service.metrics.registry.register(FleetMetrics(fleet))
        server = _Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                proxy_headers=False,
                http="httptools",
                timeout_graceful_shutdown=_CLOSE_TIMEOUT_S,
            )
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._signals.put_nowait, number)
        http = asyncio.create_task(server.serve(sockets=accepting(self._listener)))
        interrupted = asyncio.create_task(self._signals.get())
        failed = asyncio.create_task(fleet.wait_failed())
        ready = asyncio.create_task(self._announce_ready(fleet))
        try:
            fleet.start()
            await asyncio.wait([http, interrupted, failed], return_when=asyncio.FIRST_COMPLETED)
            if failed.done():
                raise failed.result()
            if http.done():
                http.result()
                raise GoodputError("The HTTP server ended by itself.")
            fleet.hold()
            gate = app.state.gate
            gate.start_draining()
            return await self._drain(gate.pending, gate.wait_idle())
        finally:
            for task in (ready, interrupted, failed):
                task.cancel()
            # Whoever still waits gets an error now, which uvicorn then writes out.
            fleet.coordinator.draining = True
            fleet.coordinator.fail_all("The server was stopped while it had the request.")
            server.should_exit = True
            await asyncio.wait([http])
            await fleet.stop()
            self._listener.close()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    async def _announce_ready(self, fleet: Fleet) -> None:
        with contextlib.suppress(GoodputError):  # run() raises it
            await fleet.wait_ready()
            settle_heap()
            self._notify("ready: /health answers 200")

    async def _drain(self, pending: int, idle: Coroutine[None, None, None]) -> int:
        seconds = self._config.limits.drain_timeout_s
        if pending:
            self._notify(
                f"stopping: {pending} requests in flight have up to {seconds:g} s to finish; "
                "a second signal stops at once"
            )
        done = asyncio.create_task(idle)
        again = asyncio.create_task(self._signals.get())
        await asyncio.wait([done, again], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        code = 130 if again.done() else 0
        if not done.done() and not again.done():
            self._notify("the time to finish is over; the other requests get an error")
        for task in (done, again):
            task.cancel()
        return code


def served_name(model: str) -> str:
    """The name in /v1/models: a catalog name as it is, a path by its last part."""
    return Path(model).name if "/" in model else model
