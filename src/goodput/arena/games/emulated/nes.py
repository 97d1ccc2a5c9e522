"""Super Mario Bros. through nes-py and gym-super-mario-bros (Kauten 2018), extra "nes".

Both packages do arithmetic on single bytes that NumPy 2 refuses; here they get whole numbers.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from hashlib import blake2b
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from goodput.arena.games.emulated.console import Seen
from goodput.arena.games.emulated.game import EmulatedGame
from goodput.arena.games.rules import Picture, Spec
from goodput.core.errors import UsageError

ID: Final = "mario-v1"

_A, _B, _LEFT, _RIGHT, _DOWN = 0x01, 0x02, 0x40, 0x80, 0x20
_HELD: Final = {
    "stay": 0,
    "right": _RIGHT,
    "right run": _RIGHT | _B,
    "right jump": _RIGHT | _A,
    "right run jump": _RIGHT | _A | _B,
    "jump": _A,
    "left": _LEFT,
    "left jump": _LEFT | _A,
    "down": _DOWN,
}
_WORDS: Final = tuple(_HELD)
_BYTES: Final = tuple(_HELD.values())

# Where the game keeps things in its memory.
_PLAYER_PAGE, _PLAYER_X, _PLAYER_Y = 0x6D, 0x86, 0xCE
_SCREEN_PAGE, _SCREEN_X = 0x71A, 0x71C
_ENEMY_THERE, _ENEMY_PAGE, _ENEMY_X, _ENEMY_Y = 0x0F, 0x6E, 0x87, 0xCF
_ENEMIES: Final = 5
_TILES, _TILE_ROWS, _TILE_COLUMNS = 0x500, 13, 16
_TILE: Final = 16
_FIRST_ROW_Y: Final = 32


class Memory:
    """The console's bytes, read as whole numbers: a sum of two is no byte."""

    def __init__(self, bytes_: npt.NDArray[np.uint8]) -> None:
        self.bytes = bytes_

    def __getitem__(self, place: Any) -> Any:
        found = self.bytes[place]
        return found.tolist() if isinstance(place, slice) else int(found)

    def __setitem__(self, place: Any, value: int) -> None:
        self.bytes[place] = value


class Nes:
    """World 1-1 onwards, with the lives that the game gives. Raises UsageError without the extra.

    The game has no chance in it: every seed is the same.
    """

    actions = _WORDS

    def __init__(self) -> None:
        self._env = _environment()

    def reset(self, seed: int) -> Seen:
        self._env.reset()
        self._best, self._level = 0, (0, 0)
        self._passed = 0
        return self._look(over=False)

    def advance(self, action: int) -> Seen:
        _, _, over, _ = self._env.step(_BYTES[action])
        return self._look(over=over)

    def picture(self) -> Picture:
        return np.array(self._env.screen)

    def _look(self, *, over: bool) -> Seen:
        env, memory = self._env, self._env.ram
        level = (env._world, env._stage)
        if level != self._level:
            # Progress of the stages before is kept.
            self._passed += self._best
            self._best, self._level = 0, level
        self._best = max(self._best, _x(memory))
        score = float(self._passed + self._best)
        status = (
            f"world {level[0]}-{level[1]}, x {_x(memory)}, time {env._time}, "
            f"lives {_lives(memory)}, coins {env._coins}"
        )
        digest = blake2b(memory.bytes.tobytes(), digest_size=8).hexdigest()
        return Seen(score, over, f"{status}\n{_map(memory)}", digest)


def _x(memory: Memory) -> int:
    return int(memory[_PLAYER_PAGE] * 256 + memory[_PLAYER_X])


def _lives(memory: Memory) -> int:
    # 255 stands for none.
    return int((memory[0x75A] + 1) % 256)


def _map(memory: Memory) -> str:
    """What is on the screen, a character a tile: M you, E an enemy, # a block or solid ground."""
    left = (memory[_SCREEN_PAGE] * 256 + memory[_SCREEN_X]) // _TILE
    rows = [
        ["#" if _tile(memory, left + column, row) else "." for column in range(_TILE_COLUMNS)]
        for row in range(_TILE_ROWS)
    ]
    marks = [("M", _x(memory), memory[_PLAYER_Y])]
    for number in range(_ENEMIES):
        if memory[_ENEMY_THERE + number]:
            x = memory[_ENEMY_PAGE + number] * 256 + memory[_ENEMY_X + number]
            marks.append(("E", x, memory[_ENEMY_Y + number]))
    for mark, x, y in reversed(marks):
        column, row = (x + _TILE // 2) // _TILE - left, (y + _TILE // 2 - _FIRST_ROW_Y) // _TILE + 1
        if 0 <= column < _TILE_COLUMNS and 0 <= row < _TILE_ROWS:
            rows[row][column] = mark
    return "\n".join(map("".join, rows))


def _tile(memory: Memory, column: int, row: int) -> int:
    """The block at a column of the level: two screens are kept, one after the other."""
    page, place = divmod(column, _TILE_COLUMNS)
    screen = _TILE_ROWS * _TILE_COLUMNS * (page % 2)
    return int(memory[_TILES + screen + row * _TILE_COLUMNS + place])


def _environment() -> Any:
    """The emulator with the game, past its start screen."""
    try:
        # The old library that they stand on greets everybody with a farewell.
        with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from gym_super_mario_bros.smb_env import SuperMarioBrosEnv
            from nes_py._rom import ROM
    except ImportError:
        raise UsageError(f"{ID} needs the extra 'nes': pip install 'goodput[nes]'") from None

    ROM.header = property(lambda rom: rom.raw_data[:16].astype(int))

    class WholeNumbers(SuperMarioBrosEnv):  # type: ignore[misc]
        def _ram_buffer(self) -> Memory:
            return Memory(super()._ram_buffer())

    return WholeNumbers()


def mario() -> EmulatedGame:
    """Super Mario Bros., the real one."""
    return EmulatedGame(
        Nes(),
        Spec(
            id=ID,
            title="Super Mario Bros.",
            actions=_WORDS,
            realtime=True,
            idle=0,
            frame_limit=5 * 60 * 60,
            step_limit=5 * 60 * 15,
            rules_text=(
                "Super Mario Bros. An action is what you hold from now on: directions, A to jump "
                "(the longer the higher), B to run. The score is how far right you came, in "
                "pixels, all stages together. The map shows a character a tile: M you, E an enemy, "
                "# a block; do not touch enemies from the side, and do not fall."
            ),
        ),
    )
