"""A profile of this machine: every part measured here and now."""

from __future__ import annotations

import asyncio
import platform
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from goodput.core.config import EngineConfig
from goodput.engine.model_executor import build_model_executor
from goodput.kv.layout import kv_bytes_per_block
from goodput.kv.shared_pool import SharedPool
from goodput.models.load import TextSide, load_text_side
from goodput.plan.profile.grid import shapes
from goodput.plan.profile.handoff import measure_handoff
from goodput.plan.profile.measure import Progress, calibrate
from goodput.plan.profile.schema import Profile, RegionError, WorkerProfile

_QUESTION_WORDS: Final = 120
_ENCODINGS: Final = 20


def profile_machine(
    name: str,
    model: str,
    path: Path,
    threads: Sequence[int],
    *,
    seconds: float,
    progress: Progress | None = None,
) -> Profile:
    """Calibrate workers with each number of ``threads`` for about ``seconds`` in all.

    ``path`` is the model's file or folder. An accelerator is a core here.
    """
    text = load_text_side(path)
    workers: list[WorkerProfile] = []
    errors: list[RegionError] = []
    for number, count in enumerate(threads):

        def share(done: float, number: int = number) -> None:
            if progress is not None:
                progress((number + done) / len(threads))

        engine = EngineConfig(threads=count)
        size = kv_bytes_per_block(text.config, engine.block_size, "cpu")
        pool = SharedPool.create(engine.kv_tokens // engine.block_size, size)
        steps = shapes(
            token_budget=engine.token_budget,
            context_length=text.config.context_length,
            kv_tokens=engine.kv_tokens,
            block=engine.block_size,
        )
        executor = build_model_executor(path, pool, engine, "cpu")
        found = calibrate(executor, engine, steps, seconds=seconds / len(threads), progress=share)
        workers.append(found.worker)
        suffix = f", {count} cores" if len(threads) > 1 else ""
        errors += [
            RegionError(
                region=error.region + suffix,
                points=error.points,
                median=error.median,
                p90=error.p90,
                worst=error.worst,
            )
            for error in found.errors
        ]
    per_token = kv_bytes_per_block(text.config, 1, "cpu")
    link = asyncio.run(measure_handoff(per_token))
    return Profile(
        name=name,
        model=model,
        machine=f"{_cpu()}, {platform.system()}",
        origin="measured",
        source="goodput profile",
        accelerator="cpu core",
        node=len(_cores()),
        workers=tuple(workers),
        near=link,
        far=link,
        kv_bytes_per_token=per_token,
        context_length=text.config.context_length,
        frontend_s=_frontend_s(text),
        errors=tuple(errors),
    )


def _frontend_s(text: TextSide) -> float:
    """Seconds to render and encode a question: the largest part of the frontend's work."""
    if text.chat_template is None:
        return 0.0
    messages = [{"role": "user", "content": " ".join(["measure"] * _QUESTION_WORDS)}]
    times = []
    for _ in range(_ENCODINGS):
        began = time.perf_counter()
        text.encode_chat(messages)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _cores() -> list[int]:
    from goodput.control.layout import available_cores

    return available_cores()


def _cpu() -> str:
    """The processor's own name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
