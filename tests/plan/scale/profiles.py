"""Workers whose steps take times that are easy to follow."""

from __future__ import annotations

from goodput.plan.profile.schema import Line, Link, WorkerProfile
from goodput.plan.scale.fleet import FleetSpec, Group

PREFILL = Line(base_s=0.010, prefill_token_s=1e-4, prefill_pair_s=2e-9)
DECODE = Line(base_s=0.015, decode_row_s=5e-4, context_token_s=4e-7)
LARGE = Line(base_s=0.010, decode_row_s=8e-4, context_token_s=4e-7)
MIXED = Line(
    base_s=0.018,
    prefill_token_s=1e-4,
    prefill_pair_s=2e-9,
    decode_row_s=4e-4,
    context_token_s=4e-7,
)
WORKER = WorkerProfile(
    prefill=PREFILL,
    decode=DECODE,
    mixed=MIXED,
    large_decode=LARGE,
    large_batch=12,
    kv_tokens=60_000,
)
LINK = Link(base_s=0.001, bytes_per_s=1e10)
KV_BYTES = 100_000


def apart(prefill: int = 1, decode: int = 1, worker: WorkerProfile = WORKER) -> FleetSpec:
    """Prefill and decode workers."""
    return FleetSpec(
        groups=(
            Group("prefill", prefill, worker, saturation_tokens=1),
            Group("decode", decode, worker),
        ),
        link=LINK,
        kv_bytes_per_token=KV_BYTES,
        paced=False,
    )


def together(count: int = 1, *, saturation: int = 256, paced: bool = False) -> FleetSpec:
    """Mixed workers."""
    group = Group("mixed", count, WORKER, token_budget=512, saturation_tokens=saturation)
    return FleetSpec(groups=(group,), link=LINK, kv_bytes_per_token=KV_BYTES, paced=paced)
