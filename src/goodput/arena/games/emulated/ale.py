"""Atari 2600 games through the Arcade Learning Environment (Bellemare et al. 2013).

Needs the extra "atari".
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Final

import numpy as np

from goodput.arena.games.emulated.console import Seen
from goodput.arena.games.emulated.game import EmulatedGame
from goodput.arena.games.emulated.screen import shades
from goodput.arena.games.rules import Picture, Spec
from goodput.core.errors import UsageError

PREFIX: Final = "atari-"
_ROWS: Final = 30
_COLUMNS: Final = 53
_MINUTES: Final = 5


class Atari:
    """One ROM of ale-py, by its name there ("tetris", "mario_bros"). No frame is skipped and no
    action repeated by chance, so a seed and the actions say all.

    Raises UsageError when the package, or the ROM, is not there.
    """

    def __init__(self, rom: str) -> None:
        try:
            from ale_py import ALEInterface, LoggerMode, roms
        except ImportError:
            raise UsageError(
                f"{PREFIX}{rom} needs the extra 'atari': pip install 'goodput[atari]'"
            ) from None
        ALEInterface.setLoggerMode(LoggerMode.Error)
        path = roms.get_rom_path(rom) if rom in roms.get_all_rom_ids() else None
        if path is None:
            raise UsageError(f"there is no Atari game {rom!r}: see ale_py.roms.get_all_rom_ids()")
        self._path = str(path)
        self._make = ALEInterface
        self._ale: Any = self._start(0)
        self._buttons = self._ale.getMinimalActionSet()
        self.actions = tuple(button.name.lower() for button in self._buttons)
        self._score = 0.0

    def reset(self, seed: int) -> Seen:
        self._ale = self._start(seed)
        self._score = 0.0
        return self._seen()

    def advance(self, action: int) -> Seen:
        self._score += self._ale.act(self._buttons[action])
        return self._seen()

    def picture(self) -> Picture:
        # Its pixels are twice as wide as high.
        return np.repeat(self._ale.getScreenRGB(), 2, axis=1)

    def _start(self, seed: int) -> Any:
        # A seed is taken only with a new ROM.
        ale = self._make()
        ale.setInt("random_seed", seed & 0x7FFFFFFF)
        ale.setFloat("repeat_action_probability", 0.0)
        ale.loadROM(self._path)
        ale.reset_game()
        return ale

    def _seen(self) -> Seen:
        ale = self._ale
        screen = ale.getScreenRGB()
        lines = f"score {self._score:g}, lives {ale.lives()}\n{shades(screen, _ROWS, _COLUMNS)}"
        memory = blake2b(ale.getRAM().tobytes() + screen.tobytes(), digest_size=8).hexdigest()
        return Seen(self._score, bool(ale.game_over()), lines, memory)


def atari(rom: str) -> EmulatedGame:
    """The game of an Atari ROM, by ale-py's name of it."""
    console = Atari(rom)
    title = rom.replace("_", " ").title()
    return EmulatedGame(
        console,
        Spec(
            id=f"{PREFIX}{rom}-v1",
            title=f"{title} (Atari 2600)",
            actions=console.actions,
            realtime=True,
            idle=0,
            frame_limit=_MINUTES * 60 * 60,
            step_limit=_MINUTES * 60 * 15,
            rules_text=(
                f"{title} for the Atari 2600. You hold the joystick and its button: an action is "
                "what you hold from now on. The score is the game's own. The screen is shown in "
                'characters from dark " " to light "@".'
            ),
        ),
    )
