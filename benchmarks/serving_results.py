"""The headline comparison as JSON, as a Markdown table, and as a picture."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec

from goodput.bench.results import SearchResult
from goodput.core.files import write_atomically


class Cell(msgspec.Struct, frozen=True):
    """The goodput of one server for one workload, every bound times ``scale``."""

    workload: str
    server: str
    ours: bool
    scale: float
    found: SearchResult

    def __str__(self) -> str:
        found = self.found
        if found.censored != "none":
            return f"{'≥' if found.censored == 'above' else '<'} {found.rate:.2f}"
        return f"{found.rate:.2f} ({found.low:.2f}–{found.high:.2f})"


class Comparison(msgspec.Struct, frozen=True):
    """All cells of a run."""

    model: str
    cells: list[Cell]

    def rows(self) -> list[tuple[str, float]]:
        """(workload, scale) in the order of measurement."""
        return list(dict.fromkeys((cell.workload, cell.scale) for cell in self.cells))

    def servers(self) -> list[str]:
        return list(dict.fromkeys(cell.server for cell in self.cells))

    def cell(self, row: tuple[str, float], server: str) -> Cell | None:
        wanted = (*row, server)
        return next((c for c in self.cells if (c.workload, c.scale, c.server) == wanted), None)

    def ratio(self, row: tuple[str, float], peer: str) -> float:
        """The better of ours over the peer; nan without either."""
        best = max((c.found.rate for c in self._of(row) if c.ours), default=math.nan)
        other = self.cell(row, peer)
        return best / other.found.rate if other is not None else math.nan

    def peers(self) -> list[str]:
        return list(dict.fromkeys(cell.server for cell in self.cells if not cell.ours))

    def _of(self, row: tuple[str, float]) -> list[Cell]:
        return [cell for cell in self.cells if (cell.workload, cell.scale) == row]


def markdown(comparison: Comparison) -> str:
    """One row a workload and scale: goodput in req/s with its 95 % interval, then the ratios."""
    servers, peers = comparison.servers(), comparison.peers()
    headings = ["workload", "SLO ×", *servers, *(f"best of ours / {peer}" for peer in peers)]
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    for row in comparison.rows():
        cells = [comparison.cell(row, server) for server in servers]
        ratios = [_times(comparison.ratio(row, peer)) for peer in peers]
        texts = [row[0], f"{row[1]:g}", *(str(c) if c else "–" for c in cells), *ratios]
        lines.append("| " + " | ".join(texts) + " |")
    return "\n".join(lines) + "\n"


def _times(ratio: float) -> str:
    return "–" if math.isnan(ratio) else f"{ratio:.1f}x"


def draw(comparison: Comparison, path: Path) -> None:
    """Grouped bars with intervals: one group a workload and scale, one bar a server."""
    from matplotlib.figure import Figure

    rows, servers = comparison.rows(), comparison.servers()
    figure = Figure(figsize=(1.6 + 1.5 * len(rows), 3.6), layout="constrained")
    axes = figure.subplots()
    width = 0.8 / len(servers)
    for index, server in enumerate(servers):
        cells = [comparison.cell(row, server) for row in rows]
        rates = [c.found.rate if c else 0.0 for c in cells]
        lows = [c.found.rate - c.found.low if c else 0.0 for c in cells]
        highs = [c.found.high - c.found.rate if c else 0.0 for c in cells]
        where = [n + (index - (len(servers) - 1) / 2) * width for n in range(len(rows))]
        axes.bar(where, rates, width * 0.92, yerr=[lows, highs], capsize=3, label=server)
    axes.set_xticks(range(len(rows)), [f"{name}\nSLO × {scale:g}" for name, scale in rows])
    axes.set_ylabel("goodput, req/s (90 % attainment)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=140)


def write_comparison(folder: Path, comparison: Comparison) -> None:
    """``goodput.json``, ``goodput.png`` and the table, which is printed too."""
    folder.mkdir(parents=True, exist_ok=True)
    encoded = msgspec.json.format(msgspec.json.encode(comparison), indent=2)
    write_atomically(folder / "goodput.json", encoded)
    draw(comparison, folder / "goodput.png")
    text = markdown(comparison)
    write_atomically(folder / "goodput.md", text.encode())
    print(text)
