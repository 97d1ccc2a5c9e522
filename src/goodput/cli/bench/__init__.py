"""``goodput bench``: one file per verb; what they have in common is in ``options.py``."""

from __future__ import annotations

from goodput.cli.lazy import Verbs, lazy_group

VERBS: Verbs = {
    verb: (f"goodput.cli.bench.{verb}", verb, line)
    for verb, line in {
        "run": "Offer one rate, or several in turn, and report goodput.",
        "sweep": "Attainment over a range of rates, and over SLO scales.",
        "search": "Find the goodput of a system: the highest rate that keeps the SLO.",
        "compare": "Several servers under the same load, interleaved in time.",
        "report": "Make the page and the pictures of a run again.",
        "selfcheck": "How exact the load generator is on this machine.",
    }.items()
}

bench = lazy_group(VERBS)


@bench.callback()
def overview() -> None:
    """Load any OpenAI-compatible server with timed requests and judge it by its goodput.

    Requests leave at times that a seed fixed beforehand, however slow the server is. A request
    counts when it met every bound of its SLO; failures count as misses. Ctrl-C reports and writes
    what there is.
    """
