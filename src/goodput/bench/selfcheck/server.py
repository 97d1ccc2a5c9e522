"""A server that knows when it wrote each token: ``python -m goodput.bench.selfcheck.server``.

One thread on bare sockets: an event loop's buffers and millisecond timers would lie between the
stamp and the write. It prints its port and lives until its standard input ends, so it cannot
outlive whoever started it.
"""

from __future__ import annotations

import gc
import heapq
import select
import socket
import sys
import time
from dataclasses import dataclass, field

import httptools
import msgspec

from goodput.bench.selfcheck.timings import PATH, Timing, Timings
from goodput.core.alarm import Alarm

MODEL = "selfcheck"
FIRST_TOKEN_S = 0.1
TOKEN_GAP_S = 0.02


def _event(choices: str, more: str = "") -> bytes:
    fields = (
        '"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","created":1700000000'
    )
    event = f'data: {{{fields},"model":"{MODEL}","choices":[{choices}]{more}}}\n\n'.encode()
    return b"%x\r\n%b\r\n" % (len(event), event)


_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
_TOKEN = _event('{"index":0,"delta":{"content":" token"},"finish_reason":null}')
_FINISH = _event('{"index":0,"delta":{},"finish_reason":"length"}')
_DONE = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"


class _Prompt(msgspec.Struct):
    content: str


class _Asked(msgspec.Struct):
    messages: list[_Prompt]
    max_tokens: int


@dataclass(slots=True)
class _Client:
    """One connection, and the answer that it is getting; its methods are httptools' callbacks."""

    socket: socket.socket
    parser: httptools.HttpRequestParser | None = None
    target: bytes = b""
    body: bytes = b""
    complete: bool = False
    left: int = 0
    length: int = 0
    timing: Timing = field(default_factory=lambda: Timing(0.0, []))

    def on_url(self, url: bytes) -> None:
        self.target, self.body = url, b""

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.complete = True


class TimedServer:
    """Answers each chat request with ``max_tokens`` tokens at ``FIRST_TOKEN_S`` and then every
    ``TOKEN_GAP_S``."""

    def __init__(self, until: int) -> None:
        """``until`` is the descriptor whose end ends the server."""
        self._until = until
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._alarm = Alarm()
        self._poll = select.epoll()
        self._clients: dict[int, _Client] = {}
        self._due: list[tuple[float, int, _Client]] = []
        self._timings = Timings()
        self._cpu = time.process_time()
        for descriptor in (self._listener.fileno(), self._alarm.fileno(), until):
            self._poll.register(descriptor, select.EPOLLIN)

    def run(self) -> None:
        """Serve until the descriptor ends."""
        while True:
            if self._due:
                self._alarm.set(self._due[0][0])
            for descriptor, _ in self._poll.poll():
                if descriptor == self._until:
                    return
                if descriptor == self._alarm.fileno():
                    self._alarm.clear()
                elif descriptor == self._listener.fileno():
                    self._accept()
                else:
                    self._read(self._clients[descriptor])
            while self._due and self._due[0][0] <= time.monotonic():
                _, _, client = heapq.heappop(self._due)
                try:
                    self._write_token(client)
                except OSError:
                    self._close(client)

    def _accept(self) -> None:
        accepted, _ = self._listener.accept()
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = _Client(accepted)
        client.parser = httptools.HttpRequestParser(client)
        self._clients[accepted.fileno()] = client
        self._poll.register(accepted.fileno(), select.EPOLLIN)

    def _read(self, client: _Client) -> None:
        try:
            data = client.socket.recv(1 << 20)
            if not data:
                self._close(client)
                return
            assert client.parser is not None
            client.parser.feed_data(data)
            if client.complete:
                client.complete = False
                self._answer(client)
        except (OSError, httptools.HttpParserError, msgspec.DecodeError):
            self._close(client)

    def _answer(self, client: _Client) -> None:
        received = time.monotonic()
        if client.target == PATH.encode():
            self._timings.cpu_s = time.process_time() - self._cpu
            self._send_json(client, msgspec.json.encode(self._timings))
            self._timings, self._cpu = Timings(), time.process_time()
        elif client.target == b"/v1/models":
            self._send_json(client, msgspec.json.encode({"data": [{"id": MODEL}]}))
        else:
            asked = msgspec.json.decode(client.body, type=_Asked)
            client.timing = Timing(received, [])
            client.left = client.length = asked.max_tokens
            self._timings.requests[asked.messages[-1].content] = client.timing
            client.socket.send(_HEAD)
            self._schedule(client, received + FIRST_TOKEN_S)

    def _schedule(self, client: _Client, at: float) -> None:
        heapq.heappush(self._due, (at, id(client), client))

    def _write_token(self, client: _Client) -> None:
        if client.socket.fileno() < 0:
            return
        stamps = client.timing.tokens
        stamps.append(time.monotonic())
        client.socket.send(_TOKEN)
        client.left -= 1
        if client.left > 0:
            self._schedule(
                client, client.timing.received + FIRST_TOKEN_S + len(stamps) * TOKEN_GAP_S
            )
            return
        usage = f',"usage":{{"prompt_tokens":1,"completion_tokens":{client.length}}}'
        client.socket.send(_FINISH + _event("", usage) + _DONE)

    def _send_json(self, client: _Client, body: bytes) -> None:
        head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
        client.socket.setblocking(True)
        client.socket.sendall(head.encode() + b"%d\r\n\r\n" % len(body) + body)
        client.socket.setblocking(False)

    def _close(self, client: _Client) -> None:
        if client.socket.fileno() >= 0:
            self._clients.pop(client.socket.fileno(), None)
            client.socket.close()


if __name__ == "__main__":
    server = TimedServer(sys.stdin.fileno())
    print(server.port, flush=True)
    gc.freeze()
    gc.disable()
    server.run()
