"""One OpenAI-compatible server: its address, its key, and the connections to it."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiohttp

from goodput.bench.wire.chunks import body_message
from goodput.core.errors import UsageError

# Servers close idle connections after 5 s (uvicorn's default). Ours must go first: a request
# written to a connection that is just being closed is lost, and that would count as a miss.
_KEEPALIVE_S = 4.0
_MAX_ERROR_BYTES = 65_536


def base_url(url: str) -> str:
    """``http://host:port/v1`` for any of the ways to write a server's address.

    Raises UsageError for anything else than plain http(s) addresses; secrets do not belong there.
    """
    text = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise UsageError("the server's address is not a valid URL") from None
    if parts.username is not None or parts.password is not None:
        raise UsageError("the server's address must not hold a password: use --api-key")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise UsageError(f"{url!r} is not a server address like http://127.0.0.1:8000")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    authority = host if port is None else f"{host}:{port}"
    path = parts.path.rstrip("/").removesuffix("/chat/completions")
    return f"{parts.scheme}://{authority}{path or '/v1'}"


def reason_of(error: BaseException) -> str:
    """What went wrong on the network, in the system's own few words."""
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


class Endpoint:
    """An asynchronous context that owns the HTTP session; usable only inside it.

    The key is sent as a bearer token and appears nowhere else: :meth:`redact` takes it out of
    whatever a server says back.
    """

    def __init__(self, url: str, api_key: str | None = None) -> None:
        self.url = base_url(url)
        self._api_key = (api_key or "").strip()
        if not (
            self._api_key.isascii() and self._api_key.isprintable() and " " not in self._api_key
        ):
            raise UsageError("the API key has characters that no HTTP header can carry")
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        headers = {"Authorization": f"Bearer {self._api_key}"} if self._api_key else {}
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEPALIVE_S),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            headers=headers | {"Content-Type": "application/json"},
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._session is not None
        await self._session.close()

    async def post(self, path: str, body: bytes) -> aiohttp.ClientResponse:
        """Send ``body`` (JSON); the response's headers are read, its body is the caller's.

        The caller releases it by ``async with``. Redirects are not followed: the key would travel.
        """
        assert self._session is not None, "use the endpoint inside its context"
        return await self._session.post(self.url + path, data=body, allow_redirects=False)

    async def get(self, path: str) -> aiohttp.ClientResponse:
        """As :meth:`post`, without a body."""
        assert self._session is not None, "use the endpoint inside its context"
        return await self._session.get(self.url + path, allow_redirects=False)

    async def complaint(self, response: aiohttp.ClientResponse) -> str:
        """What the server says about a request that it did not accept, without our key."""
        message = body_message(await response.content.read(_MAX_ERROR_BYTES))
        return self.redact(message) or f"HTTP {response.status} without a word"

    def redact(self, text: str) -> str:
        """``text`` with the API key, should it be in there, replaced by ``***``."""
        return text.replace(self._api_key, "***") if self._api_key else text
