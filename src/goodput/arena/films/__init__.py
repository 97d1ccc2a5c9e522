"""Episodes as films: what the seats saw, with who chose which move, how fast and how late."""
