"""A plan as a ``deployment.yaml`` for ``goodput serve``, where one host can run it."""

from __future__ import annotations

import msgspec

from goodput.core.config import DeploymentConfig, EngineConfig, WorkerCounts
from goodput.core.errors import UsageError
from goodput.plan.library.accelerators import accelerators
from goodput.plan.search.answer import PlanAnswer, PlanRow


def deployment_of(answer: PlanAnswer, plan: PlanRow) -> DeploymentConfig:
    """The configuration of ``plan``.

    Raises UsageError, in a sentence, where ``goodput serve`` cannot run it on one host.
    """
    if plan.accelerators > answer.node:
        raise UsageError(
            f"no deployment.yaml: the plan takes {plan.accelerators} accelerators and a host has "
            f"{answer.node}; goodput serve runs on one host"
        )
    on_gpu = answer.accelerator in accelerators()
    if on_gpu and (plan.accelerators > 1 or plan.kind != "aggregated"):
        raise UsageError(
            "no deployment.yaml: on a GPU goodput serve runs one mixed worker on one accelerator, "
            f"and the plan is {plan.label}"
        )
    widths = {team.tensor * team.pipeline for team in plan.teams}
    if len(widths) > 1:
        raise UsageError(
            f"no deployment.yaml: engine.threads is the same for all workers, and {plan.label} "
            "gives them different numbers of cores"
        )
    counts = {team.role: team.count for team in plan.teams}
    team = plan.teams[0]
    config = DeploymentConfig(
        model=answer.model,
        workers=WorkerCounts(
            prefill=counts.get("prefill", 0),
            decode=counts.get("decode", 0),
            mixed=counts.get("mixed", 0),
        ),
        engine=EngineConfig(
            device="cuda" if on_gpu else "cpu",
            kv_tokens=min(team.kv_tokens for team in plan.teams),
            token_budget=team.token_budget,
            saturation_tokens=team.saturation_tokens,
            max_sequences=team.max_sequences,
            threads=1 if on_gpu else widths.pop(),
        ),
    )
    config.check()
    return config


def deployment_yaml(answer: PlanAnswer, plan: PlanRow) -> bytes:
    """The file: what differs from the defaults, under a comment that says where it is from."""
    config = deployment_of(answer, plan)
    plain = _differences(config, DeploymentConfig())
    assert isinstance(plain, dict)
    # The choice of workers and of a step's limits is the plan: said even where it is the default.
    plain = {"model": config.model, "workers": msgspec.to_builtins(config.workers), **plain}
    comment = (
        f"# goodput plan: {plan.goodput:.3g} req/s ({plan.low:.3g} to {plan.high:.3g}) of "
        f"{answer.workload} keep {answer.slo}\n# by the profile {answer.profile}\n"
    )
    return comment.encode() + msgspec.yaml.encode(plain)


def _differences(value: msgspec.Struct, default: msgspec.Struct) -> dict[str, object]:
    """Fields that are not as by default, as plain data."""
    found: dict[str, object] = {}
    for name in value.__struct_fields__:
        own, usual = getattr(value, name), getattr(default, name)
        if own == usual:
            continue
        nested = isinstance(own, msgspec.Struct)
        found[name] = _differences(own, usual) if nested else msgspec.to_builtins(own)
    return found
