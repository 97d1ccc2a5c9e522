"""The deployment of a plan is one that ``goodput serve`` takes."""

from pathlib import Path

import msgspec
import pytest
from tests.plan.report.made import made_answer, made_row

from goodput.core.config import WorkerCounts, load_deployment
from goodput.core.errors import UsageError
from goodput.plan.report.deployment import deployment_of, deployment_yaml


@pytest.mark.parametrize("kind", ["aggregated", "disaggregated", "hybrid"])
@pytest.mark.parametrize("count", [1, 2])
def test_the_file_loads_as_the_plan(tmp_path: Path, kind: str, count: int) -> None:
    row = made_row(kind, count=count)
    answer = made_answer(row, node=8)
    path = tmp_path / "deployment.yaml"
    path.write_bytes(deployment_yaml(answer, row))
    loaded = load_deployment(path)
    assert loaded == deployment_of(answer, row)
    counts = {team.role: count for team in row.teams}
    assert loaded.workers == WorkerCounts(**{"prefill": 0, "decode": 0, "mixed": 0, **counts})
    assert loaded.engine.token_budget == 8192 and loaded.engine.saturation_tokens == 512
    assert path.read_text().startswith("# goodput plan: 4 req/s")


def test_cores_of_a_worker_are_its_threads() -> None:
    row = made_row("disaggregated", tensor=2)
    assert deployment_of(made_answer(row), row).engine.threads == 2


def test_one_gpu_is_served_by_one_mixed_worker() -> None:
    row = made_row("aggregated")
    config = deployment_of(made_answer(row, accelerator="h100"), row)
    assert config.engine.device == "cuda" and config.workers == WorkerCounts(
        prefill=0, decode=0, mixed=1
    )


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (made_answer(made_row(count=4)), "a host has 4"),
        (made_answer(made_row(), accelerator="b200", node=8), "one mixed worker on one"),
        (
            made_answer(
                msgspec.structs.replace(
                    made_row(),
                    teams=[
                        made_row().teams[0],
                        msgspec.structs.replace(made_row().teams[1], tensor=2),
                    ],
                )
            ),
            "engine.threads is the same",
        ),
    ],
)
def test_what_one_host_cannot_run_is_said(answer, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UsageError, match=words):
        deployment_of(answer, answer.plans[0])
