"""One episode: players, a clock, the moves, and the record that re-simulates bit for bit."""
