"""Who plays: models behind an OpenAI endpoint, random, greedy, search, and people."""
