"""What a running benchmark shows in the terminal; nothing when nobody looks."""

from __future__ import annotations

import asyncio
import time

from rich.console import Console
from rich.live import Live
from rich.text import Text

from goodput.bench.run.runner import Step, Tally
from goodput.core.percentiles import percentiles

# Drawing blocks the loop that sends requests for about a millisecond: twice a second is enough.
_REFRESH_S = 0.5


class LiveLine:
    """One line about the running step, redrawn in place on the console's terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._step: Step | None = None
        self._tally: Tally | None = None
        self._started = 0.0

    def watch(self, step: Step, tally: Tally) -> None:
        """Show this step from now on."""
        self._step, self._tally, self._started = step, tally, time.monotonic()

    async def show(self) -> None:
        """Redraw until cancelled, then leave the terminal as it was."""
        if not self._console.is_terminal:
            return
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            while True:
                live.update(Text(self.line()), refresh=True)
                await asyncio.sleep(_REFRESH_S)

    def line(self) -> str:
        """The line as text."""
        step, tally = self._step, self._tally
        if step is None or tally is None:
            return "asking the server what it accepts …"
        elapsed = time.monotonic() - self._started
        if elapsed < step.warmup:
            phase = "warm-up"
        elif elapsed < step.length:
            phase = "measuring"
        else:
            phase = "draining"
        parts = [
            f"{step.rate:g} req/s {phase} {elapsed:.0f}/{step.length:.0f} s",
            f"sent {tally.sent}",
            f"done {tally.done}",
        ]
        if tally.measured:
            parts.append(f"met {tally.met / tally.measured:.0%} of {tally.measured}")
        if (ttft := percentiles(tally.ttfts)) is not None:
            parts.append(f"TTFT p50 {ttft.p50 * 1e3:.0f} ms")
        return " · ".join(parts)
