"""Profiles as files, whole or absent."""

from __future__ import annotations

from pathlib import Path

import msgspec

from goodput.core.files import write_atomically
from goodput.plan.profile.schema import Profile


def write_profile(path: Path, profile: Profile) -> None:
    """Write readable JSON; raises UsageError naming the file when it cannot be made."""
    data = msgspec.json.format(msgspec.json.encode(profile), indent=2)
    write_atomically(path, data + b"\n")
