"""A peer for the engine benchmark: the plainest fast thing that PyTorch offers on a CPU.

An eager decoder loop whose linear layers are torch's dynamically quantized int8 ones; attention is
``scaled_dot_product_attention`` over contiguous float32 keys and values, all sequences of a batch
at the same length (so it has none of the bookkeeping that a server needs).

    python eager_loop.py MODEL THREADS
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import torch
from step_server import Step, serve_steps, stopwatch
from torch import Tensor, nn
from torch.nn import functional

from goodput.models.checkpoint.base import Checkpoint
from goodput.models.checkpoint.open import open_checkpoint
from goodput.models.rotary import rotary_tables


class EagerLoop:
    """Prefill and decode of a batch of equally long sequences."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.config = config = checkpoint.config
        self._embed = self._float(checkpoint, "model.embed_tokens.weight")
        head = "model.embed_tokens.weight" if config.tie_embeddings else "lm_head.weight"
        self._head = self._linear(checkpoint, head)
        self._norm = self._float(checkpoint, "model.norm.weight")
        self._layers = []
        for layer in range(config.layers):
            prefix = f"model.layers.{layer}"
            names = [f"self_attn.{n}_proj" for n in "qkvo"]
            names += [f"mlp.{n}_proj" for n in ("gate", "up", "down")]
            parts: dict[str, nn.Module | Tensor] = {
                name.split(".")[1]: self._linear(checkpoint, f"{prefix}.{name}.weight")
                for name in names
            }
            for norm in ("input_layernorm", "post_attention_layernorm"):
                parts[norm] = self._float(checkpoint, f"{prefix}.{norm}.weight")
            self._layers.append(parts)
        cosines, sines = rotary_tables(config)
        self._cosines, self._sines = torch.from_numpy(cosines), torch.from_numpy(sines)
        self.reset(0, 0)

    def reset(self, batch: int, context: int) -> None:
        """Make room for ``batch`` sequences of ``context`` tokens, in place of what was there."""
        config = self.config
        self._cache = torch.empty(0)  # the former cache goes before the new one comes
        shape = (config.layers, 2, batch, config.kv_heads, context, config.head_dim)
        self._cache = torch.full(shape, 0.1)

    @torch.inference_mode()
    def step(self, tokens: Tensor, start: int) -> Tensor:
        """tokens: [batch, length] at positions ``start ..``; returns logits of the last one."""
        config, (batch, length) = self.config, tokens.shape
        cos = self._cosines[start : start + length]
        sin = self._sines[start : start + length]
        x = self._embed[tokens]
        for number, parts in enumerate(self._layers):
            h = self._rms(x, parts["input_layernorm"])
            q, k, v = (
                parts[name](h).view(batch, length, -1, config.head_dim).transpose(1, 2)
                for name in ("q_proj", "k_proj", "v_proj")
            )
            q, k = self._rotate(q, cos, sin), self._rotate(k, cos, sin)
            cache = self._cache[number]
            cache[0, :, :, start : start + length] = k
            cache[1, :, :, start : start + length] = v
            attended = functional.scaled_dot_product_attention(
                q,
                cache[0, :, :, : start + length],
                cache[1, :, :, : start + length],
                is_causal=start == 0 and length > 1,
                enable_gqa=True,
            )
            x = x + parts["o_proj"](attended.transpose(1, 2).reshape(batch, length, -1))
            h = self._rms(x, parts["post_attention_layernorm"])
            x = x + parts["down_proj"](functional.silu(parts["gate_proj"](h)) * parts["up_proj"](h))
        return self._head(self._rms(x[:, -1], self._norm))

    def _rms(self, x: Tensor, weight: Tensor) -> Tensor:
        return functional.rms_norm(x, (x.shape[-1],), weight, self.config.rms_norm_eps)

    @staticmethod
    def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        a, b = x.chunk(2, dim=-1)
        return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)

    @staticmethod
    def _float(checkpoint: Checkpoint, name: str) -> Tensor:
        return torch.from_numpy(checkpoint.tensor(name))

    @staticmethod
    def _linear(checkpoint: Checkpoint, name: str) -> nn.Module:
        weight = torch.from_numpy(checkpoint.tensor(name))
        linear = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
        linear.weight = nn.Parameter(weight)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch announces a successor that is not faster here
            return torch.ao.quantization.quantize_dynamic(
                nn.Sequential(linear), {nn.Linear}, dtype=torch.qint8
            )


def main() -> None:
    torch.set_num_threads(int(sys.argv[2]))
    loop = EagerLoop(open_checkpoint(Path(sys.argv[1])))

    def make_step(variant: str, rows: int, sequences: int, before: int) -> Step:
        loop.reset(sequences, before + rows)
        tokens = torch.randint(loop.config.vocab_size, (sequences, rows))
        return stopwatch(lambda: loop.step(tokens, before))

    serve_steps(torch.__version__, ["int8"], make_step)


if __name__ == "__main__":
    main()
