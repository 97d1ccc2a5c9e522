"""On whose account a request is: the router shares the workers evenly between tenants."""

from __future__ import annotations

import hashlib
from typing import Final

from starlette.types import Scope

_MAX_CHARACTERS: Final = 256
_DEFAULT: Final = "default"


def tenant_of(scope: Scope, user: str | None) -> str:
    """The header ``x-tenant``, else the field ``user``, else the API key's hash, else "default".

    Nothing here is proof of who asks: put a gateway in front that sets the header.
    """
    headers = dict(scope["headers"])
    named = headers.get(b"x-tenant", b"").decode("latin-1").strip()[:_MAX_CHARACTERS]
    if named or user:
        return named or user or _DEFAULT
    scheme, _, key = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() == b"bearer" and key.strip():
        # A name for the queue and its figures, which must not give the key away.
        return "key-" + hashlib.sha256(key.strip()).hexdigest()[:12]
    return _DEFAULT
