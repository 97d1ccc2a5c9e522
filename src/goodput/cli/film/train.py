"""``goodput film train``: a recipe's networks, from nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from goodput.core.errors import UsageError

if TYPE_CHECKING:
    from goodput.video.data.source import ClipSource
    from goodput.video.training.loop import Watcher
    from goodput.video.training.recipe import Recipe

_HELD_SEED = 1_000_003


def train(
    recipe: Annotated[Path, typer.Argument(help="A YAML file: see recipes/film.")],
    out: Annotated[
        Path | None, typer.Option(help="The run's folder.", show_default="out/film/<recipe>")
    ] = None,
    threads: Annotated[int, typer.Option(min=0, help="Cores.", show_default="all")] = 0,
) -> None:
    """Train what the recipe describes, stage after stage.

    The same command goes on after a Ctrl-C or a crash from the last checkpoint, and what comes out
    is bit for bit what it would have been without the break.
    """
    from goodput.cli.film.watching import watching
    from goodput.video.models.cores import use_cores
    from goodput.video.training.recipe import read_recipe

    use_cores(threads)
    from goodput.video.training.run import Run

    read = read_recipe(recipe)
    folder = out or Path("out/film") / recipe.stem
    _belongs(folder, recipe)
    with watching() as watcher:
        source, held = _sources(read, watcher)
        made = Run(read, folder, source, held, watcher).all_stages()
        watcher.said(f'done: goodput film "a red ball bounces" --model {made}')


def _sources(recipe: Recipe, watcher: Watcher) -> tuple[ClipSource, ClipSource]:
    """Clips to train on, and others to validate with."""
    from goodput.video.data.source import MovingShapes, Part

    if recipe.videos is None:
        return MovingShapes(recipe.seed), MovingShapes(recipe.seed + _HELD_SEED)
    from goodput.video.data.folder import VideoFolder

    folder = VideoFolder(Path(recipe.videos))
    for reason in folder.skipped:
        watcher.said(f"left out: {reason}")
    # The last tenth is kept from training; of a single film there is nothing to keep.
    kept = folder.count - max(1, folder.count // 10) if folder.count > 1 else 0
    trained = Part(folder, range(kept or folder.count))
    return trained, Part(folder, range(kept, folder.count))


def _belongs(folder: Path, recipe: Path) -> None:
    """A folder belongs to one recipe: going on with another would mix two runs."""
    from goodput.core.files import write_atomically

    text, kept = recipe.read_bytes(), folder / "recipe.yaml"
    if not kept.exists():
        write_atomically(kept, text)
    elif kept.read_bytes() != text:
        raise UsageError(f"{folder} belongs to another recipe ({kept}): choose another --out")
