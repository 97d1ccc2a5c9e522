"""Goodput beyond capacity, with and without admission control, on the modelled engine.

    python benchmarks/admission.py --rates 10,20,30,40 --duration 20 --slo ttft=400ms,tpot=40ms

For each way of admission a server of its own (``goodput serve --engine modelled``) gets the same
requests from ``goodput bench run``. Further options are the server's, after ``--``.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

_START_TIMEOUT_S = 60.0


def main() -> None:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rates", default="10,20,30,40")
    parser.add_argument("--duration", type=int, default=20, help="seconds at each rate")
    parser.add_argument("--workload", default="chat")
    parser.add_argument("--slo", default="ttft=400ms,tpot=40ms")
    parser.add_argument("--seed", default="0")
    parser.add_argument("--ways", default="all,slo")
    parser.add_argument("server", nargs="*", help="options of goodput serve")
    options = parser.parse_args()
    rates = options.rates.split(",")
    print("| admission | req/s | goodput | attainment | refused | TTFT p90 of the served |")
    print("|---|---|---|---|---|---|")
    for way in options.ways.split(","):
        with _server(way, options.server) as url:
            duration = options.duration * len(rates)
            command = ["bench", "run", url, "--rates", options.rates, "--duration", f"{duration}s"]
            command += ["--workload", options.workload, "--slo", options.slo, "--json"]
            command += ["--seed", options.seed, "--warmup", "4s", "--drain", "10s"]
            done = subprocess.run(_goodput(command), stdout=subprocess.PIPE, check=True)
        for step in json.loads(done.stdout)["steps"]:
            print(_row(way, step), flush=True)


def _row(way: str, step: dict[str, Any]) -> str:
    figures = step["figures"]
    refused = figures["rejected"] / figures["scheduled"]
    return (
        f"| {way} | {figures['offered_rate']:.1f} | {figures['goodput']:.1f} "
        f"| {figures['attainment']:.0%} | {refused:.0%} | {figures['ttft']['p90'] * 1e3:.0f} ms |"
    )


@contextlib.contextmanager
def _server(way: str, options: list[str]) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["serve", "--engine", "modelled", "--port", str(port), "--admission", way, *options]
    server = subprocess.Popen(_goodput(command), stderr=subprocess.DEVNULL)
    try:
        _wait_ready(f"http://127.0.0.1:{port}/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _wait_ready(url: str) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        with (
            contextlib.suppress(urllib.error.URLError, ConnectionError),
            urllib.request.urlopen(url) as answer,
        ):
            if answer.status == 200:
                return
        time.sleep(0.2)
    raise TimeoutError(f"{url} did not become ready")


def _goodput(command: list[str]) -> list[str]:
    return [sys.executable, "-m", "goodput.cli", *command]


if __name__ == "__main__":
    main()
