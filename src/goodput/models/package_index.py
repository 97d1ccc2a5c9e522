"""Where a wheel can be fetched from, according to pip's own configuration."""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import sys
import urllib.request
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

DEFAULT_INDEX = "https://pypi.org/simple"
TIMEOUT_S = 30.0
_MAX_PAGE_BYTES = 64 * 1024 * 1024
# What urllib raises when the other side, the way there, or the address is at fault.
NETWORK_ERRORS = (OSError, HTTPException, ValueError)


@dataclass(frozen=True)
class PipSettings:
    """The settings of pip that say how to reach the index. ``auth`` is an Authorization header."""

    index_url: str = DEFAULT_INDEX
    certificate: str | None = None
    no_index: bool = False
    auth: str | None = field(default=None, repr=False)


def read_pip_settings() -> PipSettings:
    """Ask pip itself, so that its files and its environment variables count alike.

    Without pip (an environment made by another tool) only the environment is read, and so it is
    when ``PIP_CONFIG_FILE`` is the null device, pip's own way of saying "no files".
    """
    found = _configured() if os.environ.get("PIP_CONFIG_FILE") != os.devnull else {}
    for option in ("index-url", "cert", "no-index"):
        from_environment = os.environ.get("PIP_" + option.upper().replace("-", "_"))
        if from_environment:
            found[option] = from_environment
    index_url, auth = split_credentials(found.get("index-url", DEFAULT_INDEX))
    return PipSettings(
        index_url=index_url,
        certificate=found.get("cert"),
        no_index=found.get("no-index", "").lower() in ("1", "true", "yes", "on"),
        auth=auth,
    )


def _configured() -> dict[str, str]:
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"],
        capture_output=True,
        text=True,
        check=False,
    )
    found: dict[str, str] = {}
    for line in listing.stdout.splitlines():
        key, separator, value = line.partition("=")
        section, _, option = key.rpartition(".")
        if separator and section in ("global", "download"):
            found[option] = value.strip("'\"")
    return found


def split_credentials(url: str) -> tuple[str, str | None]:
    """The address without ``user:password@``, and the header that carries them instead."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url, None
    login, _, host = parts.netloc.rpartition("@")
    token = base64.b64encode(unquote(login).encode()).decode()
    return urlunsplit(parts._replace(netloc=host)), f"Basic {token}"


def wheel_url(settings: PipSettings, package: str, wheel: str) -> str:
    """The address of the file ``wheel`` by the index's JSON API.

    Raises one of NETWORK_ERRORS when the index cannot be reached, does not speak JSON or lacks it.
    """
    page = settings.index_url.rstrip("/") + f"/{package}/"
    headers = {"Accept": "application/vnd.pypi.simple.v1+json"}
    with open_url(settings, page, headers) as response:
        listing = json.loads(response.read(_MAX_PAGE_BYTES))
        base = response.geturl()
    files = listing.get("files", []) if isinstance(listing, dict) else []
    for file in files:
        if isinstance(file, dict) and file.get("filename") == wheel:
            return urljoin(str(base), str(file.get("url")))
    raise ValueError(f"the index {settings.index_url} does not list {wheel}")


def open_url(settings: PipSettings, url: str, headers: dict[str, str]) -> HTTPResponse:
    """GET ``url`` with pip's certificate and the proxies of the environment; the caller closes it.

    Credentials go only to the index's own host. Raises one of NETWORK_ERRORS.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(f"{url} is not an http address")
    context = ssl.create_default_context()
    if settings.certificate:
        context.load_verify_locations(cafile=settings.certificate)
    request = urllib.request.Request(url, headers=headers)
    if settings.auth and urlsplit(url).netloc == urlsplit(settings.index_url).netloc:
        request.add_unredirected_header("Authorization", settings.auth)
    response: HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT_S, context=context)
    return response
