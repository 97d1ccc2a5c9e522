"""From a sentence to a film: data, models, training, distillation, sampling, judging, serving.

Arrays of pixels are NumPy, ``uint8``, of shape (frames, height, width, 3); latents are torch,
``float32``, of shape (batch, channels, frames, height, width). Only ``models``, ``training``,
``sampling`` and ``judging`` import torch.
"""
