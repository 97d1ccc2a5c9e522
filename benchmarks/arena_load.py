"""How a game's score follows the load of the server that a player's model runs on.

    python benchmarks/arena_load.py [--games tetris-versus,race-platformer] [--loads 0,1]
        [--seeds 2] [--seconds 40] [--out DIR]

Games of two in real time (60 Hz, nobody waits). Both players are the same model, each on a server
of one core, started anew for each row: one player's is loaded by `goodput bench` at so many chat
requests a second, the rival's is not. They swap seats from seed to seed. The loaded player's
requests come once without a promise, like everybody else's, and once with one (`slo`), which the
server's scheduler knows of. Reported of the loaded player: points beside the rival's, on-time legal
decisions per second, staleness, the share of late moves, latency.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from msgspec.structs import replace

from goodput.arena.clocks import make_clock
from goodput.arena.episode.figures import figures_of
from goodput.arena.episode.record import Episode
from goodput.arena.episode.runner import play_episode
from goodput.arena.episode.store import EpisodeStore
from goodput.arena.games.registry import make_game
from goodput.arena.games.rules import FRAMES_PER_SECOND
from goodput.arena.players.parse import parse_player
from goodput.arena.players.settings import Settings
from goodput.bench.run.loop import new_loop
from goodput.core.files import write_atomically
from goodput.core.slo import SLO
from serving_contenders import ours

MODEL = "smollm2:135m"
PROMISE = SLO(ttft=3.0)
# What the others were promised: next to nothing, so that the game has somebody to go before.
OTHERS = "ttft=30s,tpot=500ms"
SETTLE_S = 5.0
HEADING = (
    "| game | load, req/s | promise | wins | points : rival's | on-time decisions/s "
    "| stale p50, p90 | late | latency p50 |\n|---|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Row:
    """One load and one way of asking, over all its episodes."""

    game: str
    load: float
    promised: bool
    won: float
    points: float
    rival_points: float
    goodput: float
    stale_p50: float
    stale_p90: float
    late: float
    latency_p50_ms: float


@contextlib.contextmanager
def loaded(url: str, rate: float, seed: int) -> Iterator[None]:
    """Requests of others come in, until the block ends."""
    if not rate:
        yield
        return
    command = [sys.executable, "-m", "goodput.cli", "bench", "run", url, "--workload", "chat"]
    command += ["--rate", f"{rate:g}", "--duration", "1h", "--seed", str(seed), "--slo", OTHERS]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as bench:
        try:
            yield
        finally:
            bench.kill()


async def play(
    game: str, urls: tuple[str, str], promised: bool, seed: int, seconds: float
) -> Episode:
    """The player of the first server, which is the loaded one, sits in seat ``seat_of(seed)``."""
    settings = Settings(slo=PROMISE if promised else None)
    loaded_one = parse_player(f"openai:{MODEL}@{urls[0]}", settings)
    rival = parse_player(f"openai:{MODEL}@{urls[1]}")
    seats = (rival, loaded_one) if seat_of(seed) else (loaded_one, rival)
    rules = make_game(game)
    rules.spec = replace(rules.spec, frame_limit=round(seconds * FRAMES_PER_SECOND))  # type: ignore[misc]
    try:
        return await play_episode(rules, seats, seed, make_clock("wall"))
    finally:
        await loaded_one.close()
        await rival.close()


def seat_of(seed: int) -> int:
    """Where the loaded player sits: as often here as there."""
    return seed % 2


def summed_up(game: str, load: float, promised: bool, episodes: list[Episode]) -> Row:
    seated = [(episode, seat_of(seed)) for seed, episode in enumerate(episodes)]
    figures = figures_of(seated)
    stale, latency = figures.staleness_frames, figures.latency_s
    assert stale is not None and latency is not None
    count = len(episodes)
    return Row(
        game=game,
        load=load,
        promised=promised,
        won=sum(episode.end.outcome[seat] for episode, seat in seated) / count,
        points=sum(episode.end.scores[seat] for episode, seat in seated) / count,
        rival_points=sum(episode.end.scores[1 - seat] for episode, seat in seated) / count,
        goodput=figures.goodput or 0.0,
        stale_p50=stale.p50,
        stale_p90=stale.p90,
        late=figures.late_share or 0.0,
        latency_p50_ms=latency.p50 * 1e3,
    )


def row_of(
    game: str, load: float, promised: bool, options: argparse.Namespace, runs: asyncio.Runner
) -> Row:
    """Play one row on fresh servers, and keep its episodes."""
    server = ours("one core", ("--mixed", "1"), MODEL)
    store = EpisodeStore(options.out / f"{game}-{load:g}{'-slo' if promised else ''}")
    episodes = []
    with server.running() as first, server.running() as second, loaded(first, load, seed=0):
        runs.run(asyncio.sleep(SETTLE_S if load else 0.0))
        for seed in range(options.seeds):
            episodes.append(runs.run(play(game, (first, second), promised, seed, options.seconds)))
            store.save(episodes[-1])
    return summed_up(game, load, promised, episodes)


def main() -> None:
    """Play, print a table, keep the episodes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--games", default="tetris-versus,race-platformer")
    parser.add_argument("--loads", default="0,1", help="requests/s of others at the one server")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=40.0, help="longest episode")
    parser.add_argument("--out", type=Path, default=Path("out/arena-load"))
    options = parser.parse_args()
    loads = [float(load) for load in options.loads.split(",")]
    ways = [
        (load, promised) for load in loads for promised in ((False, True) if load else (False,))
    ]
    rows = []
    print(HEADING, flush=True)
    with asyncio.Runner(loop_factory=new_loop) as runs:
        for game in options.games.split(","):
            for load, promised in ways:
                row = row_of(game, load, promised, options, runs)
                rows.append(row)
                print(
                    f"| {row.game} | {row.load:g} | {'TTFT ≤ 3 s' if promised else 'none'} "
                    f"| {row.won:.2f} | {row.points:.0f} : {row.rival_points:.0f} "
                    f"| {row.goodput:.2f} | {row.stale_p50:.0f}, {row.stale_p90:.0f} frames "
                    f"| {row.late:.0%} | {row.latency_p50_ms:.0f} ms |",
                    flush=True,
                )
    plain = json.dumps([asdict(row) for row in rows], indent=1)
    write_atomically(options.out / "arena_load.json", plain.encode())


if __name__ == "__main__":
    main()
