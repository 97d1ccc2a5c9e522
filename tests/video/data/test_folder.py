"""A folder of real files, some of them odd: each is used, or named and left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from goodput.core.errors import UsageError
from goodput.video.clip import Clip
from goodput.video.data.folder import VideoFolder
from goodput.video.data.source import MovingShapes, Part
from goodput.video.files.mp4 import write_mp4
from goodput.video.files.reading import read_video


def clip(number: int, size: int = 64) -> Clip:
    return MovingShapes(1).sample(number, size)[0]


def listed(folder: Path, *entries: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "videos2caption.json").write_text(json.dumps(entries))
    return folder


def test_good_films_are_used_and_odd_ones_named(tmp_path: Path) -> None:
    videos = tmp_path / "videos"
    for number in range(3):
        write_mp4(videos / f"{number}.mp4", clip(number))
    write_mp4(videos / "short.mp4", Clip(clip(4).frames[:9]))
    whole = (videos / "0.mp4").read_bytes()
    (videos / "cut.mp4").write_bytes(whole[: len(whole) // 3])
    (videos / "text.mp4").write_text("no video")
    (videos / "alone.mp4").write_bytes(whole)
    (tmp_path / "outside.mp4").write_bytes(whole)
    folder = VideoFolder(
        listed(
            tmp_path,
            {"path": "0.mp4", "cap": "a ball"},
            {"path": "1.mp4", "cap": ["a ring", "a hoop"], "fps": 8},
            {"path": "2.mp4", "cap": " "},
            {"path": "none.mp4", "cap": "nothing"},
            {"path": "short.mp4", "cap": "too short"},
            {"path": "cut.mp4", "cap": "cut"},
            {"path": "text.mp4", "cap": "text"},
            {"path": "../outside.mp4", "cap": "outside"},
        )
    )
    assert folder.count == 2
    found, sentence = folder.sample(1, 32)
    assert sentence == "a ring" and found.frames.shape == (40, 32, 32, 3)
    assert np.abs(found.frames.astype(int) - clip(1, 32).frames).mean() < 5
    reasons = "\n".join(folder.skipped)
    for words in (
        "2.mp4 has an empty caption",
        "none.mp4 has a caption, but there is no such video",
        "short.mp4 is too short: 1.125 of 5 seconds",
        "text.mp4 cannot be read",
        "../outside.mp4 lies outside videos",
        "alone.mp4 has no caption",
    ):
        assert words in reasons
    assert any("cut.mp4" in reason for reason in folder.skipped)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], "has no film to train on"),
        ([{"path": "none.mp4", "cap": "x"}], "has no film to train on: none.mp4 has a caption"),
        ([{"path": "x.mp4"}], "missing required field `cap`"),
        (["x.mp4"], "Expected `object`, got `str`"),
    ],
)
def test_a_folder_without_films_is_refused(tmp_path: Path, entries: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        VideoFolder(listed(tmp_path / "set", *entries))


def test_no_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read .*videos2caption\.json"):
        VideoFolder(tmp_path)


def test_other_rates_and_shapes_are_brought_to_ours(tmp_path: Path) -> None:
    frames = clip(5).frames
    # Each frame three times, at three times the rate, in a wide picture.
    wide = np.pad(np.repeat(frames, 3, axis=0), ((0, 0), (0, 0), (20, 20), (0, 0)))
    write_mp4(tmp_path / "wide.mp4", Clip(wide, 24))
    found = read_video(tmp_path / "wide.mp4", 64, 40)
    assert np.abs(found.frames.astype(int) - frames).mean() < 4
    # And one that lasts: half the rate, every picture twice.
    write_mp4(tmp_path / "slow.mp4", Clip(frames[::2], 4))
    slow = read_video(tmp_path / "slow.mp4", 64, 40)
    assert np.abs(slow.frames[1::2].astype(int) - slow.frames[::2]).max() == 0


def test_a_part_of_a_source_counts_from_its_own_beginning() -> None:
    whole = MovingShapes(1)
    part = Part(whole, range(3, 7))
    assert part.count == 4
    assert part.sample(1, 32)[1] == whole.sample(4, 32)[1]
    with pytest.raises(IndexError):
        part.sample(4, 32)
