"""Which pictures a run has, in the order in which a reader wants them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from goodput.bench.report.distributions import draw_distributions
from goodput.bench.report.groups import groups_of, target_of
from goodput.bench.report.misses import draw_misses
from goodput.bench.report.over_rates import draw_latencies, draw_over_rates
from goodput.bench.report.over_scales import draw_over_scales
from goodput.bench.report.over_time import draw_over_time
from goodput.bench.report.ratios import draw_ratios
from goodput.bench.report.style import Picture, picture
from goodput.bench.report.timeline import draw_timeline
from goodput.bench.summary import BenchSummary
from goodput.core.record import RequestRecord

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# name (of its PNG): (title, what to look for)
PICTURES = {
    "compare": (
        "Side by side",
        "Each figure as a ratio to the baseline's. An interval that leaves 1 out is a difference; "
        "one that holds it may be chance.",
    ),
    "rates": (
        "Attainment and goodput over the offered rate",
        "Bands are 95 % confidence intervals. Goodput follows the dotted line while everything is "
        "met and leaves it where the server saturates.",
    ),
    "latencies": (
        "Latencies over the offered rate",
        "Percentiles of each figure; its bound is dashed. Axes are logarithmic.",
    ),
    "scales": (
        "Attainment over the SLO scale",
        "The same requests judged by tighter bounds (to the right) and looser ones (to the left).",
    ),
    "distributions": (
        "How slow were the requests?",
        "Cumulative shares of all scheduled requests: a line that ends below 100 % has failures. "
        "TTFT and E2E count from the scheduled time.",
    ),
    "misses": (
        "Where the misses lost their time",
        "Each missed request is charged to one cause: its failure, or the span that was longest "
        "over its share of the broken bound.",
    ),
    "throughput": (
        "Throughput over time",
        "A queue that builds up shows as requests in flight that keep rising.",
    ),
    "timeline": (
        "The requests one by one",
        "A row a request, from its scheduled time to its end, coloured by where its time went.",
    ),
}


def draw_pictures(summary: BenchSummary, records: Sequence[RequestRecord]) -> list[Picture]:
    """Those that this run has data for; none for a run without measured requests."""
    groups = groups_of(summary, records)
    if not groups:
        return []
    target = target_of(summary)
    draws: dict[str, Callable[[], Figure]] = {}
    if summary.compare is not None and any(ratio.value for ratio in summary.compare.ratios):
        compare = summary.compare
        draws["compare"] = lambda: draw_ratios(compare)
    # A closed loop has no offered rate: what it came to is a result.
    if len({group.rate for group in groups}) > 1 and not summary.closed_loop:
        draws["rates"] = lambda: draw_over_rates(groups, target, summary.search)
        draws["latencies"] = lambda: draw_latencies(groups)
    draws["scales"] = lambda: draw_over_scales(groups, target)
    draws["distributions"] = lambda: draw_distributions(groups)
    if any(group.blame for group in groups):
        draws["misses"] = lambda: draw_misses(groups, target)
    draws["throughput"] = lambda: draw_over_time(summary, records)
    draws["timeline"] = lambda: draw_timeline(summary, records)
    return [picture(name, *PICTURES[name], draw) for name, draw in draws.items()]
