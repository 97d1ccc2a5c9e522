"""Real games on emulators, as optional extras. Their ROMs come with the packages, never with us."""
