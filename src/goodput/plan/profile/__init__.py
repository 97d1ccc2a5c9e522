"""Latency profiles: what a worker's step and a hand-off take, measured, published or estimated."""
