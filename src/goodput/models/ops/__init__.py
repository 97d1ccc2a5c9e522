"""The few operations that a transformer is made of, once per kind of hardware."""
