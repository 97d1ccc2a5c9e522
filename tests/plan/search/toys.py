"""A machine on which everything can be worked out by hand."""

import numpy as np

from goodput.plan.profile.schema import Line, Link, Profile, WorkerProfile
from goodput.plan.scale.fleet import FleetSpec, Group
from goodput.plan.search.candidate import Candidate
from goodput.plan.search.demand import Demand


def toy_worker(
    *,
    token_s: float = 1e-3,
    row_s: float = 10e-3,
    base_s: float = 0.0,
    kv_tokens: int = 1_000_000,
    tensor: int = 1,
    pipeline: int = 1,
) -> WorkerProfile:
    """A prompt token takes a millisecond, an answer's token ten, and nothing is shared."""
    return WorkerProfile(
        tensor=tensor,
        pipeline=pipeline,
        prefill=Line(base_s=base_s, prefill_token_s=token_s),
        decode=Line(base_s=base_s, decode_row_s=row_s),
        mixed=Line(base_s=base_s, prefill_token_s=token_s, decode_row_s=row_s),
        kv_tokens=kv_tokens,
    )


def toy_profile(*workers: WorkerProfile, node: int = 8, far_bytes_per_s: float = 1e9) -> Profile:
    """KV of a kilobyte a token: a link of 1 GB/s moves a million tokens a second."""
    return Profile(
        name="toy",
        model="toy",
        machine="a sheet of paper",
        origin="measured",
        source="made up",
        accelerator="core",
        node=node,
        workers=workers or (toy_worker(),),
        near=Link(base_s=0.0, bytes_per_s=1e12),
        far=Link(base_s=0.0, bytes_per_s=far_bytes_per_s),
        kv_bytes_per_token=1000,
        context_length=100_000,
    )


def toy_demand(
    prompt: int = 300, output: int = 11, *, requests: int = 1000, seed: int = 0
) -> Demand:
    """Poisson arrivals of equal requests."""
    rng = np.random.default_rng(seed)
    return Demand(
        name="toy",
        times_s=np.cumsum(rng.exponential(size=requests)),
        prompts=np.full(requests, prompt),
        outputs=np.full(requests, output),
    )


def toy_candidate(
    prefill: int = 0, decode: int = 0, mixed: int = 0, worker: WorkerProfile | None = None
) -> Candidate:
    """So many workers of each role on one node."""
    profile = toy_profile(*([worker] if worker is not None else []))
    counts = {"prefill": prefill, "decode": decode, "mixed": mixed}
    groups = tuple(
        Group(role=role, count=count, worker=profile.workers[0])  # type: ignore[arg-type]
        for role, count in counts.items()
        if count
    )
    fleet = FleetSpec(
        groups=groups, link=profile.near, kv_bytes_per_token=profile.kv_bytes_per_token
    )
    return Candidate(fleet)
