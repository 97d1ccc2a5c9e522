"""``goodput film judge``: whether a model's films show what their sentences ask."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from goodput.video.judging.trial import Trial


def judge(
    model: Annotated[str, typer.Argument(help="nano, or a trained folder.")] = "nano",
    films: Annotated[int, typer.Option(min=2, help="Of drawn scenes; half as many more.")] = 100,
    steps: Annotated[int, typer.Option(min=0, show_default="the model's")] = 0,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    threads: Annotated[int, typer.Option(min=0, help="Cores.", show_default="all")] = 0,
    sheet: Annotated[Path | None, typer.Option(help="A PNG of the first films.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON only.")] = False,
) -> None:
    """Make films of sentences whose scenes are known, and say how many show them.

    A network names what is seen and motion is measured; both are tried on real films of the same
    scenes, too: that is the ceiling. Combinations that were never trained on are told apart.
    """
    import msgspec
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from goodput.video.models.cores import use_cores

    use_cores(threads)
    from goodput.video.judging.look import read_look
    from goodput.video.judging.trial import try_out
    from goodput.video.sampling.loading import RELEASED, load

    messages = Console(stderr=True, highlight=False)
    network = read_look(RELEASED / "judge.safetensors")
    loaded = load(model)
    count = steps or loaded.steps
    columns = (TextColumn("films"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=messages, transient=True) as bar:
        task = bar.add_task("", total=films + max(1, films // 2))
        found, made = try_out(
            loaded.maker,
            network,
            size=loaded.size,
            steps=count,
            films=films,
            seed=seed,
            progress=lambda done: bar.update(task, completed=done),
        )
    if sheet is not None:
        from goodput.video.files.sheet import write_sheet

        shown = made[:12]
        write_sheet(sheet, [clip for _, clip in shown], [sentence for sentence, _ in shown])
    if json:
        typer.echo(msgspec.json.encode(found).decode())
    else:
        _print(Console(highlight=False), model, found)


def _print(console: Console, model: str, found: Trial) -> None:
    from rich.table import Table

    from goodput.video.judging.verdict import ATTRIBUTES

    table = Table(title=f"{model}, {found.steps} steps", title_justify="left")
    table.add_column("films")
    for column in ("", "all right", "95 %", *ATTRIBUTES, "heading off by"):
        table.add_column(column or "of", justify="right")
    rows = (("real", found.real), ("drawn scenes", found.drawn), ("held out", found.held_out))
    for name, one in rows:
        low, high = one.interval
        error = one.median_heading_error
        table.add_row(
            name,
            str(one.films),
            f"{one.all_right:.0%}",
            f"{low:.0%}–{high:.0%}",
            *(f"{one.attributes[attribute]:.0%}" for attribute in ATTRIBUTES),
            "–" if error is None else f"{error:.1f}°",
        )
    console.print(table)
    if found.frechet is not None:
        parts = ", ".join(f"{name} {value:.2f}" for name, value in found.frechet.items())
        console.print(f"Fréchet distance to other real films, in the judge's features: {parts}")
