"""What the figures mean, in sentences: the same in the terminal and in the files."""

from __future__ import annotations

from collections import Counter

from goodput.plan.search.answer import PlanAnswer, PlanRow
from goodput.plan.search.candidate import Constraint

_HELP: dict[Constraint, str] = {
    "prefill queue": "prompts wait too long; more or faster prefill would help most",
    "decode step": "steps of the answers take too long; more or faster decode would help most",
    "transfer": "KV is under way too long; a faster link would help most",
    "memory": "KV does not fit; more memory for it would help most",
}


def headline(answer: PlanAnswer) -> str:
    """What was asked, on a line."""
    return (
        f"{answer.model} on {answer.machine} (profile {answer.profile}, {answer.origin}), workload "
        f"{answer.workload}, SLO {answer.slo}, budget {answer.budget}"
    )


def conclusions(answer: PlanAnswer) -> list[str]:
    """The answer in sentences, the most important first."""
    best = answer.best
    if best is None:
        assert answer.infeasible is not None
        return [answer.infeasible]
    team = best.teams[-1]
    lines = [
        f"Take {best.label} ({best.kind}, {best.placement}), chunks of {team.saturation_tokens} "
        f"and steps of {team.token_budget} tokens: {_goodput(best)} keep the SLO."
    ]
    if answer.rate is not None:
        lines.append(_load(answer, best))
    lines += [verdict.words[0].upper() + verdict.words[1:] + "." for verdict in answer.verdicts]
    lines.append(f"Bound by the {best.constraint}: {_HELP[best.constraint]}.")
    return [*lines, *trust(answer)]


def trust(answer: PlanAnswer) -> list[str]:
    """How far the figures can be believed."""
    best = answer.best
    lines = []
    if answer.origin == "estimate":
        lines.append(
            f"The profile is an estimate from datasheets: steps may take {answer.uncertainty:g} "
            "times as long, or as short. Calibrate with goodput profile before you buy or promise."
        )
    elif answer.origin == "published":
        lines.append("The profile was published by others: your machine may differ.")
    if best is not None and best.slow is not None and best.fast is not None:
        lines.append(
            f"Within that, the goodput of {best.label} lies between {best.slow:.3g} and "
            f"{best.fast:.3g} req/s."
        )
        safest = max(answer.plans, key=lambda row: row.slow or 0.0)
        if (safest.slow or 0.0) > best.slow:
            lines.append(
                f"If steps are as slow as that, {safest.label} ({safest.kind}) is the better "
                f"choice: it still holds {safest.slow:.3g} req/s."
            )
    return lines


def pruning(answer: PlanAnswer) -> str:
    """How many plans were looked at, and what excluded the others."""
    proved = [row for row in answer.pruned if row.proof is not None]
    why = Counter(row.constraint for row in proved)
    causes = ", ".join(f"{cause} {count}" for cause, count in why.most_common())
    return (
        f"{answer.candidates} candidates in {answer.seconds:.1f} s: {answer.judged} simulated, "
        f"{len(proved)} excluded by queueing bounds" + (f" ({causes})" if causes else "")
    )


def _goodput(row: PlanRow) -> str:
    return (
        f"{row.goodput:.3g} req/s (95 % interval {row.low:.3g}–{row.high:.3g}), "
        f"{row.per_accelerator:.3g} per accelerator,"
    )


def _load(answer: PlanAnswer, best: PlanRow) -> str:
    assert answer.rate is not None
    if answer.needed is not None:
        return f"{answer.rate:g} req/s need {answer.needed} accelerators."
    times = answer.rate / best.goodput
    return (
        f"{answer.rate:g} req/s are {times:.2f} times what the budget holds: about "
        f"{round(times * best.accelerators + 0.5)} accelerators are needed."
    )
