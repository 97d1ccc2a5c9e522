"""The games: each a pure state machine in one file, with the face of :mod:`.rules`."""
