"""The load generator: timed requests against any OpenAI-compatible server, judged by their SLO."""
