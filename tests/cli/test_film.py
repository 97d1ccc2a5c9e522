"""``goodput film`` as a user meets it, with a small model of random weights."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import av
import pytest
import torch

from goodput.cli import main
from goodput.video.models.autoencoder import Autoencoder
from goodput.video.models.family import AutoencoderConfig, TransformerConfig
from goodput.video.models.transformer import FilmTransformer
from goodput.video.sampling.bundle import Manner, write_autoencoder, write_transformer

CONFIG = TransformerConfig(width=32, depth=1, heads=2, text_width=32, text_depth=1)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(0)
    write_autoencoder(folder, Autoencoder(AutoencoderConfig(width=16)))
    manner = Manner(size=32, shift=3.0, guidance=1.0, steps=2)
    write_transformer(folder, FilmTransformer(CONFIG), manner)
    return folder


@pytest.mark.parametrize("name", ["film.mp4", "film.gif", "film.png"])
def test_a_sentence_becomes_a_file(
    model: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / name
    assert main(["film", "a red ball bounces", "-o", str(out), "--model", str(model)]) == 0
    assert out.stat().st_size > 100
    shown = capsys.readouterr().out
    assert f"{out}: 5 s of video in" in shown.replace("\n", "") and "denoise" in shown


def test_length_and_times(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "film.mp4"
    words = ["film", "a fine ball", "-o", str(out), "--model", str(model), "--json"]
    assert main([*words, "--seconds", "1.1", "--steps", "1"]) == 0
    said = capsys.readouterr()
    facts = json.loads(said.out)
    assert facts["seconds"] == 1.0 and {"text", "denoise", "decode", "file"} == set(facts["stages"])
    assert "has never read 'fine'" in said.err
    with av.open(str(out)) as file:
        assert sum(1 for _ in file.decode(video=0)) == 8


def test_a_model_is_judged(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "sheet.png"
    words = ["film", "judge", str(model), "--films", "3", "--sheet", str(sheet)]
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["drawn"]["films"] == found["real"]["films"] == 3
    assert found["held_out"]["films"] == 1 and found["frechet"] is None
    # Weights that were never trained show nothing that was asked.
    assert found["drawn"]["all_right"] == 0 and found["real"]["all_right"] > 0.6
    assert sheet.stat().st_size > 100


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["x", "-o", "film.avi"], "--out must end in .mp4, .gif, .png, not film.avi"),
        (["x", "--model", "none"], "model must be"),
        (["x", "--size", "48"], "size must be 32x32"),
        (["train", "none.yaml"], "cannot read none.yaml"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    model: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = [] if "--model" in words or words[0] == "train" else ["--model", str(model)]
    assert main(["film", *words, *ours]) == 2
    assert message in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("words", [["a ball"], ["train", "recipe.yaml"], ["judge"]])
def test_torch_that_is_missing_is_one_sentence(words: list[str]) -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from goodput.cli import main\n"
        f"sys.exit(main(['film', *{words!r}]))"
    )
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr == "goodput: films need the extra 'film': pip install 'goodput[film]'\n"


def test_a_damaged_model_is_named(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in model.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    whole = (tmp_path / "transformer.safetensors").read_bytes()
    (tmp_path / "transformer.safetensors").write_bytes(whole[:-9])
    assert main(["film", "x", "--model", str(tmp_path)]) == 2
    assert "transformer.safetensors is broken" in " ".join(capsys.readouterr().err.split())
