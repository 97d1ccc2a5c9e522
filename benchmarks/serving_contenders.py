"""The servers of the headline comparison: how each is started on the same cores, and stopped."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from peers.float_folder import float_folder

_PEERS = Path(__file__).with_name("peers")
LLAMA_CPP_SCRIPT = _PEERS / "llama_cpp_server.py"
VLLM_TOKENIZER_SCRIPT = _PEERS / "vllm_tokenizer.py"
_START_TIMEOUT_S = 600.0
_STOP_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Contender:
    """A server by name: ``command`` with ``{port}`` in it; ``ours`` marks this project's."""

    name: str
    command: tuple[str, ...]
    ours: bool
    environment: tuple[tuple[str, str], ...] = ()

    @contextmanager
    def running(self) -> Iterator[str]:
        """Its URL while it runs, ready to answer; stopped with all its children at the end.

        Raises RuntimeError with the end of its log when it does not come up.
        """
        port = _free_port()
        url = f"http://127.0.0.1:{port}"
        command = [part.replace("{port}", str(port)) for part in self.command]
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, **dict(self.environment)},
            )
            try:
                _wait_until_healthy(process, url, self.name, log.fileno())
                yield url
            finally:
                _stop(process)


def ours(
    name: str,
    workers: Sequence[str],
    model: str,
) -> Contender:
    """``goodput serve`` with such a layout, everything else by default."""
    serve = (sys.executable, "-m", "goodput.cli", "serve", "--model", model)
    return Contender(name, (*serve, *workers, "--port", "{port}"), ours=True)


def llama_cpp(name: str, python: str, model: Path, threads: int, slots: int) -> Contender:
    """llama.cpp's server with continuous batching over ``slots`` sequences."""
    numbers = (str(threads), str(slots), "2048")
    command = (python, str(LLAMA_CPP_SCRIPT), str(model), "{port}", *numbers)
    return Contender(name, command, ours=False)


def vllm(name: str, python: str, model: Path, folder: Path) -> Contender:
    """vLLM's CPU server on ``model`` as float32 (made in ``folder``): this CPU has no bfloat16."""
    float_folder(model, folder)
    if not (folder / "tokenizer.json").exists():
        subprocess.run([python, str(VLLM_TOKENIZER_SCRIPT), str(model), str(folder)], check=True)
    serve = (python, "-m", "vllm.entrypoints.openai.api_server", "--model", str(folder))
    limits = ("--dtype", "float32", "--max-model-len", "2048", "--max-num-seqs", "32")
    command = (*serve, *limits, "--host", "127.0.0.1", "--port", "{port}")
    return Contender(name, command, False, (("VLLM_CPU_KVCACHE_SPACE", "2"),))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_healthy(process: subprocess.Popen[bytes], url: str, name: str, log: int) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=2) as response:
                if response.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.2)
    end = os.pread(log, 65_536, max(0, os.fstat(log).st_size - 2_000)).decode(errors="replace")
    raise RuntimeError(f"{name} did not come up: {end}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
