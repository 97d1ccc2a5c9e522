"""The servers of the runtime's benchmark: serving systems around an engine without a model."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from goodput.core.config import (
    DeploymentConfig,
    EngineConfig,
    LimitsConfig,
    ModelledConfig,
    WorkerCounts,
)
from goodput.models.catalog import resolve
from peers.float_folder import float_folder
from serving_contenders import VLLM_TOKENIZER_SCRIPT, Contender

MODEL = "smollm2:135m"


def ours(name: str, workers: WorkerCounts, step_ms: float, folder: Path) -> Contender:
    """``goodput serve`` on a deployment file; every step of its workers takes ``step_ms``."""
    config = DeploymentConfig(
        model=MODEL,
        engine_kind="modelled",
        modelled=ModelledConfig(step_ms=step_ms, prefill_ms_per_token=0, decode_ms_per_sequence=0),
        workers=workers,
        engine=EngineConfig(max_sequences=256, token_budget=8192, saturation_tokens=8192),
        limits=LimitsConfig(max_pending=4096),
    )
    file = folder / f"{name.replace(' ', '')}.yaml"
    file.write_bytes(msgspec.yaml.encode(config))
    command = (sys.executable, "-m", "goodput.cli", "serve", str(file), "--port", "{port}")
    return Contender(name, command, ours=True)


def dynamo(name: str, python: str, workers: int, folder: Path) -> Contender:
    """Dynamo's frontend with its KV router and ``workers`` of its mocker, which take no time.

    Discovery by files and events by ZeroMQ: neither etcd nor NATS is needed.
    """
    model = _peer_folder(folder / "model")
    script = (
        f"{python} -m dynamo.mocker --model-path {model} --model-name {MODEL}"
        f" --num-workers {workers} --speedup-ratio 0 --block-size 16"
        " --num-gpu-blocks-override 2048 & "
        f"exec {python} -m dynamo.frontend --http-host 127.0.0.1 --http-port {{port}}"
        " --router-mode kv --kv-cache-block-size 16"
    )
    environment = (
        ("DYN_DISCOVERY_BACKEND", "file"),
        ("DYN_FILE_KV", str(folder / "discovery")),
        ("DYN_REQUEST_PLANE", "tcp"),
        ("DYN_LOG", "warn"),
        ("HF_HUB_OFFLINE", "1"),
    )
    return Contender(name, ("sh", "-c", script), False, environment)


def bodies(tokens: int) -> Iterator[bytes]:
    """Chats of about 60 tokens that share no prefix; each answer has ``tokens`` tokens."""
    number = 0
    while True:
        number += 1
        text = f"Number {number * 7919 % 100_003}: " + "tell me what is new about it, please. " * 4
        yield json.dumps(
            {
                "model": MODEL,
                "messages": [{"role": "user", "content": text}],
                "max_tokens": tokens,
                "ignore_eos": True,
                "temperature": 0,
                "stream": True,
            }
        ).encode()


def _peer_folder(folder: Path) -> Path:
    """The model as Hugging Face's libraries want it, with its tokenizer and chat template."""
    model = resolve(MODEL)
    folder.mkdir(parents=True, exist_ok=True)
    float_folder(model, folder)
    if not (folder / "tokenizer.json").exists():
        script = (sys.executable, str(VLLM_TOKENIZER_SCRIPT))
        subprocess.run([*script, str(model), str(folder)], check=True)
    return folder
