"""What a search found, as figures and in words."""

from __future__ import annotations

from goodput.bench.results import JudgedRate, SearchResult
from goodput.bench.search.policy import CONFIDENCE, Bounds, RateSearch
from goodput.core.percentiles import wilson_interval

# How far apart the ends of the interval may be for each of these words.
_SURENESS = (
    (1.10, "This is sure to within a few percent."),
    (1.30, "This is good to about ten percent; a longer --budget narrows it."),
    (2.00, "This is a rough figure; a longer --budget narrows it."),
)
_UNSURE = "This only says the order of magnitude; give it a longer --budget."


def conclude(search: RateSearch) -> SearchResult:
    """The result of a search with at least one judged window."""
    bounds = search.bounds()
    judged = []
    for rate in sorted({window.rate for window in search.windows}):
        met = [kept for window in search.windows if window.rate == rate for kept in window.met]
        low, high = wilson_interval(sum(met), len(met))
        judged.append(
            JudgedRate(
                rate=rate,
                met=sum(met),
                trials=len(met),
                attainment=sum(met) / len(met),
                low=low,
                high=high,
            )
        )
    return SearchResult(
        rate=bounds.rate,
        low=bounds.low,
        high=bounds.high,
        confidence=CONFIDENCE,
        target=search.target,
        censored=bounds.censored,
        judged=judged,
        words=_words(search, bounds),
    )


def _words(search: RateSearch, bounds: Bounds) -> str:
    requests = sum(len(window.met) for window in search.windows)
    count = len(search.windows)
    basis = f"judged on {requests} requests in {count} window{'s' * (count > 1)}"
    promise = f"{search.target * 100:.4g} %"
    if bounds.censored == "above":
        return (
            f"Goodput is at least {bounds.rate:.3g} req/s, the highest rate that was tried: "
            f"attainment there is still at {promise} ({basis}). Where it ends is not known."
        )
    if bounds.censored == "below":
        return (
            f"Goodput is below {bounds.rate:.3g} req/s, the lowest rate that was tried: attainment "
            f"there is already under {promise} ({basis}). The SLO may be out of reach at any rate."
        )
    apart = bounds.high / bounds.low
    sureness = next((words for limit, words in _SURENESS if apart <= limit), _UNSURE)
    return f"Goodput is {bounds} at {promise} attainment, {basis}. {sureness}"
