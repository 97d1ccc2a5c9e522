"""Should prefill and decode be apart at all? It depends on the load, and here is how."""

from __future__ import annotations

from collections.abc import Sequence

from goodput.core.slo import SLO
from goodput.plan.search.answer import PlanRow, Verdict
from goodput.plan.search.bounds import Limit


def verdicts(best: Sequence[PlanRow], slo: SLO) -> tuple[list[Verdict], float | None]:
    """Ranges of load with what to choose, and the load from which on the choice matters.

    ``best`` has the best plan of each kind there is, in any order, at least one.
    """
    together = next((row for row in best if row.kind == "aggregated"), None)
    apart = max(
        (row for row in best if row.kind != "aggregated"),
        key=lambda row: row.goodput,
        default=None,
    )
    if together is None or apart is None:
        only = together or apart
        assert only is not None
        return _only(only, slo), None
    less, more = sorted((together, apart), key=lambda row: row.goodput)
    ranges = [
        Verdict(
            low=0.0,
            high=less.goodput,
            choice="either",
            words=(
                f"up to {less.goodput:.3g} req/s both keep the SLO; {together.label} (aggregated) "
                "has no hand-off and fewer things to tune"
            ),
        )
    ]
    if more.goodput > less.goodput:
        ranges.append(
            Verdict(
                low=less.goodput,
                high=more.goodput,
                choice=more.kind,
                words=(
                    f"from {less.goodput:.3g} to {more.goodput:.3g} req/s only {more.label} "
                    f"({more.kind}) keeps it, {more.goodput / less.goodput:.2f} times the goodput "
                    f"of the best {less.kind} plan{_sure(less, more)}"
                ),
            )
        )
    return [*ranges, _beyond(more)], less.goodput if len(ranges) > 1 else None


def infeasible(limits: Sequence[Limit], slo: SLO, budget: int) -> str:
    """Why no plan keeps the SLO even at the lowest rate, from what excludes each (at least one)."""
    causes = dict.fromkeys(limit.constraint for limit in limits)
    said = "; ".join(_last_word(limits, cause) for cause in causes)
    count = f"{len(limits)} way{'s' * (len(limits) > 1)}"
    return (
        f"No plan of up to {budget} accelerators keeps {slo}, at any rate: each of the {count} to "
        f"run the model is excluded. {said[0].upper()}{said[1:]}."
    )


def _last_word(limits: Sequence[Limit], cause: str) -> str:
    """The last of the ways that a cause excludes: the list goes from the fewest accelerators up."""
    return [limit.words for limit in limits if limit.constraint == cause][-1]


def _only(row: PlanRow, slo: SLO) -> list[Verdict]:
    words = f"up to {row.goodput:.3g} req/s: {row.label}; no plan of another kind keeps {slo}"
    return [Verdict(low=0.0, high=row.goodput, choice=row.kind, words=words), _beyond(row)]


def _beyond(row: PlanRow) -> Verdict:
    words = f"above {row.goodput:.3g} req/s nothing of this budget keeps it: more is needed"
    return Verdict(low=row.goodput, high=None, choice="none", words=words)


def _sure(less: PlanRow, more: PlanRow) -> str:
    if less.high >= more.low:
        return " (their intervals overlap, so this may be chance)"
    if more.slow is not None and less.fast is not None:
        return " (by one and the same profile, whose error moves both alike)"
    return ""
