"""A model behind any OpenAI-compatible endpoint as a player."""
