"""What bookkeeping raises when it contradicts itself."""

from __future__ import annotations


class InvariantError(AssertionError):
    """Blocks or leases are not accounted for: a bug, never a user's fault.

    The message is one sentence that names the block, lease or worker. A worker that meets it must
    end, because its KV can no longer be trusted.
    """


def require(condition: bool, sentence: str) -> None:
    """Raise InvariantError with ``sentence`` unless ``condition`` holds (also under ``-O``)."""
    if not condition:
        raise InvariantError(sentence)
