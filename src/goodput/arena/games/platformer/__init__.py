"""A platformer of our own: levels made from a seed, with pits, walls, coins and walking enemies."""

from goodput.arena.games.platformer.game import Platformer

__all__ = ["Platformer"]
