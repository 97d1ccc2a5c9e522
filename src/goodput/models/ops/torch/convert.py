"""The torch backend keeps a checkpoint's tensors as they are, in float32."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from goodput.models.checkpoint.base import Checkpoint


def convert(
    checkpoint: Checkpoint, step: Callable[[], None]
) -> Iterator[tuple[str, npt.NDArray[np.generic]]]:
    """Yield every tensor under its own name, calling ``step`` after each layer's last one."""
    for name in checkpoint.names():
        yield name, checkpoint.tensor(name)
        if name.endswith("mlp.down_proj.weight"):
            step()
