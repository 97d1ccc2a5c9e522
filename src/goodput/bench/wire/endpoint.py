"""One OpenAI-compatible server: its address, its key, and the connections to it."""

from __future__ import annotations

import asyncio
import ssl
import time
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import goodput
from goodput.bench.wire.address import base_url
from goodput.bench.wire.answer import Answer
from goodput.bench.wire.connection import Connection
from goodput.core.errors import UsageError

# Servers close idle connections after 5 s (uvicorn's default). Ours must go first: a request
# written to a connection that is just being closed is lost, and that would count as a miss.
_KEEPALIVE_S = 4.0
# What follows [DONE] has to be read for a connection to be used again; so long it may take.
_TRAILER_TIMEOUT_S = 0.5


class Endpoint:
    """An asynchronous context that owns the connections; usable only inside it.

    The key is sent as a bearer token and appears nowhere else: :meth:`redact` takes it out of
    whatever a server says back. HTTPS trusts the system's authorities, or those of the file that
    ``SSL_CERT_FILE`` names.
    """

    def __init__(self, url: str, api_key: str | None = None) -> None:
        self.url = base_url(url)
        self._api_key = (api_key or "").strip()
        if not (
            self._api_key.isascii() and self._api_key.isprintable() and " " not in self._api_key
        ):
            raise UsageError("the API key has characters that no HTTP header can carry")
        parts = urlsplit(self.url)
        self._host = parts.hostname or ""
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._path = parts.path
        headers = [
            f"Host: {parts.netloc}",
            f"User-Agent: goodput/{goodput.__version__}",
            "Accept: text/event-stream, application/json",
            "Accept-Encoding: identity",
            "Content-Type: application/json",
            *([f"Authorization: Bearer {self._api_key}"] if self._api_key else []),
        ]
        self._headers = "\r\n".join(headers)
        self._address: str | None = None
        self._free: list[Connection] = []
        self._all: set[Connection] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for connection in list(self._all):
            connection.abort()
        # The loop closes sockets in its next round.
        await asyncio.sleep(0)

    async def post(self, path: str, body: bytes, answer: Answer | None = None) -> Answer:
        """Send ``body`` (JSON) and return when the answer is finished; redirects are answers too
        (the key would travel).

        Cancelling closes the connection. Raises OSError when the server cannot be reached, else
        what ``answer.finished`` raises.
        """
        head = f"POST {self._path}{path} HTTP/1.1\r\n{self._headers}\r\nContent-Length: "
        return await self._exchange(b"%b%d\r\n\r\n%b" % (head.encode(), len(body), body), answer)

    async def get(self, path: str, answer: Answer | None = None) -> Answer:
        """As :meth:`post`, without a body."""
        head = f"GET {self._path}{path} HTTP/1.1\r\n{self._headers}\r\n\r\n"
        return await self._exchange(head.encode(), answer)

    def redact(self, text: str) -> str:
        """``text`` with the API key, should it be in there, replaced by ``***``."""
        return text.replace(self._api_key, "***") if self._api_key else text

    def complaint(self, answer: Answer) -> str:
        """What the server says about a request that it did not accept, without our key."""
        return self.redact(answer.complaint())

    async def _exchange(self, request: bytes, answer: Answer | None) -> Answer:
        answer = answer or Answer()
        connection = self._take_free() or await self._connect()
        connection.ask(request, answer)
        try:
            await answer.finished
        except BaseException:
            connection.drop(answer)
            raise
        asyncio.get_running_loop().call_later(_TRAILER_TIMEOUT_S, connection.drop, answer)
        return answer

    def _take_free(self) -> Connection | None:
        """The connection that was used last, so that those in excess grow old and go."""
        oldest = time.monotonic() - _KEEPALIVE_S
        while self._free:
            connection = self._free.pop()
            if connection.open and connection.free_since > oldest:
                return connection
            connection.abort()
        return None

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        transport, connection = await loop.create_connection(
            lambda: Connection(self._free.append, self._all.discard),
            self._address or self._host,
            self._port,
            ssl=self._tls,
            server_hostname=self._host if self._tls else None,
        )
        # A name is looked up once a run: that is not the server's time.
        self._address = transport.get_extra_info("peername")[0]
        self._all.add(connection)
        return connection
