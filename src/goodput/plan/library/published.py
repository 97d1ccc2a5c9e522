"""OPT on A100 as the DistServe authors measured it (``data/``, Apache-2.0), as profiles.

Their model in milliseconds of one pipeline stage, for prompts of lengths l and ``pp`` stages:
prefill (a + b·Σl + c·Σl²)/pp + pp, decode (a + b·Σcontext + c·batch)/pp, with other coefficients
from a certain batch on (simdistserve; arXiv 2401.09670, section 4.1). Here times are through all
stages and in seconds, and l²/2 are the pairs of a prompt.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal, get_args

import msgspec
import numpy as np

from goodput.plan.library.models import model_shapes
from goodput.plan.profile.schema import Line, Link, Profile, WorkerProfile

Engine = Literal["distserve", "vllm"]
ENGINES: tuple[Engine, ...] = get_args(Engine)

_DATA = Path(__file__).with_name("data")
_MS = 1e-3
_NODE = 8
# The paper's cluster (section 6.1): NVLink inside of a node, 25 Gb/s between nodes. A100's NVLink
# moves 300 GB/s one way. The fixed part is ours: messages, as in our own hand-offs.
_NEAR = Link(base_s=1e-3, bytes_per_s=300e9)
_FAR = Link(base_s=2e-3, bytes_per_s=25e9 / 8)
_MIXED = (
    "mixed steps were not measured: they are taken to cost the larger of both fixed parts and the "
    "rows of both"
)

Triple = tuple[float, float, float]


class _Fit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    decoding_large_small_bs_threshold: int
    prefill: Triple
    decoding_smallbs: Triple
    decoding_largebs: Triple


class _Fits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    engine: str
    source: str
    licence: str
    coefficients: dict[str, dict[int, _Fit]]


class _Capacity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    model: str
    tensor: int
    pipeline: int
    tokens: int


class _Capacities(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    licence: str
    rows: list[_Capacity]


@cache
def published_models() -> tuple[str, ...]:
    """Models whose times were published, by their short names."""
    names = _fits("distserve").coefficients
    return tuple(name.removeprefix("facebook/") for name in names)


def published_profile(model: str, engine: Engine) -> Profile:
    """``model`` (one of :func:`published_models`) on A100, served by ``engine``."""
    fits = _fits(engine)
    shape = model_shapes()[model]
    by_tensor = fits.coefficients[f"facebook/{model}"]
    workers = tuple(
        _worker(by_tensor[row.tensor], row, shape.context_length)
        for row in _capacities().rows
        if row.model == f"facebook/{model}" and row.tensor in by_tensor
    )
    return Profile(
        name=f"{model}-a100-{engine}",
        model=model,
        machine="nodes of 8 NVIDIA A100-SXM4-80GB, 25 Gb/s between nodes",
        origin="published",
        source=f"{fits.engine}: {fits.source}; {fits.licence}; {_MIXED}",
        accelerator="a100",
        node=_NODE,
        workers=workers,
        near=_NEAR,
        far=_FAR,
        kv_bytes_per_token=shape.kv_bytes_per_token,
        context_length=shape.context_length,
    )


def _worker(fit: _Fit, capacity: _Capacity, context_length: int) -> WorkerProfile:
    stages_ms = float(capacity.pipeline**2)
    a, b, c = _without_negative(fit.prefill, context_length)
    prefill = Line(
        base_s=(a + stages_ms) * _MS, prefill_token_s=b * _MS, prefill_pair_s=2 * c * _MS
    )
    decode = _decode(fit.decoding_smallbs)
    return WorkerProfile(
        tensor=capacity.tensor,
        pipeline=capacity.pipeline,
        prefill=prefill,
        decode=decode,
        mixed=Line(
            base_s=max(prefill.base_s, decode.base_s),
            prefill_token_s=prefill.prefill_token_s,
            prefill_pair_s=prefill.prefill_pair_s,
            decode_row_s=decode.decode_row_s,
            context_token_s=decode.context_token_s,
        ),
        large_decode=_decode(fit.decoding_largebs),
        large_batch=fit.decoding_large_small_bs_threshold,
        kv_tokens=capacity.tokens,
    )


def _decode(fit: Triple) -> Line:
    base, context, row = fit
    return Line(base_s=base * _MS, context_token_s=context * _MS, decode_row_s=row * _MS)


def _without_negative(fit: Triple, context_length: int) -> Triple:
    """One fit (vLLM, OPT-66B, two ways) has a falling quadratic part: a line without it instead.

    The line has the least squares of relative error against the published curve, as the original.
    """
    a, b, c = fit
    if c >= 0:
        return fit
    lengths = np.arange(1.0, context_length + 1)
    curve = a + b * lengths + c * lengths**2
    rows = np.stack([1 / curve, lengths / curve], axis=1)
    (base, slope), *_ = np.linalg.lstsq(rows, np.ones_like(curve), rcond=None)
    return float(base), float(slope), 0.0


@cache
def _fits(engine: Engine) -> _Fits:
    data = (_DATA / f"a100-80g.opt.{engine}.json").read_bytes()
    return msgspec.json.decode(data, type=_Fits)


@cache
def _capacities() -> _Capacities:
    return msgspec.json.decode(
        (_DATA / "a100-80g.opt.kv_tokens.json").read_bytes(), type=_Capacities
    )
