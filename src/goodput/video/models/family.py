"""The sizes that there are."""

from __future__ import annotations

from typing import Final

import msgspec

from goodput.core.errors import UsageError


class AutoencoderConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A latent stands for 4 frames of 4 by 4 pixels."""

    channels: int = 8
    """Of a latent."""
    width: int = 48
    """Channels of half a frame's detail; twice as many where films are smallest."""


class TransformerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A diffusion transformer with its text encoder."""

    width: int = 192
    depth: int = 6
    heads: int = 4
    patch: tuple[int, int, int] = (2, 4, 4)
    """Latents in a token: frames, height, width."""
    text_width: int = 128
    text_depth: int = 2
    latent_channels: int = 8
    cubes: tuple[int, int, int] | None = None
    """Tokens of a cube for sparse attention; None: every token looks at every token."""
    sparsity: float = 0.0
    """Share of the cubes that a cube does not look at."""

    @property
    def patch_values(self) -> int:
        """Numbers in a token."""
        frames, height, width = self.patch
        return self.latent_channels * frames * height * width


FAMILY: Final[dict[str, TransformerConfig]] = {
    "nano": TransformerConfig(),
    "small": TransformerConfig(width=256, depth=8, patch=(1, 2, 2)),
    "base": TransformerConfig(width=384, depth=12, heads=6, patch=(1, 2, 2), text_width=256),
    "large": TransformerConfig(
        width=768, depth=16, heads=12, patch=(1, 2, 2), text_width=512, text_depth=4
    ),
}


def transformer_config(name: str) -> TransformerConfig:
    """The configuration of that name. Raises UsageError for one that there is not."""
    try:
        return FAMILY[name]
    except KeyError:
        raise UsageError(f"model must be one of {', '.join(FAMILY)}, not {name!r}") from None
