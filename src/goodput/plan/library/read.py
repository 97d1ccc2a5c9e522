"""Profiles as users name them: a file, or one that comes along."""

from __future__ import annotations

from pathlib import Path

import msgspec

from goodput.core.errors import UsageError
from goodput.plan.library import named_profile
from goodput.plan.profile.schema import Profile


def find_profile(text: str) -> Profile:
    """The profile of a file, else of that name.

    Raises UsageError that names the file and the field that is wrong, or lists the names there are.
    """
    path = Path(text)
    if path.suffix != ".json" and not path.exists():
        return named_profile(text)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the profile {path}: {error.strerror}") from None
    try:
        return msgspec.json.decode(data, type=Profile)
    except msgspec.MsgspecError as error:
        raise UsageError(f"the profile {path} is wrong: {error}") from None
