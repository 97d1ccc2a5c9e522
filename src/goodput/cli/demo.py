"""``goodput demo``: everything once, with the commands that a user would type."""

from __future__ import annotations

import contextlib
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from goodput.core.errors import GoodputError

if TYPE_CHECKING:
    from rich.console import Console

_STOP_TIMEOUT_S = 30.0


def demo(
    model: Annotated[str, typer.Option(help="Model name or path.")] = "smollm2:135m",
    question: Annotated[
        str, typer.Option(help="What to ask the model.")
    ] = "What is the capital of France?",
    rates: Annotated[
        str, typer.Option(help="Offered rates in requests per second; they share --duration.")
    ] = "0.5,1,1.5",
    duration: Annotated[str, typer.Option(help="Measured time of all rates together.")] = "60s",
    out: Annotated[Path, typer.Option(help="Folder for the records and pictures.")] = Path(
        "out/demo"
    ),
    start_timeout: Annotated[float, typer.Option(help="Seconds to wait for the server.")] = 300.0,
) -> None:
    """Serve a model with prefill and decode apart, ask it a question, and measure its goodput.

    Each step prints the command that does it, so that it can be repeated by hand.
    """
    from rich.console import Console

    console = Console(highlight=False)
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    _run(console, ["pull", model])
    with _server(console, ["serve", "--model", model, "--port", str(port)]) as server:
        _wait_until_healthy(console, server, url, start_timeout)
        _run(console, ["chat", url, "--message", question])
        bench = ["bench", "run", url, "--workload", "chat", "--rates", rates]
        _run(console, [*bench, "--duration", duration, "--out", str(out)])
    console.print(f"all stopped; the report is {out / 'report.html'}", soft_wrap=True)


def _command(console: Console, arguments: list[str]) -> list[str]:
    console.print(f"\n[bold cyan]$ goodput {shlex.join(arguments)}[/]", soft_wrap=True)
    return [sys.executable, "-m", "goodput.cli", *arguments]


def _run(console: Console, arguments: list[str]) -> None:
    """Run one verb; whatever it could not do it has said itself, so only its exit code goes on."""
    code = subprocess.run(_command(console, arguments), check=False).returncode
    if code:
        raise typer.Exit(code)


@contextlib.contextmanager
def _server(console: Console, arguments: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """The server, stopped at the end of the block whatever happens in it.

    It has a process group of its own: Ctrl-C reaches this process, which then stops it in order.
    """
    process = subprocess.Popen(_command(console, arguments), start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_TIMEOUT_S)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            process.kill()
            process.wait()


def _wait_until_healthy(
    console: Console, server: subprocess.Popen[bytes], url: str, timeout_s: float
) -> None:
    deadline = time.monotonic() + timeout_s
    with console.status("waiting for /health"):
        while not _is_healthy(url):
            if server.poll() is not None:
                raise typer.Exit(server.returncode or 1)
            if time.monotonic() > deadline:
                raise GoodputError(f"the server was not ready after {timeout_s:.0f} s")
            time.sleep(0.2)


def _is_healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
