"""``goodput serve --device cuda`` where it cannot work, and without torch."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import goodput
from goodput.cli import main

SOURCES = Path(goodput.__file__).parent


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--prefill", "1", "--decode", "1"], "engine.device cuda serves with one mixed worker"),
        (["--mixed", "2"], "engine.device cuda serves with one mixed worker"),
        (["--backend", "cpu"], "backend cpu cannot run on engine.device cuda"),
    ],
)
def test_what_a_gpu_cannot_serve_is_one_sentence(
    options: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--device", "cuda", "--port", "0", *options]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"goodput: {sentence}") and error.count("\n") == 1


def test_a_machine_without_a_gpu_is_told_before_anything_is_loaded(
    capsys: pytest.CaptureFixture[str],
) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    assert main(["serve", "--device", "cuda", "--port", "0", "--model", "/nowhere.gguf"]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("goodput: engine.device is cuda, but no CUDA device was found")


@pytest.mark.parametrize("options", [["--backend", "torch"], ["--device", "cuda"]])
def test_torch_that_is_missing_is_one_sentence(options: list[str]) -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from goodput.cli import main\n"
        f"sys.exit(main(['serve', '--port', '0', '--model', '/nowhere.gguf', *{options!r}]))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert "needs torch: pip install 'goodput[torch]'" in ended.stderr.splitlines()[-1]


def test_torch_is_imported_by_its_backend_and_by_films_only() -> None:
    importing = re.compile(r"^\s*(import|from) torch\b", re.MULTILINE)
    files = [path for path in SOURCES.rglob("*.py") if importing.search(path.read_text())]
    assert files
    folders = {path.parent.relative_to(SOURCES).as_posix() for path in files}
    assert {name for name in folders if not name.startswith("video")} == {"models/ops/torch"}
    # What a film shows, and its files, are there without it.
    assert not folders & {"video/scenes", "video/data", "video/files"}
