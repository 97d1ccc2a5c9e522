"""Files that other programs read back: whole, in fragments, as pictures."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from goodput.core.errors import UsageError
from goodput.video.clip import Clip, Frames
from goodput.video.data.source import MovingShapes
from goodput.video.files.fragments import FragmentedWriter
from goodput.video.files.gif import write_gif
from goodput.video.files.mp4 import write_mp4
from goodput.video.files.sheet import write_sheet


def clip(number: int = 5, size: int = 64) -> Clip:
    return MovingShapes(1).sample(number, size)[0]


def read(file: object) -> tuple[Frames, list[float]]:
    with av.open(file) as container:
        frames = list(container.decode(video=0))
    return np.stack([x.to_ndarray(format="rgb24") for x in frames]), [float(x.time) for x in frames]


def near(found: Frames, wanted: Frames) -> bool:
    """Colours are stored at half the resolution: edges differ, the rest does not."""
    return bool(np.abs(found.astype(int) - wanted).mean() < 4)


@pytest.mark.parametrize("fps", [8, 25, 29.97])
def test_an_mp4_is_the_clip(tmp_path: Path, fps: float) -> None:
    made = Clip(clip().frames, fps)
    write_mp4(tmp_path / "film.mp4", made)
    frames, times = read(str(tmp_path / "film.mp4"))
    assert frames.shape == made.frames.shape and near(frames, made.frames)
    assert times == pytest.approx([number / fps for number in range(40)], abs=1e-3)
    # The index comes before the data.
    data = (tmp_path / "film.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


def test_after_each_fragment_all_its_frames_are_there() -> None:
    wanted = clip().frames
    writer = FragmentedWriter(64, 64, 8)
    data, done = writer.begin(), 0
    for count in (1, 4, 3, 12, 20):
        data += writer.add(wanted[done : done + count])
        done += count
        frames, times = read(io.BytesIO(data))
        assert len(frames) == done and near(frames, wanted[:done])
        assert times == pytest.approx([number / 8 for number in range(done)])


def test_odd_sides_are_filled_up() -> None:
    writer = FragmentedWriter(33, 47, 8)
    frames, _ = read(io.BytesIO(writer.begin() + writer.add(clip().frames[:4, :33, :47])))
    assert frames.shape == (4, 34, 48, 3) and near(frames[:, :33, :47], clip().frames[:4, :33, :47])


def test_fragments_and_files_say_the_same_size() -> None:
    """The sizes in the boxes are those of the picture, not of the stream's padding."""
    writer = FragmentedWriter(40, 72, 8)
    with av.open(
        io.BytesIO(writer.begin() + writer.add(np.zeros((1, 40, 72, 3), np.uint8)))
    ) as file:
        stream = file.streams.video[0]
        assert (stream.height, stream.width, stream.average_rate) == (40, 72, 8)


def test_a_gif_is_the_clip(tmp_path: Path) -> None:
    write_gif(tmp_path / "film.gif", clip())
    with Image.open(tmp_path / "film.gif") as image:
        # Equal frames in a row are stored once, for longer.
        length = 0
        for number in range(image.n_frames):
            image.seek(number)
            length += image.info["duration"]
        assert length == pytest.approx(5000, abs=250) and image.info["loop"] == 0
        image.seek(0)
        assert near(np.asarray(image.convert("RGB")), clip().frames[0])


def test_a_sheet_has_a_row_for_each_clip(tmp_path: Path) -> None:
    write_sheet(tmp_path / "sheet.png", [clip(), clip(6)], ["one", "two"], pictures=3)
    with Image.open(tmp_path / "sheet.png") as image:
        sheet = np.asarray(image)
    assert sheet.shape == (4 + 2 * (96 + 4 + 16), 4 + 3 * 100, 3)
    corner = clip(6).frames[-1, 0, 0]
    assert (sheet[4 + 116, 4 + 2 * 100] == corner).all()


@pytest.mark.parametrize("write", [write_mp4, write_gif])
def test_a_path_that_cannot_be_written_is_named(tmp_path: Path, write: object) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError, match=r"cannot write .*file/film"):
        write(tmp_path / "file" / "film.mp4", clip())  # type: ignore[operator]
