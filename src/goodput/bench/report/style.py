"""How all pictures look, and how they become PNG files and parts of a page."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# In a page these two follow the reader's light or dark mode, so nothing else may use them.
INK = "#1f2329"
GRID = "#d0d4da"
MISS = "#d6304a"

# Okabe and Ito's colours: told apart by colour-blind readers too, and on light and dark ground.
SERIES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9")
WIDTH = 9.0
_DPI = 130


@dataclass(frozen=True, slots=True)
class Picture:
    """``name`` is that of its PNG; ``caption`` tells a reader what to look for."""

    name: str
    title: str
    caption: str
    png: bytes
    svg: str


def picture(name: str, title: str, caption: str, draw: Callable[[], Figure]) -> Picture:
    """What ``draw`` draws (with :func:`new_figure`), as a PNG and as an inline SVG."""
    with _style(name):
        figure = draw()
        png, svg = io.BytesIO(), io.StringIO()
        figure.savefig(png, format="png", dpi=_DPI, facecolor="white")
        # The layout that was found holds for the other format too, and takes half the time.
        figure.set_layout_engine("none")
        figure.savefig(svg, format="svg", transparent=True, metadata={"Date": None})
    return Picture(name, title, caption, png.getvalue(), _inline(svg.getvalue(), title))


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """An empty figure (inches) that belongs to no window and lays itself out."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def colours(count: int) -> list[Any]:
    """``count`` colours in an order that can be seen, for things that have one, like rates."""
    from matplotlib import colormaps

    if count == 1:
        return [SERIES[0]]
    return [colormaps["plasma"](0.22 + 0.6 * index / (count - 1)) for index in range(count)]


def plain_log_ticks(axis: Any) -> None:
    """Ticks like 0.5, 1, 2, 5, 1k instead of powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0), numticks=12))
    axis.set_major_formatter(FuncFormatter(_short))
    axis.set_minor_formatter(NullFormatter())


def _short(value: float, _: int) -> str:
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"


@contextmanager
def _style(salt: str) -> Iterator[None]:
    """Rules for drawing and saving. Names are the users' own: a ``$`` in one starts no formula."""
    import matplotlib

    with matplotlib.rc_context(
        {
            "font.size": 10,
            "axes.titlesize": 10.5,
            "axes.titlelocation": "left",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": GRID,
            "grid.linewidth": 0.6,
            "legend.frameon": False,
            "legend.fontsize": 9,
            "lines.linewidth": 1.8,
            "text.parse_math": False,
            "svg.fonttype": "none",
            # The same figure gives the same bytes, and ids differ between pictures of one page.
            "svg.hashsalt": salt,
            **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
            "axes.edgecolor": INK,
        }
    ):
        yield


def _inline(svg: str, title: str) -> str:
    """An SVG document as an element of a page: no prolog, no fixed size, the page's colours."""
    from html import escape

    body = svg[svg.index("<svg") :]
    body = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", body, count=1)
    body = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", body, count=1)
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = body.replace(INK, "var(--ink)").replace(GRID, "var(--grid)")
    return body.replace("<svg ", f'<svg role="img" aria-label="{escape(title)}" ', 1)
