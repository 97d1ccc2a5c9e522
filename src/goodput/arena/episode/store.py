"""Episodes on disk: one file of JSON lines each, whole or absent, found again by their header."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

import msgspec

from goodput.arena.episode.record import End, Episode, Header, Line, Move
from goodput.core.errors import UsageError
from goodput.core.files import write_atomically

SUFFIX = ".episode.jsonl"

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Line)


def write_episode(path: Path, episode: Episode) -> None:
    """Write the header, the moves and the end, a line each; raises UsageError when that fails."""
    lines: list[Line] = [episode.header, *episode.moves, episode.end]
    write_atomically(path, _encoder.encode_lines(lines))


def read_episode(path: Path) -> Episode:
    """Read what :func:`write_episode` wrote; raises UsageError naming the file and the line."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise UsageError(f"cannot read the episode {path}: {error.strerror}") from None
    parts: list[Line] = []
    for number, line in enumerate(lines, start=1):
        try:
            parts.append(_decoder.decode(line))
        except msgspec.DecodeError as error:
            raise UsageError(f"line {number} of {path} is not of an episode: {error}") from None
    match parts:
        case [Header() as header, *between, End() as end]:
            moves = tuple(part for part in between if isinstance(part, Move))
            if len(moves) == len(between):
                return Episode(header=header, moves=moves, end=end)
    raise UsageError(f"{path} is not one whole episode: a header, its moves and an end")


class EpisodeStore:
    """A folder of episodes. The same header is the same episode: a run that was interrupted asks
    :meth:`find` and plays only what is missing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, header: Header) -> Path:
        """Where the episode with this header is, or will be."""
        name = blake2b(_encoder.encode(header), digest_size=6).hexdigest()
        return self.folder / f"{header.game}.seed{header.seed}.{name}{SUFFIX}"

    def find(self, header: Header) -> Episode | None:
        """The episode with this header, if it was played; raises UsageError for a damaged file."""
        path = self.path(header)
        return read_episode(path) if path.exists() else None

    def save(self, episode: Episode) -> Path:
        """Keep an episode, in place of one with the same header; gives its path."""
        path = self.path(episode.header)
        write_episode(path, episode)
        return path

    def all(self) -> list[Episode]:
        """Every episode in the folder, in the order of the files' names."""
        return [read_episode(path) for path in sorted(self.folder.glob(f"*{SUFFIX}"))]
