"""What ``goodput plan --out`` leaves behind."""

from __future__ import annotations

from pathlib import Path

from goodput.core.errors import UsageError
from goodput.core.files import write_atomically
from goodput.plan.report.deployment import deployment_yaml
from goodput.plan.report.picture import draw_pareto
from goodput.plan.search.answer import PlanAnswer

ANSWER = "plan.json"
PICTURE = "pareto.png"
DEPLOYMENT = "deployment.yaml"


def write_answer(folder: Path, answer: PlanAnswer) -> list[str]:
    """Write the answer, its picture, and the best plan's deployment where one host can run it.

    Returns what was written, by name, and in its place a sentence about what could not be. Files
    of an earlier answer that this one has not are removed. Raises UsageError naming a file that
    cannot be written.
    """
    write_atomically(folder / ANSWER, answer.to_json())
    said = [ANSWER]
    drawn = draw_pareto(answer)
    if drawn is not None:
        write_atomically(folder / PICTURE, drawn.png)
        said.append(PICTURE)
    else:
        (folder / PICTURE).unlink(missing_ok=True)
    (folder / DEPLOYMENT).unlink(missing_ok=True)
    if answer.best is not None:
        try:
            data = deployment_yaml(answer, answer.best)
        except UsageError as error:
            said.append(error.message)
        else:
            write_atomically(folder / DEPLOYMENT, data)
            said.append(DEPLOYMENT)
    return said
