"""The page of a run: leaderboard, curves and films in one HTML file."""

from __future__ import annotations

from goodput.arena.report.write import write_report

__all__ = ["write_report"]
