"""A scripted generator, a byte-level tokenizer, and the app on a real socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import httpx
import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from goodput.core.clock import MonotonicClock
from goodput.core.config import LimitsConfig
from goodput.core.errors import InvalidRequestError
from goodput.core.request import GenerationRequest, TokenDelta, TokenLogprobs
from goodput.core.timeline import Timeline
from goodput.frontend import WorkerStatus, create_app
from goodput.frontend.gate import Gate

EOS = 256
THINK = 257  # another special token
WORDS = 258  # ids from here on are whole words
VOCAB = [b" hello", b" world", "né".encode(), "😀".encode()[:3], "😀".encode()[3:] + b"!"]


class ByteTokenizer:
    """Ids 0..255 are bytes, then two special tokens, then a few words."""

    eos_token_ids = (EOS,)
    vocab_size = WORDS + len(VOCAB)

    def encode_prompt(self, text: str, /) -> list[int]:
        return list(text.encode())

    def token_bytes(self, token: int, /) -> bytes:
        if token < 256:
            return bytes([token])
        return b"<special>" if token < WORDS else VOCAB[token - WORDS]

    def is_special(self, token: int, /) -> bool:
        return EOS <= token < WORDS


class ByteText:
    """Turns as lines; refuses a conversation that begins with the assistant."""

    def __init__(self) -> None:
        self.tokenizer = ByteTokenizer()

    def encode_chat(self, messages: Sequence[dict[str, Any]], /) -> list[int]:
        if messages[0]["role"] == "assistant":
            raise InvalidRequestError("The conversation must not begin with the assistant.")
        lines = "".join(f"{turn['role']}: {turn['content']}\n" for turn in messages)
        return list(lines.encode())


class ScriptedGenerator:
    """Replies with ``reply`` and the end token, as fast or as slowly as a test wants it."""

    def __init__(self) -> None:
        self.reply: Sequence[int] = b"hi"
        self.per_delta = 1
        self.gap_s = 0.0
        self.refuse: Exception | None = None
        self.fail_after: tuple[int, Exception] | None = None
        self.stall_after: int | None = None
        self.cached_tokens = 0
        self.handoff = True
        self.requests: list[GenerationRequest] = []
        self.active = 0
        self.peak = 0
        self.cancelled = 0
        self.clock = MonotonicClock()

    async def generate(self, request: GenerationRequest) -> AsyncIterator[TokenDelta]:
        self.requests.append(request)
        self.active += 1
        self.peak = max(self.peak, self.active)
        complete = False
        try:
            if self.refuse is not None:
                raise self.refuse
            async for delta in self._script(request):
                complete = delta.finish_reason is not None
                yield delta
        finally:
            self.active -= 1
            self.cancelled += not complete and self.refuse is None

    async def _script(self, request: GenerationRequest) -> AsyncIterator[TokenDelta]:
        sampling = request.sampling
        now = self.clock.now
        timeline = Timeline(received=request.received, submitted=now(), prefill_started=now())
        tokens = list(self.reply)
        if not sampling.ignore_eos:
            tokens.append(EOS)
        tokens = tokens[: sampling.max_tokens]
        for start in range(0, len(tokens), self.per_delta):
            if self.stall_after is not None and start >= self.stall_after:
                await asyncio.Event().wait()
            if self.fail_after is not None and start >= self.fail_after[0]:
                raise self.fail_after[1]
            await asyncio.sleep(self.gap_s)
            ids = tokens[start : start + self.per_delta]
            last = start + self.per_delta >= len(tokens)
            if timeline.first_token is None:
                timeline.first_token = now()
                if self.handoff:
                    timeline.offered = timeline.accepted = timeline.decode_started = now()
            timeline.last_token = now()
            stopped = ids[-1] == EOS
            yield TokenDelta(
                request_id=request.id,
                token_ids=ids,
                logprobs=self._logprobs(ids, sampling.logprobs),
                finish_reason=("stop" if stopped else "length") if last else None,
                stop_token=EOS if stopped else None,
                cached_tokens=self.cached_tokens if last else 0,
                timeline=timeline if last else None,
            )

    @staticmethod
    def _logprobs(ids: list[int], wanted: int | None) -> list[TokenLogprobs] | None:
        if wanted is None:
            return None
        return [TokenLogprobs(-0.5, [(token, -0.5), (65, float("-inf"))][:wanted]) for token in ids]


class Fleet:
    def __init__(self) -> None:
        self.is_ready = True

    def ready(self) -> bool:
        return self.is_ready

    def workers(self) -> list[WorkerStatus]:
        state = "ready" if self.is_ready else "starting"
        return [
            WorkerStatus(
                name=f"{role}-0", role=role, state=state, pid=7, gauges={"kv_blocks_free": 12.0}
            )
            for role in ("prefill", "decode")
        ]


class Stage:
    """The app under test, its parts, and (inside ``serve``) its address."""

    def __init__(self, limits: LimitsConfig | None = None) -> None:
        self.generator = ScriptedGenerator()
        self.text = ByteText()
        self.fleet = Fleet()
        self.app = create_app(
            self.generator,
            self.text,
            model_name="tiny:1m",
            context_length=200,
            limits=limits or LimitsConfig(max_body_bytes=20_000),
            fleet_status=self.fleet,
        )
        self.port = 0

    @property
    def gate(self) -> Gate:
        return self.app.state.gate

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextlib.asynccontextmanager
    async def serve(self) -> AsyncIterator[Stage]:
        """Uvicorn's own protocol on a socket; only its slow start and end are left out."""
        config = uvicorn.Config(self.app, log_level="critical", http="httptools", lifespan="off")
        config.load()
        state = ServerState()
        listener = await asyncio.get_running_loop().create_server(
            lambda: HttpToolsProtocol(config=config, server_state=state, app_state={}),
            "127.0.0.1",
            backlog=1024,
        )
        self.port = listener.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            listener.close()
            for connection in list(state.connections):
                connection.shutdown()
            await _eventually(lambda: not state.connections and not state.tasks)
            await listener.wait_closed()

    def in_process(self) -> httpx.AsyncClient:
        """A client without a socket, for what needs no streaming."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://test", timeout=10
        )

    async def post(self, path: str, body: Any = None, **kwargs: Any) -> httpx.Response:
        async with self.in_process() as client:
            if body is not None:
                kwargs["json"] = body
            return await client.post(path, **kwargs)

    async def chat(self, **fields: Any) -> httpx.Response:
        body = {"model": "tiny:1m", "messages": [{"role": "user", "content": "hey"}], **fields}
        return await self.post("/v1/chat/completions", body)

    async def complete(self, **fields: Any) -> httpx.Response:
        body = {"model": "tiny:1m", "prompt": "hey", **fields}
        return await self.post("/v1/completions", body)

    async def metrics(self) -> str:
        async with self.in_process() as client:
            return (await client.get("/metrics")).text


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture(scope="session")
def make_stage() -> Callable[..., Stage]:
    return Stage


@pytest.fixture
async def server(stage: Stage) -> AsyncIterator[Stage]:
    async with stage.serve():
        yield stage


@pytest.fixture
def tokenizer() -> ByteTokenizer:
    return ByteTokenizer()


async def _eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - conditions are plain attributes
            await asyncio.sleep(0.005)


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], Any]:
    """Wait until a condition holds; fails the test after five seconds."""
    return _eventually
