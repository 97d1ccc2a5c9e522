"""The limits of an engine that a profile's worker would be given."""

from __future__ import annotations

from typing import Final

from goodput.core.config import EngineConfig
from goodput.plan.profile.schema import Profile
from goodput.plan.simulate.fleet import worker_of

_DEFAULT: Final = EngineConfig()
_LEAST_SATURATION: Final = 64
_MOST_SATURATION: Final = 2048
_MOST_KV_TOKENS: Final = 1 << 22


def engine_for(profile: Profile, accelerators: int | None) -> EngineConfig:
    """Limits for a worker on so many accelerators (None: the fewest that the profile has).

    A measured profile was measured with the defaults. Elsewhere a step is saturated where its
    prompt tokens take as long as its fixed part, and the batch is as large as the KV allows.
    """
    fewest = min(worker.accelerators for worker in profile.workers)
    worker = worker_of(profile, fewest if accelerators is None else accelerators)
    kv_tokens = min(worker.kv_tokens, _MOST_KV_TOKENS)
    if profile.origin == "measured":
        return EngineConfig(kv_tokens=kv_tokens, threads=worker.accelerators)
    line = worker.prefill
    balance = line.base_s / line.prefill_token_s if line.prefill_token_s else _MOST_SATURATION
    saturation = round(min(max(balance, _LEAST_SATURATION), _MOST_SATURATION))
    return EngineConfig(
        kv_tokens=kv_tokens,
        threads=worker.accelerators,
        saturation_tokens=saturation,
        token_budget=4 * saturation + 256,
        max_sequences=256,
    )
