"""Every error that a user can meet, with the HTTP status and exit code that it maps to.

The message of a :class:`GoodputError` is one clear sentence that names the field, file or worker
concerned. The command line prints it without a traceback; the HTTP frontend puts it in the body.
"""

from __future__ import annotations


class GoodputError(Exception):
    """Base of all errors that are reported to a user as one sentence.

    ``http_status`` and ``kind`` (OpenAI's ``error.type``) are used by the frontend,
    ``exit_code`` by the command line.
    """

    http_status = 500
    kind = "server_error"
    exit_code = 1

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code


class UsageError(GoodputError):
    """A command line, deployment file or environment that cannot work."""

    exit_code = 2


class InvalidRequestError(GoodputError):
    """A request whose field ``param`` is wrong (400)."""

    http_status = 400
    kind = "invalid_request_error"
    exit_code = 2


class ContextLengthError(InvalidRequestError):
    """A prompt (plus its answer) that does not fit the context (400)."""

    def __init__(self, message: str, *, param: str = "messages") -> None:
        super().__init__(message, param=param, code="context_length_exceeded")


class ModelNotFoundError(GoodputError):
    """A model name that nothing here serves or knows (404)."""

    http_status = 404
    kind = "invalid_request_error"

    def __init__(self, message: str) -> None:
        super().__init__(message, param="model", code="model_not_found")


class CheckpointError(GoodputError):
    """A checkpoint file that is damaged, of an unsupported type, or not a model."""


class DownloadError(GoodputError):
    """A model could not be fetched: no network, no disk, or a checksum that differs."""


class OverloadedError(GoodputError):
    """Too much work is queued (429 by the client's share, 503 by the server's state).

    ``retry_after_s`` is sent as ``Retry-After`` (whole seconds, at least 1).
    """

    http_status = 429
    kind = "overloaded_error"

    def __init__(self, message: str, *, retry_after_s: float = 1.0, http_status: int = 429) -> None:
        super().__init__(message, code="overloaded")
        self.retry_after_s = retry_after_s
        self.http_status = http_status


class WorkerLostError(GoodputError):
    """The workers that could finish this request are gone (503)."""

    http_status = 503
    kind = "server_error"

    def __init__(self, message: str) -> None:
        super().__init__(message, code="worker_lost")
