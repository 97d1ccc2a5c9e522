"""The options that verbs which play share, and the wishes that they come to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from goodput.arena.tournament.wishes import Wishes


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayOptions:
    """Who plays how often, in whose time, and what becomes of it; as the user wrote it."""

    player: Annotated[
        list[str] | None,
        typer.Option(
            help="random, greedy, search, human or openai:MODEL@URL, with #NAME behind it where "
            "the key is in the environment variable NAME instead of OPENAI_API_KEY. Give it again "
            "for each player.",
            show_default=False,
        ),
    ] = None
    episodes: Annotated[
        int | None,
        typer.Option(help="Seeds that everybody plays.", show_default="10; with a human 1"),
    ] = None
    seed: Annotated[int | None, typer.Option(help="The first of them.", show_default="0")] = None
    clock: Annotated[
        str | None,
        typer.Option(
            help="paused: the game waits; virtual: measured latency becomes frames; wall: 60 Hz in "
            "real time; tokens: latency by --ttft and --rate. Several like virtual,paused.",
            show_default="virtual; with a human paused",
        ),
    ] = None
    slow_down: Annotated[
        str | None,
        typer.Option(help="Multiplies every latency; several like 1,2,4.", show_default="1"),
    ] = None
    ttft: Annotated[
        str | None, typer.Option(help="Of the clock tokens: time to first token, like 200ms.")
    ] = None
    rate: Annotated[
        float | None, typer.Option(help="Of the clock tokens: tokens per second after it.")
    ] = None
    races: Annotated[
        bool | None,
        typer.Option(
            "--races/--alone", help="Two at a time in games of one seat.", show_default="alone"
        ),
    ] = None
    harness: Annotated[
        str | None,
        typer.Option(
            help="What helps models: parts of perception,memory,reflection.", show_default="none"
        ),
    ] = None
    observe: Annotated[
        Literal["text", "picture"] | None,
        typer.Option(help="What models see.", show_default="text"),
    ] = None
    constrain: Annotated[
        bool | None,
        typer.Option(
            "--constrain/--free",
            help="Hold models to the legal actions where the server can.",
            show_default="constrain",
        ),
    ] = None
    think: Annotated[
        int | None,
        typer.Option(help="Tokens of thinking before an answer.", show_default="0"),
    ] = None
    max_tokens: Annotated[
        int | None, typer.Option(help="Longest free answer in tokens.", show_default="64")
    ] = None
    temperature: Annotated[float | None, typer.Option(help="0 is greedy.", show_default="0")] = None
    timeout: Annotated[
        str | None, typer.Option(help="Longest time for a decision.", show_default="30s")
    ] = None
    slo: Annotated[
        str | None,
        typer.Option(help="Bounds to ask of the server, like ttft=400ms,tpot=50ms."),
    ] = None
    parallel: Annotated[
        int | None,
        typer.Option(
            help="Episodes at a time.",
            show_default="8; 1 where a clock measures latency",
        ),
    ] = None
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the episodes and config.json.", show_default="out/play/NAME"),
    ] = None
    json: Annotated[bool, typer.Option("--json", help="Print the results as JSON only.")] = False

    def wishes(self, game: str | None = None) -> Wishes:
        """What the command line asks for; ``game`` where it names one."""
        from goodput.arena.tournament.wishes import Wishes
        from goodput.cli.bench.options import parse_numbers

        slow_downs = None
        if self.slow_down is not None:
            slow_downs = tuple(parse_numbers(self.slow_down, "--slow-down"))
        return Wishes(
            games=None if game is None else (game,),
            players=tuple(self.player) if self.player else None,
            episodes=self.episodes,
            seed=self.seed,
            clocks=_words(self.clock),
            slow_downs=slow_downs,
            ttft=self.ttft,
            rate=self.rate,
            races=self.races,
            harness=_words(self.harness),  # type: ignore[arg-type]  # checked with all settings
            observe=self.observe,
            constrain=self.constrain,
            think=self.think,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            timeout=self.timeout,
            slo=self.slo,
            parallel=self.parallel,
            out=None if self.out is None else str(self.out),
        )


def _words(text: str | None) -> tuple[str, ...] | None:
    """The words of a list with commas; an empty one says that there shall be none."""
    return None if text is None else tuple(word.strip() for word in text.split(",") if word.strip())
