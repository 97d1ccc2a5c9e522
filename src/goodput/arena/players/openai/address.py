"""``MODEL@URL``: which model, where, and the name of the variable that holds its key."""

from __future__ import annotations

import os
from typing import NamedTuple

from goodput.bench.wire.address import base_url
from goodput.core.errors import UsageError

_KEY_VARIABLE = "OPENAI_API_KEY"


class Address(NamedTuple):
    """``url`` ends in ``/v1`` or what the user gave instead; ``api_key`` is None without one."""

    model: str
    url: str
    api_key: str | None

    @property
    def label(self) -> str:
        """The model and where it is, without what all addresses share."""
        return f"{self.model}@{self.url.partition('://')[2].removesuffix('/v1')}"


def parse_address(text: str) -> Address:
    """Read ``MODEL@URL`` or ``MODEL@URL#VARIABLE``; the model's name may hold colons and slashes.

    Raises UsageError that says what is missing; secrets that stand where they do not belong are
    not repeated in it.
    """
    model, at, rest = text.rpartition("@")
    if not at:
        raise UsageError(f"the player 'openai:{text}' needs a server: openai:{text or 'MODEL'}@URL")
    if not model:
        raise UsageError(f"the player 'openai:{text}' needs a model before the @")
    if "://" in model:
        raise UsageError(
            "the player's server must not hold a password: name a variable with its key behind #"
        )
    url, hash_, variable = rest.partition("#")
    if hash_ and not variable.isidentifier():
        raise UsageError("what stands behind the player's # is not the name of a variable")
    key = os.environ.get(variable if hash_ else _KEY_VARIABLE)
    if hash_ and not key:
        raise UsageError(f"the player's key should be in the variable {variable!r}, which is unset")
    return Address(model, base_url(url), key or None)
