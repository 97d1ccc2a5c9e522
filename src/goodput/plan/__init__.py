"""Deciding what to rent and how to split it: calibrate, simulate, search."""
