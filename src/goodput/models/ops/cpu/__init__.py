"""The CPU backend: int8 weights, integer products, few fused kernels compiled by Numba."""
