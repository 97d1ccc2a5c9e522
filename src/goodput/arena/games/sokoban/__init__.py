"""Sokoban: push every box onto a target; boxes cannot be pulled.

``level`` is a room and what can be done in it, ``deadlock`` what can no longer be mended,
``solver`` the shortest way out, ``generator`` makes levels by playing backwards, ``game`` the
rules, ``view`` what is seen.
"""
