"""``goodput serve``: an OpenAI-compatible server with prefill and decode on separate workers."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import typer

from goodput import __version__
from goodput.cli.pull import pull_with_progress
from goodput.core.config import (
    Backend,
    DeploymentConfig,
    Device,
    WorkerCounts,
    load_deployment,
)
from goodput.core.errors import UsageError
from goodput.core.router_config import Admission, PolicyName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from goodput.control.fleet import ModelFacts
    from goodput.frontend.ports import TextSide
    from goodput.workers.messages import Fault

_DEFAULTS = DeploymentConfig()


def serve(
    deployment: Annotated[
        Path | None, typer.Argument(help="A deployment YAML; options below override it.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Model name, .gguf file or HF folder.", show_default=str(_DEFAULTS.model)
        ),
    ] = None,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on.", show_default=str(_DEFAULTS.host))
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port; 0 takes a free one.", show_default=str(_DEFAULTS.port))
    ] = None,
    prefill: Annotated[int | None, typer.Option(help="Prefill workers.", show_default="1")] = None,
    decode: Annotated[int | None, typer.Option(help="Decode workers.", show_default="1")] = None,
    mixed: Annotated[
        int | None,
        typer.Option(help="Workers that do both; alone, it replaces the default pair."),
    ] = None,
    engine: Annotated[
        Literal["model", "modelled"] | None,
        typer.Option(help="'modelled' makes up tokens at modelled speed, to try a deployment."),
    ] = None,
    backend: Annotated[
        Backend | None,
        typer.Option(
            help="'cpu': integer kernels; 'torch': float32 reference, or bfloat16 on a GPU.",
            show_default="what fits the device",
        ),
    ] = None,
    device: Annotated[
        Device | None,
        typer.Option(
            help="'cuda': on a GPU, with one mixed worker and the torch backend.",
            show_default=str(_DEFAULTS.engine.device),
        ),
    ] = None,
    kv_tokens: Annotated[
        int | None,
        typer.Option(
            help="KV cache per worker, tokens.", show_default=str(_DEFAULTS.engine.kv_tokens)
        ),
    ] = None,
    context_length: Annotated[
        int | None, typer.Option(help="Longest prompt plus answer.", show_default="the model's")
    ] = None,
    max_sequences: Annotated[
        int | None,
        typer.Option(help="Batch size bound.", show_default=str(_DEFAULTS.engine.max_sequences)),
    ] = None,
    token_budget: Annotated[
        int | None,
        typer.Option(
            help="Tokens per engine step.", show_default=str(_DEFAULTS.engine.token_budget)
        ),
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Cores per worker.", show_default="1")] = None,
    prefix_cache: Annotated[
        bool | None, typer.Option(help="Reuse the KV of shared prompt starts.", show_default="on")
    ] = None,
    speculative_tokens: Annotated[
        int | None,
        typer.Option(
            help="Guessed tokens that a step with slack verifies; 0: none.",
            show_default=str(_DEFAULTS.engine.speculative_tokens),
        ),
    ] = None,
    policy: Annotated[
        PolicyName | None,
        typer.Option(
            help="How workers are chosen for a request.", show_default=str(_DEFAULTS.router.policy)
        ),
    ] = None,
    conditional: Annotated[
        bool | None,
        typer.Option(
            help="Any worker may do a whole request where that keeps more slack than a hand-off.",
            show_default="off",
        ),
    ] = None,
    admission: Annotated[
        Admission | None,
        typer.Option(
            help="'slo': refuse (429) a request whose SLO can no longer be kept.",
            show_default=str(_DEFAULTS.admission),
        ),
    ] = None,
    kv_ram_mb: Annotated[
        int | None,
        typer.Option(help="MiB of RAM a worker keeps evicted KV blocks in.", show_default="0"),
    ] = None,
    kv_disk_mb: Annotated[
        int | None,
        typer.Option(
            help="MiB of disk for them, shared by workers and restarts.", show_default="0"
        ),
    ] = None,
    planner: Annotated[
        bool | None,
        typer.Option(
            help="Let workers change roles with the traffic; bounds are in the deployment file.",
            show_default="off",
        ),
    ] = None,
) -> None:
    """Serve a model over the OpenAI API; Ctrl-C finishes what is in flight, then stops."""
    config = load_deployment(deployment) if deployment else _DEFAULTS
    config = _override(
        config,
        {
            "model": model,
            "host": host,
            "port": port,
            "backend": backend,
            "engine_kind": engine,
            "admission": admission,
        },
        {
            "device": device,
            "kv_tokens": kv_tokens,
            "context_length": context_length,
            "max_sequences": max_sequences,
            "token_budget": token_budget,
            "threads": threads,
            "prefix_cache": prefix_cache,
            "speculative_tokens": speculative_tokens,
        },
    )
    routing = {"policy": policy, "conditional": conditional}
    given = {name: value for name, value in routing.items() if value is not None}
    config = msgspec.structs.replace(config, router=msgspec.structs.replace(config.router, **given))
    sizes = {"ram_mb": kv_ram_mb, "disk_mb": kv_disk_mb}
    some = {name: value for name, value in sizes.items() if value is not None}
    config = msgspec.structs.replace(config, tiers=msgspec.structs.replace(config.tiers, **some))
    if planner is not None:
        changed = msgspec.structs.replace(config.planner, enabled=planner)
        config = msgspec.structs.replace(config, planner=changed)
    counts = {"prefill": prefill, "decode": decode, "mixed": mixed}
    from_file = deployment is not None
    if config.engine.device == "cuda" and not from_file and set(counts.values()) == {None}:
        counts["mixed"] = 1
    config = msgspec.structs.replace(
        config, workers=_workers(config.workers, counts, from_file=from_file)
    )
    config.check()
    raise typer.Exit(run(config))


def _override(
    config: DeploymentConfig, top: dict[str, object], engine: dict[str, object]
) -> DeploymentConfig:
    given = {name: value for name, value in engine.items() if value is not None}
    changes = {name: value for name, value in top.items() if value is not None}
    return msgspec.structs.replace(
        config, engine=msgspec.structs.replace(config.engine, **given), **changes
    )


def _workers(
    counts: WorkerCounts, options: dict[str, int | None], *, from_file: bool
) -> WorkerCounts:
    given = {name: value for name, value in options.items() if value is not None}
    if set(given) == {"mixed"} and not from_file:
        return WorkerCounts(prefill=0, decode=0, mixed=given["mixed"])
    return msgspec.structs.replace(counts, **given)


def run(config: DeploymentConfig, faults: Mapping[str, Fault] | None = None) -> int:
    """Serve until a signal; the exit code. ``faults`` (worker name → fault) are for tests."""
    from rich.console import Console

    from goodput.control.serving import allow_many_files, bind

    console = Console(stderr=True, highlight=False)

    def notify(line: str) -> None:
        console.print(line, markup=False, soft_wrap=True)

    # First of all, so that a taken port is told before a model is loaded.
    listener = bind(config.host, config.port)
    with listener:
        allow_many_files()
        logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
        notify(f"loading {config.model} …")
        facts, text = load(config)

        import uvloop

        from goodput.control.serving import Serving

        port = listener.getsockname()[1]
        _summary(console, config, facts, f"http://{config.host}:{port}/v1")
        serving = Serving(config, facts, text, listener, notify, faults)
        return uvloop.run(serving.run())


def load(config: DeploymentConfig) -> tuple[ModelFacts, TextSide]:
    """The text side of the model and its facts; converts its weights when that was never done."""
    from goodput.control.fleet import ModelFacts
    from goodput.kv.layout import kv_bytes_per_block
    from goodput.models.load import load_text_side
    from goodput.workers.kv_marks import BYTES_PER_TOKEN

    backend, device = config.chosen_backend, config.engine.device
    if config.engine_kind == "model" and backend == "torch":
        from goodput.models.ops.torch.device import require_torch

        require_torch(device)
    path = pull_with_progress(config.model)
    text = load_text_side(path)
    engine = config.engine
    context = engine.context_length or text.config.context_length
    if context > text.config.context_length:
        raise UsageError(
            f"engine.context_length is {context}, but the model's context has "
            f"{text.config.context_length} tokens."
        )
    capacity = engine.kv_tokens // engine.block_size * engine.block_size
    if config.engine_kind == "model":
        layout = convert_with_progress(path, backend).stem
        block_bytes = kv_bytes_per_block(text.config, engine.block_size, backend, device)
    else:
        layout = "modelled"
        block_bytes = engine.block_size * BYTES_PER_TOKEN
    facts = ModelFacts(
        path=str(path),
        vocab_size=text.config.vocab_size,
        context_length=min(context, capacity),
        bytes_per_block=block_bytes,
        kv_folder=str(_kv_folder(config) / f"{layout}-{engine.block_size}-{__version__}"),
    )
    return facts, text


def _kv_folder(config: DeploymentConfig) -> Path:
    from goodput.models.cache import cache_home

    return cache_home() / "kv" if config.tiers.folder is None else Path(config.tiers.folder)


def convert_with_progress(path: Path, backend: Backend) -> Path:
    """The model's converted weights, made now with a bar where they are missing."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    from goodput.models.weights import prepare

    console = Console(stderr=True)
    columns = (TextColumn("converting weights, once per model"), BarColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None, visible=False)
        return prepare(
            path,
            backend,
            lambda done, total: bar.update(task, completed=done, total=total, visible=True),
        )


def _summary(console: Console, config: DeploymentConfig, facts: ModelFacts, url: str) -> None:
    from rich.table import Table

    from goodput.control.layout import available_cores, plan_slots

    slots = plan_slots(config, available_cores())
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    kind = f"{config.chosen_backend} backend on {config.engine.device}"
    if config.engine_kind == "modelled":
        kind = "modelled, no real answers"
    table.add_row("model", f"{config.model} ({kind}), context {facts.context_length} tokens")
    workers = ", ".join(
        slot.name + (f" (core {','.join(map(str, slot.cores))})" if slot.cores else "")
        for slot in slots
    )
    table.add_row("workers", workers)
    mebibytes = sum(slot.num_blocks for slot in slots) * facts.bytes_per_block / 2**20
    table.add_row("KV cache", f"{config.engine.kv_tokens} tokens each, {mebibytes:.0f} MiB in all")
    table.add_row("API", url)
    console.print(table)
