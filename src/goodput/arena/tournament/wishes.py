"""What one source of settings (the command line, a file) asks for, and which source is heard."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from goodput.arena.players.settings import HarnessPart, Settings, Sight
from goodput.core.errors import UsageError
from goodput.core.slo_spec import SLOSpec
from goodput.core.units import parse_duration


class ModelWishes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How models are asked, as far as a source says it: the fields of
    :class:`~goodput.arena.players.settings.Settings`, as people write them; None says nothing.
    ``timeout`` is a time like "10s", ``slo`` like "ttft=400ms,tpot=50ms"."""

    observe: Sight | None = None
    constrain: bool | None = None
    think: int | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    timeout: str | None = None
    harness: tuple[HarnessPart, ...] | None = None
    slo: str | None = None


class PlayerWish(ModelWishes, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A player with settings of its own: {player = "openai:…", harness = ["memory"]}."""

    player: str


class Wishes(ModelWishes, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that a source can ask for; None says nothing.

    The seeds are a list, or ``episodes`` of them from ``seed`` on. ``ttft`` (a time like "200ms")
    and ``rate`` (tokens per second) are what the clock "tokens" counts with. ``races`` turns games
    of one seat into races of two. ``out`` is the folder for all that is written.
    """

    games: tuple[str, ...] | None = None
    players: tuple[str | PlayerWish, ...] | None = None
    seeds: tuple[int, ...] | None = None
    episodes: int | None = None
    seed: int | None = None
    clocks: tuple[str, ...] | None = None
    slow_downs: tuple[float, ...] | None = None
    ttft: str | None = None
    rate: float | None = None
    races: bool | None = None
    parallel: int | None = None
    out: str | None = None


def read_wishes(path: Path) -> Wishes:
    """Read a tournament file (TOML); raises UsageError naming the file and the wrong field."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the tournament {path}: {error.strerror}") from None
    try:
        return msgspec.toml.decode(data, type=Wishes)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"the tournament {path} is wrong: {error}") from None


def first_said(name: str, sources: Sequence[ModelWishes], default: Any) -> Any:
    """The field ``name`` of the first source that says something about it, else ``default``."""
    said = (getattr(source, name, None) for source in sources)
    return next((value for value in said if value is not None), default)


def settings_of(sources: Sequence[ModelWishes]) -> Settings:
    """How a model is asked, where earlier sources are heard before later ones.

    Raises UsageError or InvalidRequestError with the name of the setting that cannot work.
    """
    plain = Settings()
    same = ("observe", "constrain", "think", "max_tokens", "temperature", "harness")
    timeout = first_said("timeout", sources, None)
    slo = first_said("slo", sources, None)
    settings = Settings(
        **{name: first_said(name, sources, getattr(plain, name)) for name in same},
        timeout_s=plain.timeout_s if timeout is None else parse_duration(timeout, "timeout"),
        slo=None if slo is None else SLOSpec.parse(slo).resolve(None),
    )
    settings.check()
    return settings


def seeds_of(sources: Sequence[Wishes], episodes: int) -> tuple[int, ...]:
    """The seeds that the first source with an opinion lists, or else counts; ``episodes`` is how
    many where nobody says.

    Raises UsageError for a list beside a count in one source, and for seeds that cannot be.
    """
    if any(source.seeds is not None and _counts(source) for source in sources):
        raise UsageError("give either seeds, or episodes and seed, not both")
    heard = next((one for one in sources if one.seeds is not None or _counts(one)), None)
    if heard is not None and heard.seeds is not None:
        return _checked_seeds(heard.seeds)
    count, start = first_said("episodes", sources, episodes), first_said("seed", sources, 0)
    if count < 1:
        raise UsageError(f"episodes must be at least 1, not {count}")
    return _checked_seeds(tuple(range(start, start + count)))


def _counts(source: Wishes) -> bool:
    return source.episodes is not None or source.seed is not None


def _checked_seeds(seeds: tuple[int, ...]) -> tuple[int, ...]:
    if not seeds:
        raise UsageError("seeds must not be empty")
    if min(seeds) < 0:
        raise UsageError(f"seeds must be 0 or more, not {min(seeds)}")
    if len(set(seeds)) < len(seeds):
        raise UsageError("seeds must differ: the same seed twice is the same episode")
    return seeds
