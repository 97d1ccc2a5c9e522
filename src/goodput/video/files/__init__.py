"""Films as files: mp4, whole or in fragments; GIF; contact sheets; reading what others made."""
