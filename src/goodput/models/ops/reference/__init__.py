"""The reference backend: the same operations in plain torch, float32, on any device."""
