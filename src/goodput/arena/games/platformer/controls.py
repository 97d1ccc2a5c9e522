"""What the player can hold, in words."""

from __future__ import annotations

from typing import Final

from goodput.arena.games.platformer.physics import Buttons

HELD: Final = {
    "right": Buttons(1),
    "right jump": Buttons(1, jump=True),
    "run right": Buttons(1, run=True),
    "run right jump": Buttons(1, run=True, jump=True),
    "stay": Buttons(),
    "jump": Buttons(jump=True),
    "left": Buttons(-1),
    "left jump": Buttons(-1, jump=True),
}
ACTIONS: Final = tuple(HELD)
BUTTONS: Final = tuple(HELD.values())
STAY: Final = ACTIONS.index("stay")
