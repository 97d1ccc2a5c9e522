"""Whether this machine can run the torch backend, said in one sentence."""

from __future__ import annotations

from goodput.core.config import Device
from goodput.core.errors import UsageError


def require_torch(device: Device) -> None:
    """Import torch and look for ``device``. Raises UsageError when either is missing."""
    try:
        import torch
    except ImportError:
        raise UsageError(
            "the torch backend (backend torch, or engine.device cuda) needs torch: "
            "pip install 'goodput[torch]'"
        ) from None
    if device == "cuda" and not torch.cuda.is_available():
        built = "" if torch.version.cuda else f"; torch {torch.__version__} is built without CUDA"
        raise UsageError(f"engine.device is cuda, but no CUDA device was found{built}")
