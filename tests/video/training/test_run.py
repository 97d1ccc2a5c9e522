"""A whole run at the smallest size: stages, interruptions, and a film at its end."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from msgspec.structs import replace

from goodput.core.errors import UsageError
from goodput.video.data.source import MovingShapes
from goodput.video.models.family import AutoencoderConfig
from goodput.video.models.files import read_tensors
from goodput.video.sampling.bundle import load_maker
from goodput.video.sampling.order import Order
from goodput.video.training.recipe import (
    AutoencoderStage,
    ConsistencyStage,
    ForcingStage,
    MatchingStage,
    Recipe,
    StreamingStage,
    TeacherStage,
    read_recipe,
)
from goodput.video.training.run import Run

RECIPE = Recipe(
    size=32,
    autoencoder=AutoencoderStage(
        steps=6,
        batch=2,
        learning_rate=1e-3,
        checkpoint_every=3,
        validate_every=6,
        network=AutoencoderConfig(width=16),
    ),
    teacher=TeacherStage(
        clips=4, steps=4, batch=2, learning_rate=1e-3, checkpoint_every=2, validate_every=4
    ),
    consistency=ConsistencyStage(
        levels=3, steps=3, batch=2, learning_rate=1e-4, checkpoint_every=2, validate_every=3
    ),
    matching=MatchingStage(
        student_steps=2,
        critic_updates=2,
        steps=3,
        batch=2,
        learning_rate=1e-4,
        checkpoint_every=2,
        validate_every=3,
    ),
    forcing=ForcingStage(
        chunk=2, steps=2, batch=2, learning_rate=1e-4, checkpoint_every=2, validate_every=2
    ),
    streaming=StreamingStage(
        student_steps=2,
        critic_updates=1,
        steps=3,
        batch=2,
        learning_rate=1e-4,
        checkpoint_every=2,
        validate_every=3,
    ),
)


class Quiet:
    """Remembers what it was told; raises at a step to be interrupted there."""

    def __init__(self, stop: tuple[str, int] | None = None) -> None:
        self.stages: list[tuple[str, int, int]] = []
        self.lines: list[str] = []
        self._stop = stop

    def stage(self, name: str, total: int, done: int) -> None:
        self.stages.append((name, total, done))

    def step(self, done: int, loss: float | None) -> None:
        if (self.stages[-1][0], done) == self._stop:
            raise KeyboardInterrupt

    def said(self, line: str) -> None:
        self.lines.append(line)


def run(folder: Path, watcher: Quiet, recipe: Recipe = RECIPE) -> Path:
    return Run(recipe, folder, MovingShapes(0), MovingShapes(9), watcher).all_stages()


@pytest.fixture(autouse=True)
def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three steps make no films yet: no collapse is seen here."""
    monkeypatch.setattr("goodput.video.training.students.check", lambda *_: None)


def test_interrupted_anywhere_it_ends_the_same(tmp_path: Path) -> None:
    whole = Quiet()
    made = run(tmp_path / "whole", whole)
    assert [name for name, _, _ in whole.stages] == [
        "autoencoder",
        "encoding",
        "encoding",
        "teacher",
        "consistency",
        "matching",
        "forcing",
        "streaming",
    ]
    for stop in (
        ("autoencoder", 5),
        ("teacher", 3),
        ("consistency", 3),
        ("matching", 3),
        ("streaming", 3),
    ):
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "broken", Quiet(stop))
    last = Quiet()
    run(tmp_path / "broken", last)
    # All is there but the last stage, which goes on after the checkpoint before its third step.
    assert last.stages == [("encoding", 4, 0), ("streaming", 3, 2)]
    for name in (
        "autoencoder.safetensors",
        "matching/transformer.safetensors",
        "streaming/transformer.safetensors",
    ):
        expected, _ = read_tensors(tmp_path / "whole" / name)
        found, _ = read_tensors(tmp_path / "broken" / name)
        assert all(torch.equal(found[key], tensor) for key, tensor in expected.items())
    curve = (tmp_path / "broken" / "streaming.jsonl").read_text()
    assert curve == (tmp_path / "whole" / "streaming.jsonl").read_text()

    maker, manner = load_maker(made)
    film = maker.begin(Order("a red ball bounces", size=32, frames=40, steps=2))
    shown = [maker.denoise([film])[0] for _ in range(film.steps_left)]
    assert [None if x is None else x.shape for x in shown] == [None, (8, 32, 32, 3)] * 5
    assert manner.size == 32 and manner.chunk == 2


def test_a_longer_checkpoint_than_the_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, Quiet(("autoencoder", 5)))
    shorter = replace(RECIPE, autoencoder=replace(RECIPE.autoencoder, steps=2))
    with pytest.raises(UsageError, match="beyond the recipe's 2 steps"):
        run(tmp_path, Quiet(), shorter)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model: tiny", "missing required field `autoencoder`"),
        ("size: 48", "missing required field"),
        ("seeds: 1", "unknown field `seeds`"),
        ("[1", "recipe.yaml: "),
    ],
)
def test_a_wrong_recipe_is_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        read_recipe(path)


def test_chunks_are_whole_tokens(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    stage = "{steps: 1, batch: 1, learning_rate: 0.1"
    path.write_text(
        f"autoencoder: {stage}}}\nteacher: {stage}, clips: 1}}\nforcing: {stage}, chunk: 3}}"
    )
    with pytest.raises(UsageError, match="chunk must be a multiple of 2 latent frames"):
        read_recipe(path)


def test_recipes_that_come_along_are_right() -> None:
    found = sorted(Path("recipes/film").glob("*.yaml"))
    assert [path.stem for path in found] == ["nano", "smoke"]
    for path in found:
        assert read_recipe(path).teacher.steps > 0
