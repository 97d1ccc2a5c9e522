"""Continuous batching: the scheduler decides, an executor computes, the engine joins them."""
