"""The torch backend: one code for float32 on the CPU (the reference) and bfloat16 on a GPU.

Importing this package does not import torch; its modules other than ``convert`` and ``device`` do.
"""
