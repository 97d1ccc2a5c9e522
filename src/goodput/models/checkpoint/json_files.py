"""Small JSON files of a checkpoint folder, read with a size limit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from goodput.core.errors import CheckpointError

MAX_JSON_BYTES = 64 * 1024 * 1024


def read_text(path: Path) -> str:
    """The file's text; CheckpointError when unreadable, not UTF-8 or above 64 MiB."""
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise CheckpointError(f"{path} is larger than {MAX_JSON_BYTES} bytes")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise CheckpointError(f"{path} is not UTF-8 text") from None


def read_object(path: Path, *, optional: bool = False) -> dict[str, Any]:
    """The JSON object in ``path`` ({} when ``optional`` and absent); CheckpointError otherwise."""
    if optional and not path.exists():
        return {}
    try:
        value = msgspec.json.decode(read_text(path))
    except (msgspec.MsgspecError, RecursionError) as error:
        raise CheckpointError(f"{path} is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} does not hold a JSON object")
    return value
