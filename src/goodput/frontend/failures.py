"""Errors in OpenAI's shape."""

from __future__ import annotations

import math

import orjson

from goodput.core.errors import GoodputError, OverloadedError


class BodyTooLargeError(GoodputError):
    """The body is longer than the server reads (413)."""

    http_status = 413
    kind = "invalid_request_error"


class SlowBodyError(GoodputError):
    """The body did not arrive in time (408)."""

    http_status = 408
    kind = "invalid_request_error"


class RouteError(GoodputError):
    """A path or method that does not exist here (404, 405)."""

    kind = "invalid_request_error"

    def __init__(self, message: str, http_status: int) -> None:
        super().__init__(message)
        self.http_status = http_status


def error_body(error: GoodputError) -> bytes:
    """``{"error": {message, type, param, code}}``"""
    return orjson.dumps(
        {
            "error": {
                "message": error.message,
                "type": error.kind,
                "param": error.param,
                "code": error.code,
            }
        }
    )


def error_event(error: GoodputError) -> bytes:
    """The event that ends a stream early; OpenAI's client raises APIError when it reads it."""
    return b"data: %b\n\n" % error_body(error)


def error_headers(error: GoodputError) -> list[tuple[bytes, bytes]]:
    """``Retry-After`` where trying again later can help; ``Connection`` where a body is unread."""
    if isinstance(error, OverloadedError):
        seconds = max(1, math.ceil(error.retry_after_s))
        return [(b"retry-after", b"%d" % seconds)]
    if error.http_status == 503:
        return [(b"retry-after", b"1")]
    if isinstance(error, BodyTooLargeError | SlowBodyError):
        return [(b"connection", b"close")]
    return []


def unexpected(error: Exception) -> GoodputError:
    """What a client is told of a fault of ours; the log has the details."""
    return GoodputError(
        f"The server met an unexpected error ({type(error).__name__}); its log has the details."
    )
