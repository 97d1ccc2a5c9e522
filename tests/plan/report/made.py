"""Answers made by hand."""

from goodput.core.slo import SLO
from goodput.plan.search.answer import PlanAnswer, PlanRow, ScalePoint, Team, Verdict

ROLES = {
    "aggregated": ("mixed",),
    "disaggregated": ("prefill", "decode"),
    "hybrid": ("prefill", "decode", "mixed"),
}


def made_row(kind: str = "disaggregated", *, count: int = 1, tensor: int = 1) -> PlanRow:
    """``count`` workers of each role."""
    teams = [
        Team(
            role=role,  # type: ignore[arg-type]
            count=count,
            tensor=tensor,
            pipeline=1,
            max_sequences=256,
            token_budget=8192,
            saturation_tokens=512,
            kv_tokens=32_768,
        )
        for role in ROLES[kind]
    ]
    return PlanRow(
        kind=kind,  # type: ignore[arg-type]
        label=" + ".join(f"{team.count}{team.role[0].upper()} tp{tensor}" for team in teams),
        teams=teams,
        cells=1,
        placement="one node",
        accelerators=len(teams) * count * tensor,
        goodput=4.0,
        low=3.8,
        high=4.3,
        constraint="decode step",
        limit=6.0,
        limit_words="an answer takes a decode worker at least 160 ms",
        scales=[ScalePoint(scale=0.5, goodput=1.0), ScalePoint(scale=1.0, goodput=4.0)],
    )


def made_answer(*plans: PlanRow, accelerator: str = "core", node: int = 4) -> PlanAnswer:
    """The answer that found these plans; none of them: an infeasible one."""
    return PlanAnswer(
        profile="made",
        model="smollm2:135m",
        machine="a [b]machine[/b] with $names$",
        origin="measured",
        source="made up",
        uncertainty=1.0,
        accelerator=accelerator,
        node=node,
        workload="chat",
        requests=1000,
        slo=SLO(ttft=1.0, tpot=0.1),
        budget=node,
        rate=None,
        needed=None,
        candidates=20,
        judged=10,
        seconds=1.5,
        plans=list(plans),
        verdicts=[Verdict(low=0.0, high=4.0, choice="either", words="up to 4 req/s: both")]
        if plans
        else [],
        crossover=None,
        infeasible=None if plans else "No plan keeps it.",
        pruned=[],
    )
