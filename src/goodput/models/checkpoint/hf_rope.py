"""Rotary settings of a Hugging Face ``config.json``, in its older and newer spellings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from goodput.core.errors import CheckpointError
from goodput.models.checkpoint.hf_fields import ConfigJson
from goodput.models.config import RopeScaling


@dataclass(frozen=True, slots=True)
class Rope:
    """``local_theta`` is None where the file has one kind of layer only."""

    theta: float
    scaling: RopeScaling | None = None
    linear_factor: float = 1.0
    local_theta: float | None = None


class _Llama3(msgspec.Struct, frozen=True):
    factor: float
    low_freq_factor: float
    high_freq_factor: float
    original_max_position_embeddings: int


def read_rope(raw: ConfigJson, path: Path, default_theta: float) -> Rope:
    """Raises CheckpointError (a scaling that is not supported) or msgspec.ValidationError."""
    fields = raw.rope_parameters or raw.rope_scaling or {}
    local_theta = raw.rope_local_base_freq
    if "full_attention" in fields or "sliding_attention" in fields:
        by_kind = msgspec.convert(fields, dict[str, dict[str, Any]])
        fields, local = by_kind.get("full_attention", {}), by_kind.get("sliding_attention", {})
        _refuse_unless(_kind(local) == "default", local, path)
        local_theta = msgspec.convert(local.get("rope_theta", local_theta), float | None)
    theta = raw.rope_theta if raw.rope_theta is not None else fields.get("rope_theta")
    theta = msgspec.convert(default_theta if theta is None else theta, float)
    if _kind(fields) == "default":
        return Rope(theta, local_theta=local_theta)
    if _kind(fields) == "linear":
        factor = msgspec.convert(fields.get("factor"), float)
        return Rope(theta, linear_factor=factor, local_theta=local_theta)
    _refuse_unless(_kind(fields) == "llama3", fields, path)
    llama3 = msgspec.convert(fields, _Llama3)
    scaling = RopeScaling(
        factor=llama3.factor,
        low_freq_factor=llama3.low_freq_factor,
        high_freq_factor=llama3.high_freq_factor,
        original_max_position=llama3.original_max_position_embeddings,
    )
    return Rope(theta, scaling=scaling, local_theta=local_theta)


def _kind(fields: dict[str, Any]) -> Any:
    return fields.get("rope_type", fields.get("type", "default"))


def _refuse_unless(known: bool, fields: dict[str, Any], path: Path) -> None:
    if not known:
        raise CheckpointError(f"{path}: the rope scaling {_kind(fields)!r} is not supported")
