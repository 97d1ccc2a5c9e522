"""``goodput film SENTENCE``: a film of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from goodput.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from goodput.video.clip import Clip
    from goodput.video.sampling.order import FilmMaker, Order

_ENDINGS: Final = (".mp4", ".gif", ".png")


def make(
    sentence: Annotated[str, typer.Argument(help='Like "two blue squares cross".')],
    out: Annotated[
        Path, typer.Option("--out", "-o", help=".mp4, .gif, or .png for a contact sheet.")
    ] = Path("film.mp4"),
    model: Annotated[str, typer.Option(help="A name that comes along, or a trained folder.")] = (
        "nano"
    ),
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another film.")] = 0,
    steps: Annotated[int, typer.Option(min=0, show_default="the model's")] = 0,
    size: Annotated[int, typer.Option(min=0, help="Pixels.", show_default="the model's")] = 0,
    seconds: Annotated[float, typer.Option(min=0.5, max=10, help="Its length.")] = 5.0,
    threads: Annotated[int, typer.Option(min=0, help="Cores.", show_default="all")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the times as JSON only.")] = False,
) -> None:
    """Make a film of a sentence.

    Models of the recipes know moving shapes: circles, squares, triangles, rings and digits in
    six colours that move, bounce, orbit, cross or rest. Words that they have never read are named.
    """
    from rich.console import Console

    from goodput.video.clip import FPS
    from goodput.video.models.cores import use_cores
    from goodput.video.sampling.loading import load
    from goodput.video.sampling.order import Order

    if out.suffix not in _ENDINGS:
        raise UsageError(f"--out must end in {', '.join(_ENDINGS)}, not {out.name}")
    messages = Console(stderr=True, highlight=False)
    use_cores(threads)
    loaded = load(model)
    for word in loaded.unknown(sentence):
        messages.print(f"the model has never read {word!r}", markup=False)
    frames = max(1, round(seconds * FPS / loaded.multiple)) * loaded.multiple
    order = Order(sentence, seed, size or loaded.size, frames, steps or loaded.steps)
    started = time.perf_counter()
    clip = _made(loaded.maker, order, messages)
    made = time.perf_counter()
    _write(out, clip, sentence)
    spent = {**loaded.maker.seconds, "file": time.perf_counter() - made}
    _print(out, clip, spent, time.perf_counter() - started, json=json)


def _made(maker: FilmMaker[Any], order: Order, messages: Console) -> Clip:
    import numpy as np
    from rich.progress import track

    from goodput.video.clip import Clip

    film, parts = maker.begin(order), []
    for _ in track(range(film.steps_left), "denoising", console=messages, transient=True):
        (frames,) = maker.denoise([film])
        if frames is not None:
            parts.append(frames)
    return Clip(np.concatenate(parts))


def _write(path: Path, clip: Clip, sentence: str) -> None:
    if path.suffix == ".mp4":
        from goodput.video.files.mp4 import write_mp4

        write_mp4(path, clip)
    elif path.suffix == ".gif":
        from goodput.video.files.gif import write_gif

        write_gif(path, clip)
    else:
        from goodput.video.files.sheet import write_sheet

        write_sheet(path, [clip], [sentence])


def _print(path: Path, clip: Clip, spent: Mapping[str, float], whole: float, *, json: bool) -> None:
    if json:
        from json import dumps

        facts = {"path": str(path), "seconds": clip.seconds, "stages": dict(spent), "all": whole}
        typer.echo(dumps(facts))
        return
    stages = ", ".join(f"{name} {seconds * 1e3:.0f} ms" for name, seconds in spent.items())
    typer.echo(f"{path}: {clip.seconds:g} s of video in {whole:.2f} s ({stages})")
