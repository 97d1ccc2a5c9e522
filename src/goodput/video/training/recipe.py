"""What a training run does: a YAML file, one section for each stage."""

from __future__ import annotations

from pathlib import Path

import msgspec

from goodput.core.errors import UsageError
from goodput.video.models.family import AutoencoderConfig, transformer_config


class Optimising(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one network is optimised, by AdamW with warm-up and a cosine towards nothing."""

    steps: int
    batch: int
    learning_rate: float
    warmup: int = 100
    weight_decay: float = 0.01
    clip: float = 1.0
    """Largest norm of a gradient."""
    ema: float = 0.999
    """Share that the running mean of the weights keeps in each step."""
    checkpoint_every: int = 500
    validate_every: int = 500

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "checkpoint_every", "validate_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        if not 0 < self.learning_rate < 1 or not 0 <= self.ema < 1 or self.clip <= 0:
            raise ValueError("learning_rate lies in (0, 1), ema in [0, 1), clip above 0")


class AutoencoderStage(Optimising, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pixels to latents and back."""

    network: AutoencoderConfig = AutoencoderConfig()
    frames: int = 12
    """Of a training clip; a multiple of 4."""
    latent_noise: float = 0.05
    """Deviation of what is added to latents, so that a transformer's small errors do not show."""


class TeacherStage(Optimising, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The diffusion transformer, trained on latents that are encoded once."""

    clips: int
    """Different ones to train on."""
    shift: float = 3.0
    """Of the noise levels, towards noise."""
    unasked: float = 0.1
    """Share of clips without their sentence, for guidance."""
    guidance: float = 3.0
    """How films are asked of it."""


class ConsistencyStage(Optimising, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A student that makes films in few steps, as a warm start for matching."""

    levels: int = 25
    """Steps of the teacher that its path is divided into."""


class MatchingStage(Optimising, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A student whose films are told apart from the teacher's by nobody (DMD2)."""

    student_steps: int = 4
    critic_updates: int = 5
    """Steps of the critic for one of the student."""
    critic_speed: float = 1.0
    """Its learning rate, in the student's."""


class ForcingStage(Optimising, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A network that sees no later chunk: films can be watched while they are made."""

    chunk: int = 2
    """Latent frames that are made together."""


class StreamingStage(MatchingStage, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A student of few steps that goes on from its own chunks (Self-Forcing)."""


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole run."""

    model: str = "nano"
    size: int = 64
    seed: int = 0
    videos: str | None = None
    """A folder with ``videos2caption.json``; moving shapes without it."""
    autoencoder: AutoencoderStage
    teacher: TeacherStage
    consistency: ConsistencyStage | None = None
    matching: MatchingStage | None = None
    forcing: ForcingStage | None = None
    streaming: StreamingStage | None = None

    def __post_init__(self) -> None:
        together = transformer_config(self.model).patch[0]
        if self.size not in (32, 64):
            raise ValueError("size must be 32 or 64 (pixels)")
        if self.forcing is not None and (self.forcing.chunk < 1 or self.forcing.chunk % together):
            raise ValueError(f"chunk must be a multiple of {together} latent frames")
        if self.streaming is not None and self.forcing is None:
            raise ValueError("streaming goes on from forcing, which is missing")


def read_recipe(path: Path) -> Recipe:
    """The recipe in a YAML file. Raises UsageError that names the file and the field."""
    try:
        return msgspec.yaml.decode(path.read_bytes(), type=Recipe)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from None
