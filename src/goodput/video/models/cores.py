"""What every verb that makes or trains films begins with."""

from __future__ import annotations

from goodput.core.errors import UsageError


def use_cores(count: int) -> None:
    """Have torch compute with so many cores; 0 leaves it all of them.

    Raises UsageError when torch is not installed.
    """
    try:
        import torch
    except ImportError:
        raise UsageError("films need the extra 'film': pip install 'goodput[film]'") from None
    if count:
        torch.set_num_threads(count)
