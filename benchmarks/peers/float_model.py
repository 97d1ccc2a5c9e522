"""The checkpoint in `transformers`: in float32, which is what all others are compared with, and in
bfloat16, a stand-in for what vLLM's CPU build computes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM

from goodput.models.checkpoint.open import open_checkpoint

BATCH = 32


class FloatModel:
    """A Llama-family checkpoint, dequantized, in the library's own model of ``dtype``."""

    def __init__(self, path: Path, dtype: torch.dtype, threads: int) -> None:
        torch.set_num_threads(threads)
        checkpoint = open_checkpoint(path)
        shape = checkpoint.config
        if shape.architecture != "llama":
            raise SystemExit(f"fidelity is measured for llama models, not {shape.architecture}")
        config = LlamaConfig(
            vocab_size=shape.vocab_size,
            hidden_size=shape.hidden_size,
            intermediate_size=shape.intermediate_size,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.kv_heads,
            max_position_embeddings=shape.context_length,
            rms_norm_eps=shape.rms_norm_eps,
            rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
            tie_word_embeddings=shape.tie_embeddings,
        )
        self._model = LlamaForCausalLM(config).eval()
        state = {name: torch.from_numpy(checkpoint.tensor(name)) for name in checkpoint.names()}
        unknown = self._model.load_state_dict(state, strict=False).unexpected_keys
        assert not unknown, unknown
        if dtype == torch.bfloat16:
            _to_bfloat16(self._model)

    def logits(self, tokens: Sequence[int]) -> npt.NDArray[np.float32]:
        """Of every position: [len(tokens), vocab]."""
        with torch.inference_mode():
            logits = self._model(torch.tensor([list(tokens)])).logits[0].float()
        array: npt.NDArray[np.float32] = logits.numpy()
        return array

    def answers(
        self,
        prompts: Sequence[list[int]],
        count: int,
        stop: Sequence[int],
        done: Callable[[int], None],
    ) -> list[list[int]]:
        """Greedy answers, the stop token included; in batches of similar length, padded left."""
        answers: list[list[int]] = [[] for _ in prompts]
        order = sorted(range(len(prompts)), key=lambda number: len(prompts[number]))
        for first in range(0, len(order), BATCH):
            numbers = order[first : first + BATCH]
            for number, row in zip(
                numbers, self._generate([prompts[n] for n in numbers], count, stop), strict=True
            ):
                end = next((i + 1 for i, token in enumerate(row) if token in stop), len(row))
                answers[number] = row[:end]
            done(len(numbers))
        return answers

    def close(self) -> None:
        del self._model

    def _generate(
        self, prompts: Sequence[list[int]], count: int, stop: Sequence[int]
    ) -> list[list[int]]:
        width = max(map(len, prompts))
        tokens = torch.tensor([[0] * (width - len(p)) + p for p in prompts])
        mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
        with torch.inference_mode():
            out = self._model.generate(
                tokens,
                attention_mask=mask,
                max_new_tokens=count,
                do_sample=False,
                eos_token_id=list(stop),
                pad_token_id=stop[0],
            )
        rows: list[list[int]] = out[:, width:].tolist()
        return rows


class _RoundedLinear(torch.nn.Module):
    """A bfloat16 product with float32 sums, as bfloat16 hardware does it.

    Inputs, weights and the result are bfloat16; the product of two is exact in float32. PyTorch's
    own bfloat16 product is forty times slower on a CPU without such instructions.
    """

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self._weight = weight.detach().bfloat16().float()

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x.float(), self._weight).bfloat16()


def _to_bfloat16(model: torch.nn.Module) -> None:
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, torch.nn.Linear):
                setattr(parent, name, _RoundedLinear(child.weight))
    model.bfloat16()
