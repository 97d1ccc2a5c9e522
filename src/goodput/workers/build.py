"""From a worker's configuration to its engine."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from goodput.core.clock import Clock
from goodput.core.config import EngineConfig
from goodput.engine.engine import Engine
from goodput.engine.executor import Executor
from goodput.engine.modelled import CheckedExecutor, LatencyModel, ModelledExecutor
from goodput.kv.block_pool import BlockPool
from goodput.kv.shared_pool import SharedPool
from goodput.kv.tiers.tiers import Tiers
from goodput.workers.kv_marks import KvMarks
from goodput.workers.messages import WorkerConfig


def build_engine(config: WorkerConfig, clock: Clock) -> Engine:
    """Map the shared pool, load the model, reserve what a former life leased.

    Takes seconds with a real model. Raises GoodputError subclasses for what the user can mend.
    """
    shared = SharedPool.attach(config.pool_fd, config.pool_blocks, config.bytes_per_block)
    limits = msgspec.structs.replace(config.engine, context_length=config.context_length)
    if limits.device == "cuda":
        limits = msgspec.structs.replace(limits, speculative_tokens=0)
    pool = BlockPool(config.first_block, config.num_blocks, limits.block_size, limits.prefix_cache)
    tiers = None
    if config.tiers.enabled:
        tiers = Tiers(config.tiers, shared, Path(config.kv_folder))
    executor = _executor(config, limits, shared)
    engine = Engine(limits, pool, executor, clock, config.role, tiers=tiers)
    for lease_id, blocks in config.reserved.items():
        engine.reserve(blocks, lease_id)
    return engine


def _executor(config: WorkerConfig, limits: EngineConfig, shared: SharedPool) -> Executor:
    if config.engine_kind == "modelled":
        model = config.modelled
        latency = LatencyModel(
            step_s=model.step_ms / 1e3,
            prefill_token_s=model.prefill_ms_per_token / 1e3,
            decode_sequence_s=model.decode_ms_per_sequence / 1e3,
        )
        if not model.check_kv:
            return ModelledExecutor(latency, time.sleep, config.vocab_size)
        size = limits.block_size
        marks = KvMarks(shared, size)
        return CheckedExecutor(latency, time.sleep, config.vocab_size, kv=marks, block_size=size)
    # Only here, for it imports torch.
    from goodput.engine.model_executor import build_model_executor

    assert config.model_path is not None
    return build_model_executor(Path(config.model_path), shared, limits, config.backend)
