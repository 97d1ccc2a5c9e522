"""What helps a model to play, part by part: each is a file, switched on by itself, and billed."""
