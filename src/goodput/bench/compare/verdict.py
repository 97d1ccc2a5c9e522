"""What a comparison's ratios come to, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from goodput.bench.results import Ratio

_LATENCIES = {"ttft_p90": "TTFT (p90)", "tpot_p90": "TPOT (p90)"}
# From this attainment on a rate is too easy to tell servers apart by goodput.
_EASY = 0.995


def in_words(baseline: str, ratios: Sequence[Ratio], attainment: Mapping[str, float]) -> str:
    """One verdict on every server against the ``baseline``."""
    sentences = []
    for name in dict.fromkeys(ratio.name for ratio in ratios):
        own = {ratio.figure: ratio for ratio in ratios if ratio.name == name}
        sentences.append(_on_goodput(baseline, own["goodput"], attainment))
        sentences += [
            f"Its {title} is {_times(own[figure])} that of {baseline}."
            for figure, title in _LATENCIES.items()
            if differs(own[figure])
        ]
    if min(attainment.values()) >= _EASY:
        sentences.append("Nearly all requests met: a higher --rate would show who breaks first.")
    return " ".join(sentences)


def differs(ratio: Ratio) -> bool:
    """Whether the interval leaves out 1: the servers differ by more than chance."""
    if ratio.value is None or ratio.low is None:
        return False
    return ratio.low > 1 or (ratio.high is not None and ratio.high < 1)


def _on_goodput(baseline: str, ratio: Ratio, attainment: Mapping[str, float]) -> str:
    name = ratio.name
    if ratio.value is None:
        if attainment[name] > 0:
            return f"{name} is better: {baseline} met the SLO of no request at all."
        return f"Neither {baseline} nor {name} met the SLO of a single request."
    if not differs(ratio):
        return f"No difference in goodput is shown: {name} has {_times(ratio)} that of {baseline}."
    verdict = "better" if ratio.value > 1 else "worse"
    return f"{name} is {verdict}: its goodput is {_times(ratio)} that of {baseline}."


def _times(ratio: Ratio) -> str:
    high = "∞" if ratio.high is None else f"{ratio.high:.2f}"
    return f"{ratio.value:.2f} times (95 % interval {ratio.low:.2f}–{high})"
