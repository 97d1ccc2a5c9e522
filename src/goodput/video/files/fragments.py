"""Fragmented mp4 (ISO/IEC 14496-12): what was added so far can be shown at once.

A multiplexer of FFmpeg keeps the last frame of a fragment until it has seen the next one, which
would cost a film in the making a frame's time at each chunk. So the few boxes that a film of one
H.264 track needs are written here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from goodput.video.clip import Frames
from goodput.video.files.encoder import Encoder, even

_UNITY: Final = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_KEY, _NOT_KEY = 0x02000000, 0x01010000
_SPS, _PPS = 7, 8


class FragmentedWriter:
    """One film as bytes that are ready to be sent: ``begin``, then ``add`` for each chunk."""

    def __init__(self, height: int, width: int, fps: float) -> None:
        self._height, self._width = height + height % 2, width + width % 2
        self._encoder = Encoder(self._height, self._width, fps)
        self._fragments = 0
        self._frames = 0

    def begin(self) -> bytes:
        """What a player needs before the first frame."""
        kind = _box(b"ftyp", b"isom", struct.pack(">I", 512), b"isomiso5avc1mp41")
        return kind + self._movie()

    def add(self, frames: Frames) -> bytes:
        """A fragment with all of ``frames`` (count, height, width, 3), ready to be shown."""
        samples = [
            (_length_prefixed(bytes(packet)), packet.is_keyframe)
            for packet in self._encoder.packets(even(frames))
        ]
        head = self._fragment_head(samples, 0)
        # The data begins 8 bytes into the box that follows.
        head = self._fragment_head(samples, len(head) + 8)
        self._fragments += 1
        self._frames += len(samples)
        return head + _box(b"mdat", *(data for data, _ in samples))

    def _fragment_head(self, samples: list[tuple[bytes, bool]], offset: int) -> bytes:
        rows = b"".join(
            struct.pack(">II", len(data), _KEY if key else _NOT_KEY) for data, key in samples
        )
        # Flags: base is this fragment; offset of the data, size and flags of each sample.
        run = struct.pack(">Ii", len(samples), offset) + rows
        return _box(
            b"moof",
            _full(b"mfhd", 0, 0, struct.pack(">I", self._fragments + 1)),
            _box(
                b"traf",
                _full(b"tfhd", 0, 0x020000, struct.pack(">I", 1)),
                _full(b"tfdt", 1, 0, struct.pack(">Q", self._frames * self._tick)),
                _full(b"trun", 0, 0x000001 | 0x000200 | 0x000400, run),
            ),
        )

    @property
    def _tick(self) -> int:
        """Of the time scale, from one frame to the next."""
        return self._encoder.rate.denominator

    def _movie(self) -> bytes:
        scale = struct.pack(">4I", 0, 0, self._encoder.rate.numerator, 0)
        movie = scale + struct.pack(">IHH8x", 0x10000, 0x100, 0) + _UNITY + bytes(24)
        header = _full(b"mvhd", 0, 0, movie, struct.pack(">I", 2))
        # Durations are 0: nobody knows them yet. The defaults say how long a sample lasts.
        defaults = struct.pack(">5I", 1, 1, self._tick, 0, 0)
        extends = _box(b"mvex", _full(b"trex", 0, 0, defaults))
        return _box(b"moov", header, self._track(scale), extends)

    def _track(self, scale: bytes) -> bytes:
        shown = struct.pack(">IIIII8x4H", 0, 0, 1, 0, 0, 0, 0, 0, 0) + _UNITY
        sides = struct.pack(">II", self._width << 16, self._height << 16)
        reference = _full(b"dref", 0, 0, struct.pack(">I", 1), _full(b"url ", 0, 1))
        nothing = [_full(name, 0, 0, bytes(4)) for name in (b"stts", b"stsc", b"stco")]
        table = _box(b"stbl", self._description(), *nothing, _full(b"stsz", 0, 0, bytes(8)))
        return _box(
            b"trak",
            _full(b"tkhd", 0, 3, shown, sides),
            _box(
                b"mdia",
                _full(b"mdhd", 0, 0, scale, struct.pack(">HH", 0x55C4, 0)),
                _full(b"hdlr", 0, 0, struct.pack(">I4s12x", 0, b"vide"), b"film\0"),
                _box(
                    b"minf",
                    _full(b"vmhd", 0, 1, bytes(8)),
                    _box(b"dinf", reference),
                    table,
                ),
            ),
        )

    def _description(self) -> bytes:
        units = list(_units(self._encoder.header))
        sps = next(unit for unit in units if unit[0] & 31 == _SPS)
        pps = next(unit for unit in units if unit[0] & 31 == _PPS)
        config = _box(
            b"avcC",
            struct.pack(">B3sBB", 1, sps[1:4], 0xFF, 0xE1),
            struct.pack(">H", len(sps)) + sps,
            struct.pack(">BH", 1, len(pps)) + pps,
        )
        entry = struct.pack(
            ">6xH16xHHIIIH32xHh", 1, self._width, self._height, 72 << 16, 72 << 16, 0, 1, 24, -1
        )
        return _full(b"stsd", 0, 0, struct.pack(">I", 1), _box(b"avc1", entry, config))


def _box(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), name) + body


def _full(name: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return _box(name, struct.pack(">I", version << 24 | flags), *parts)


def _units(stream: bytes) -> Iterator[bytes]:
    """The network units of a stream with start codes of three or four bytes (H.264, annex B)."""
    for part in stream.split(b"\0\0\1")[1:]:
        unit = part.rstrip(b"\0")
        if unit:
            yield unit


def _length_prefixed(packet: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(unit)) + unit for unit in _units(packet))
