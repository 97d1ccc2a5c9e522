"""A server's address as users write it, and what goes wrong on the way to it, in words."""

from __future__ import annotations

import os
import ssl
from urllib.parse import urlsplit

from goodput.core.errors import UsageError


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
    if any(character.isspace() or not character.isascii() for character in text):
        raise UsageError("the server's address has characters that no HTTP request can carry")
    try:
        parts.hostname.encode("idna")
    except UnicodeError:  # An empty label, or one that is too long: no resolver takes it.
        raise UsageError(f"{parts.hostname!r} cannot be a server's name") from None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    authority = host if port is None else f"{host}:{port}"
    path = parts.path.rstrip("/")
    for verb in ("/chat/completions", "/completions"):
        path = path.removesuffix(verb)
    return f"{parts.scheme}://{authority}{path or '/v1'}"


def reason_of(error: BaseException) -> str:
    """What went wrong on the network, in the system's own few words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted ({error.verify_message}); "
            "SSL_CERT_FILE can name the authority's certificate"
        )
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {(error.reason or str(error)).lower().replace('_', ' ')}"
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno).lower()
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
