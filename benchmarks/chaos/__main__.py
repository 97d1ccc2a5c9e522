"""Everything goes wrong for some minutes; what the clients got must be right all the same.

``python benchmarks/chaos``: workers are killed, stopped, slowed and told to leave, their messages
delayed, clients vanish, and the server itself is killed or stopped once a round, under load. Each
round ends at rest: all blocks have to be back, and each worker has checked its books. The exit code
is 0 only when no request was lost, no text differs and no block or process is left.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import msgspec
import orjson
import questions
from clients import Crowd, Tally
from host import Host, missing_blocks, restarts
from trouble import Trouble

_ROUND_S: Final = 30.0
_CHECK_S: Final = 3.0  # an idle worker checks its bookkeeping after two
MODELLED: Final = """
engine_kind: modelled
modelled: {step_ms: 4, prefill_ms_per_token: 0.05, check_kv: true}
workers: {prefill: 1, decode: 2, mixed: 1}
engine: {kv_tokens: 8192}
limits: {max_attempts: 20, heartbeat_timeout_s: 2, drain_timeout_s: 2}
"""
REAL: Final = """
workers: {prefill: 1, decode: 1, mixed: 1}
engine: {kv_tokens: 8192}
limits: {max_attempts: 20, heartbeat_timeout_s: 4, drain_timeout_s: 2}
"""


class Result(msgspec.Struct, kw_only=True):
    """What happened, and what must not have (``failed``)."""

    engine: str
    seed: int
    seconds: float
    sent: int = 0
    answered: int = 0
    left: int = 0
    refused: int = 0
    lost: int = 0
    asked_again: int = 0
    migrated: int = 0
    mismatches: int = 0
    blocks_leaked: int = 0
    processes_left: int = 0
    server_restarts: int = 0
    strikes: dict[str, int] = {}
    complaints: list[str] = []

    @property
    def failed(self) -> bool:
        """Whether anything was lost, wrong or left."""
        bad = self.lost + self.mismatches + self.blocks_leaked + self.processes_left
        return bool(bad or self.complaints or not self.answered)


async def run(options: argparse.Namespace, folder: Path) -> Result:
    """All rounds; the server is gone afterwards."""
    engine = "model" if options.model else "modelled"
    result = Result(engine=engine, seed=options.seed, seconds=options.seconds)
    clients = options.clients or (6 if options.model else 40)
    tally = Tally()
    host = Host(REAL if options.model else MODELLED, folder, options.delay)
    asked = questions.real(24) if options.model else questions.modelled(32)
    crowd = Crowd(host, asked, tally)
    trouble = Trouble(host, options.seed, options.every)
    watch = asyncio.create_task(_watch(host))
    try:
        await host.start()
        await crowd.learn()
        rounds = max(1, round(options.seconds / _ROUND_S))
        for number in range(rounds):
            how = (signal.SIGKILL, signal.SIGTERM)[number % 2]
            await asyncio.gather(
                crowd.run(clients, options.seconds / rounds, options.seed + number),
                trouble.run(options.seconds / rounds),
                _restart(host, how, options.seconds / rounds / 2),
            )
            result.server_restarts += 1
            await _rest(host, result)
            print(f"round {number + 1} of {rounds}: {dict(tally.outcomes)}", flush=True)
        await host.end(signal.SIGTERM)
    finally:
        watch.cancel()
        await host.close()
    _fill(result, tally, host, trouble)
    return result


async def _restart(host: Host, how: signal.Signals, after_s: float) -> None:
    await asyncio.sleep(after_s)
    await host.end(how)
    await host.start()


async def _watch(host: Host) -> None:
    while True:
        await asyncio.sleep(0.5)
        if host.up.is_set():
            await host.read_migrations()


async def _rest(host: Host, result: Result) -> None:
    state = await host.wait_whole()
    if state is None or not host.is_whole(state):
        result.complaints.append(f"the server did not come to rest: {state}")
        result.blocks_leaked += missing_blocks(state) if state else 0
        return
    await asyncio.sleep(_CHECK_S)
    after = await host.wait_whole()
    if after is None or restarts(after) != restarts(state):
        result.complaints.append(f"a worker ended while nothing happened: {after}")


def _fill(result: Result, tally: Tally, host: Host, trouble: Trouble) -> None:
    for name in ("sent", "answered", "left", "refused", "lost"):
        setattr(result, name, tally.outcomes[name])
    result.asked_again = tally.outcomes["asked again"]
    result.migrated = host.migrations
    result.mismatches = len(tally.mismatches)
    result.processes_left = host.left_processes
    result.strikes = dict(trouble.strikes)
    result.complaints += [*tally.lost[:20], *tally.mismatches[:20], *host.bad_exits]
    log = host.log_file.read_text()
    if "Traceback" in log:
        result.complaints.append(log[log.index("Traceback") :][:2000])
    ended = result.answered + result.left + result.refused + result.lost
    if ended != result.sent:
        result.complaints.append(f"{result.sent - ended} requests were not accounted for")


def _print(result: Result) -> None:
    names: dict[str, Any] = {
        "requests sent": result.sent,
        "answered": result.answered,
        "left by their clients": result.left,
        "refused": result.refused,
        "migrated": result.migrated,
        "asked again after a restart of the server": result.asked_again,
        "lost": result.lost,
        "text mismatches": result.mismatches,
        "blocks leaked": result.blocks_leaked,
        "processes left": result.processes_left,
        "restarts of the server": result.server_restarts,
        "workers " + ", ".join(f"{kind} {n}" for kind, n in sorted(result.strikes.items())): "",
    }
    for name, value in names.items():
        print(f"{name:45} {value}")
    for complaint in result.complaints:
        print(f"! {complaint}")
    print("FAILED" if result.failed else "passed")


def main() -> int:
    """Exit code 1 when anything was lost, wrong or left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="store_true", help="the real engine, not the modelled")
    parser.add_argument("--seconds", type=float, default=150.0, help="of load, in rounds of 30")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    parser.add_argument("--clients", type=int, help="default: 40, or 6 with --model")
    parser.add_argument("--every", type=float, default=1.5, help="seconds between strikes")
    parser.add_argument("--delay", type=float, default=0.05, help="longest delay of a message, s")
    parser.add_argument("--json", type=Path, help="also write the result there")
    parser.add_argument("--keep", type=Path, help="folder for the server's log")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        result = asyncio.run(run(options, folder))
    _print(result)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_bytes(orjson.dumps(msgspec.to_builtins(result)))
    return int(result.failed)


if __name__ == "__main__":
    sys.exit(main())
