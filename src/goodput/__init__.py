"""Goodput: serve, measure and plan generative inference by the latency that users were promised."""

__version__ = "0.1.0"
