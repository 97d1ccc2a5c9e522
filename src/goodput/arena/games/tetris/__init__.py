"""Tetris by the guideline: alone or against each other, by keys or by whole placements.

``board`` is the matrix, ``pieces`` what falls and how it turns, ``well`` one player's side of a
game, ``motion`` what can happen to it, ``keys`` and ``placements`` two ways to steer it; ``single``
and ``versus`` are the games.
"""
