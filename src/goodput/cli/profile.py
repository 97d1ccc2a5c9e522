"""``goodput profile``: how long steps take here, as a file that simulate and plan read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from goodput.core.errors import UsageError
from goodput.core.units import parse_duration

if TYPE_CHECKING:
    from rich.console import Console

    from goodput.plan.profile.schema import Profile


def profile(
    model: Annotated[
        str, typer.Option(help="Model name, .gguf file or HF folder.")
    ] = "smollm2:135m",
    threads: Annotated[
        str, typer.Option(help="Cores per worker; several in turn, like 1,2.")
    ] = "1",
    duration: Annotated[str, typer.Option(help="How long to measure.")] = "60s",
    out: Annotated[Path, typer.Option(help="The profile to write.")] = Path("profile.json"),
    name: Annotated[str | None, typer.Option(help="Its name.", show_default="the file's")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the profile as JSON only.")] = False,
) -> None:
    """Calibrate the latency model of a worker on this machine, in about a minute.

    Times prompts against length and cached prefix, decoding against batch and context, mixed steps
    and hand-offs, lays lines through them, and says how well these predict steps that were held
    out. Let nothing else run meanwhile.
    """
    import msgspec
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from goodput.cli.pull import pull_with_progress
    from goodput.cli.serve import convert_with_progress
    from goodput.plan.profile.files import write_profile
    from goodput.plan.profile.machine import profile_machine

    counts = _threads(threads)
    seconds = parse_duration(duration, "--duration")
    console = Console(stderr=True, highlight=False)
    path = pull_with_progress(model)
    convert_with_progress(path, "cpu")
    columns = (TextColumn("timing steps"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=1.0)
        found = profile_machine(
            name or out.stem,
            model,
            path,
            counts,
            seconds=seconds,
            progress=lambda done: bar.update(task, completed=done),
        )
    write_profile(out, found)
    if json:
        typer.echo(msgspec.json.encode(found))
        return
    _show(Console(highlight=False), found)
    console.print(f"written to {out}", markup=False)


def _threads(text: str) -> list[int]:
    from goodput.control.layout import available_cores

    most = len(available_cores())
    try:
        counts = sorted({int(part) for part in text.split(",")})
    except ValueError:
        raise UsageError(f"--threads must be numbers like 1,2, not {text!r}") from None
    if not counts or not 1 <= counts[0] <= counts[-1] <= most:
        raise UsageError(f"--threads must lie in 1..{most}, the cores there are, not {text!r}")
    return counts


def _show(console: Console, found: Profile) -> None:
    from rich.table import Table

    table = Table(title=f"{found.model} on {found.machine}")
    for column in ("step", "fixed, ms", "prompt token, ms", "pair, ns", "row, ms", "context, µs"):
        table.add_column(column, justify="left" if column == "step" else "right")
    for worker in found.workers:
        lines = {"prefill": worker.prefill, "decode": worker.decode, "mixed": worker.mixed}
        if worker.large_decode is not None:
            lines[f"decode from {worker.large_batch} rows on"] = worker.large_decode
        for region, line in lines.items():
            label = region if len(found.workers) == 1 else f"{region}, {worker.accelerators} cores"
            table.add_row(
                label,
                f"{line.base_s * 1e3:.2f}",
                f"{line.prefill_token_s * 1e3:.3f}",
                f"{line.prefill_pair_s * 1e9:.1f}",
                f"{line.decode_row_s * 1e3:.2f}",
                f"{line.context_token_s * 1e6:.2f}",
            )
    console.print(table)
    errors = Table(title="errors on steps that were held out")
    for column in ("region", "steps", "median", "p90", "worst"):
        errors.add_column(column, justify="left" if column == "region" else "right")
    for error in found.errors:
        shares = (f"{share:.1%}" for share in (error.median, error.p90, error.worst))
        errors.add_row(error.region, str(error.points), *shares)
    console.print(errors)
    console.print(
        f"hand-off {found.near.base_s * 1e3:.2f} ms, frontend {found.frontend_s * 1e3:.2f} ms"
    )
