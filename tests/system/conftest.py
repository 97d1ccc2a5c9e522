"""Real worker processes with the modelled engine, which checks the KV it reads back."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from goodput.control.fleet import Fleet, ModelFacts
from goodput.core.config import (
    DeploymentConfig,
    EngineConfig,
    LimitsConfig,
    ModelledConfig,
    WorkerCounts,
)
from goodput.core.request import GenerationRequest, SamplingParams, TokenDelta
from goodput.core.tiers_config import TiersConfig
from goodput.engine.modelled import modelled_token
from goodput.models.catalog import resolve
from goodput.workers.messages import Fault

VOCAB = 1000
BLOCK = 16
FACTS = ModelFacts(path=None, vocab_size=VOCAB, context_length=2048, bytes_per_block=BLOCK * 8)


def request_of(name: str, prompt: Sequence[int], tokens: int) -> GenerationRequest:
    return GenerationRequest(
        id=name,
        prompt=list(prompt),
        sampling=SamplingParams(max_tokens=tokens, temperature=0.0),
        received=time.monotonic(),
    )


def expected(prompt: Sequence[int], tokens: int) -> list[int]:
    """What the modelled engine answers when it runs alone."""
    text = list(prompt)
    for _ in range(tokens):
        text.append(modelled_token(text, VOCAB))
    return text[len(prompt) :]


@dataclass
class Answer:
    tokens: list[int] = field(default_factory=list)
    last: TokenDelta | None = None


async def ask(fleet: Fleet, request: GenerationRequest) -> Answer:
    answer = Answer()
    async for delta in fleet.generate(request):
        assert delta.request_id == request.id
        answer.tokens += delta.token_ids
        answer.last = delta
    return answer


async def eventually(check: Callable[[], Awaitable[str | None]], seconds: float = 20.0) -> None:
    """Until ``check`` has nothing to complain of; fails with its last complaint."""
    deadline = time.monotonic() + seconds
    while (complaint := await check()) is not None:
        assert time.monotonic() < deadline, complaint
        await asyncio.sleep(0.02)


async def assert_whole(fleet: Fleet) -> None:
    """No request, no lease, and every block of every worker free, soon."""

    async def complaint() -> str | None:
        if not fleet.registry.all_ready():
            return f"not all workers came back: {fleet.statuses()}"
        if fleet.coordinator.in_flight or len(fleet.leases):
            return f"{fleet.coordinator.in_flight} requests and {len(fleet.leases)} leases are left"
        for slot in fleet.registry:
            if not slot.wanted:
                continue
            try:
                report = await fleet.inspect(slot.name, 2.0)
            except TimeoutError:
                return f"{slot.name} does not answer"
            assert report.error is None, f"{slot.name}: {report.error}"
            if report.leases or report.sequences or report.free_blocks != report.total_blocks:
                return f"{slot.name} is not whole: {report}"
            if slot.view.queued_tokens or slot.view.sequences:
                return f"the router still counts work at {slot.name}: {slot.view}"
        return None

    await eventually(complaint)
    fleet.leases.check_invariants()


class Kit:
    """What the tests of this folder use; one per test."""

    ask = staticmethod(ask)
    expected = staticmethod(expected)
    request = staticmethod(request_of)
    assert_whole = staticmethod(assert_whole)
    eventually = staticmethod(eventually)

    def __init__(self) -> None:
        self.fleets: list[Fleet] = []

    async def fleet(
        self,
        counts: tuple[int, int, int] = (1, 1, 0),
        *,
        faults: Mapping[str, Fault] | None = None,
        step_ms: float = 1.0,
        prefill_ms: float = 0.01,
        heartbeat_timeout_s: float = 10.0,
        kv_tokens: int = 8192,
        max_sequences: int = 64,
        max_attempts: int = 3,
        tiers: TiersConfig | None = None,
        wait: bool = True,
    ) -> Fleet:
        """A started fleet of (prefill, decode, mixed) workers."""
        prefill, decode, mixed = counts
        config = DeploymentConfig(
            engine_kind="modelled",
            modelled=ModelledConfig(
                step_ms=step_ms,
                prefill_ms_per_token=prefill_ms,
                decode_ms_per_sequence=0.02,
                check_kv=True,
            ),
            workers=WorkerCounts(prefill=prefill, decode=decode, mixed=mixed),
            engine=EngineConfig(kv_tokens=kv_tokens, max_sequences=max_sequences),
            limits=LimitsConfig(heartbeat_timeout_s=heartbeat_timeout_s, max_attempts=max_attempts),
            tiers=tiers or TiersConfig(),
        )
        config.check()
        facts = msgspec.structs.replace(FACTS, kv_folder=config.tiers.folder or "")
        fleet = Fleet(config, facts, faults=faults)
        self.fleets.append(fleet)
        fleet.start()
        if wait:
            await fleet.wait_ready()
        return fleet


@pytest.fixture
async def kit() -> AsyncIterator[Kit]:
    """Fleets are stopped after the test, and none of their processes may be left."""
    # Python keeps a helper of its own once a test has used multiprocessing: that one may stay.
    before = psutil.Process().children()
    kit = Kit()
    yield kit
    for fleet in kit.fleets:
        await fleet.stop()
    assert [child for child in psutil.Process().children() if child not in before] == []


FAULTY_SERVER = Path(__file__).parents[2] / "benchmarks" / "chaos" / "server.py"


class ServeProcess:
    """A real ``goodput serve`` on a free port; prints to ``log``.

    ``faults`` (worker name → fields of its fault) go to the workers; there are no options then.
    """

    def __init__(
        self,
        folder: Path,
        deployment: str,
        *options: str,
        faults: Mapping[str, Mapping[str, object]] | None = None,
    ) -> None:
        file = folder / "deployment.yaml"
        file.write_text(deployment)
        self._log = folder / "serve.log"
        main = "import sys; from goodput.cli import main; sys.exit(main())"
        program = ["-c", main, "serve", str(file), "--port", "0", *options]
        if faults is not None:
            program = [str(FAULTY_SERVER), str(file), "0", json.dumps(faults)]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *program],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def url(self) -> str:
        """The API's base, once it is printed."""
        found = re.search(r"http://[0-9.:]+/v1", self.log)
        assert found, self.log
        return found.group()

    def wait_ready(self, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while "ready: /health" not in self.log:
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.02)

    def workers(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., ServeProcess]]:
    """Starts ready servers; afterwards none of their processes may be left."""
    resolve("smollm2:135m", pull=True)
    started: list[ServeProcess] = []

    def start(deployment: str, *options: str, **faults: Any) -> ServeProcess:
        server = ServeProcess(tmp_path, deployment, *options, **faults)
        started.append(server)
        server.wait_ready()
        return server

    yield start
    for server in started:
        if server.process.poll() is None:
            server.process.kill()
        server.process.wait()
