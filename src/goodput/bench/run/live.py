"""What a running benchmark shows in the terminal; only its notes where nobody looks."""

from __future__ import annotations

import asyncio
import time

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from goodput.bench.run.runner import Step, Tally
from goodput.core.percentiles import percentiles

# Drawing blocks the loop that sends requests for about a millisecond: twice a second is enough.
_REFRESH_S = 0.5
_BAR_WIDTH = 30


class LiveView:
    """A bar for the running step, and under it what its requests have come to so far."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._step: Step | None = None
        self._tally: Tally | None = None
        self._started = 0.0

    @property
    def watching(self) -> bool:
        """Whether a step has begun: from then on there is something to report."""
        return self._step is not None

    def watch(self, step: Step, tally: Tally) -> None:
        """Show this step from now on."""
        self._step, self._tally, self._started = step, tally, time.monotonic()

    def say(self, line: str) -> None:
        """A note that stays, above the view."""
        self._console.print(line, markup=False, soft_wrap=True)

    async def show(self) -> None:
        """Redraw until cancelled, then leave the terminal as it was."""
        if not self._console.is_terminal:
            return
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            while True:
                live.update(self.view(time.monotonic()), refresh=True)
                await asyncio.sleep(_REFRESH_S)

    def view(self, now: float) -> Group:
        """What to draw at ``now`` (monotonic seconds)."""
        step, tally = self._step, self._tally
        if step is None or tally is None:
            return Group(Text("asking the server what it accepts …"))
        elapsed = now - self._started
        phase = (
            "warm-up"
            if elapsed < step.warmup
            else "measuring"
            if elapsed < step.length
            else "draining"
        )
        head = Table.grid(padding=(0, 1))
        head.add_row(
            Text(f"{step.rate:.3g} req/s"),
            ProgressBar(step.length, min(elapsed, step.length), width=_BAR_WIDTH),
            Text(f"{phase} {elapsed:.0f}/{step.length:.0f} s"),
        )
        return Group(head, Text(_figures(tally)))


def _figures(tally: Tally) -> str:
    parts = [f"sent {tally.sent}", f"done {tally.done}"]
    if tally.measured:
        parts.append(f"met {tally.met / tally.measured:.0%} of {tally.measured}")
    for name, values in (("TTFT", tally.ttfts), ("TPOT", tally.tpots)):
        if (figure := percentiles(values)) is not None:
            parts.append(
                f"{name} p50 {figure.p50 * 1e3:.0f}, p90 {figure.p90 * 1e3:.0f}, "
                f"p99 {figure.p99 * 1e3:.0f} ms"
            )
    return " · ".join(parts)
