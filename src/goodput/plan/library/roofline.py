"""A profile from a model's shape and an accelerator's datasheet: a first answer, not a measurement.

A step reads all weights once, multiplies each of its rows with them, and reads the KV that its
decode rows attend to (Williams et al., "Roofline", 2009). The parts are added and not overlapped,
as the fits that the DistServe authors published for A100 say that they are: their constant is the
weights' read and their slope the products. Times of products and reads are divided by the
datasheet's rates times a stated efficiency.

Tensor parallelism over t accelerators divides weights, products and KV by t and adds two
all-reduces a layer, each of which sends 2·(t − 1)/t of a row's hidden state (ring all-reduce).
Pipeline stages pass the hidden state on.
"""

from __future__ import annotations

from goodput.core.errors import UsageError
from goodput.plan.library.accelerators import Accelerator
from goodput.plan.library.models import BYTES_PER_NUMBER, ModelShape
from goodput.plan.profile.schema import Line, Link, Profile, WorkerProfile

_PIPELINES = (1, 2, 4)
# What is not in a datasheet. Kernels of a layer that are neither products nor reads; the latency of
# one all-reduce and of one message between stages; a link's share of its rate; the fixed part of a
# hand-off (messages, as in our own) in a node and between nodes; a step's share of the scheduler.
_LAYER_S = 30e-6
_ALL_REDUCE_S = 30e-6
_STAGE_S = 50e-6
_LINK_EFFICIENCY = 0.7
_NEAR_BASE_S = 1e-3
_FAR_BASE_S = 2e-3
_STEP_S = 1e-3
# Of the memory, for weights and KV; the rest is for activations, graphs and fragments.
_USABLE_MEMORY = 0.9
# A worker that holds fewer full contexts than this has nothing to batch.
_FEWEST_CONTEXTS = 2


def estimate(model: ModelShape, accelerator: Accelerator) -> Profile:
    """All ways of running ``model`` that fit; UsageError when none does."""
    workers = tuple(
        worker
        for tensor in _tensors(model, accelerator)
        for pipeline in _PIPELINES
        if (worker := _worker(model, accelerator, tensor, pipeline)) is not None
    )
    if not workers:
        raise UsageError(
            f"--model {model.name} takes {model.parameters * BYTES_PER_NUMBER / 1e9:.0f} GB in "
            f"bfloat16, more than {accelerator.node * max(_PIPELINES)} accelerators of the kind "
            f"{accelerator.name} hold"
        )
    return Profile(
        name=f"{model.name}-{accelerator.name}-estimate",
        model=model.name,
        machine=f"{accelerator.title}, {accelerator.node} a node",
        origin="estimate",
        source=(
            f"roofline of {model.source} on datasheet rates at "
            f"{accelerator.compute_efficiency:.0%} of the arithmetic and "
            f"{accelerator.memory_efficiency:.0%} of the memory bandwidth, bfloat16"
        ),
        accelerator=accelerator.name,
        node=accelerator.node,
        workers=workers,
        near=Link(base_s=_NEAR_BASE_S, bytes_per_s=accelerator.link_bytes_per_s * _LINK_EFFICIENCY),
        far=Link(
            base_s=_FAR_BASE_S, bytes_per_s=accelerator.network_bytes_per_s * _LINK_EFFICIENCY
        ),
        kv_bytes_per_token=model.kv_bytes_per_token,
        context_length=model.context_length,
        uncertainty=accelerator.uncertainty,
    )


def _tensors(model: ModelShape, accelerator: Accelerator) -> list[int]:
    """Powers of two within a node that split the heads evenly."""
    powers = (1 << power for power in range(accelerator.node.bit_length()))
    return [t for t in powers if t <= accelerator.node and model.heads % t == 0]


def _worker(
    model: ModelShape, accelerator: Accelerator, tensor: int, pipeline: int
) -> WorkerProfile | None:
    """One way of running the model; None when its memory holds no batch of full length."""
    kv_tokens = _kv_tokens(model, accelerator, tensor * pipeline)
    if kv_tokens < _FEWEST_CONTEXTS * model.context_length:
        return None
    read = (model.layer_parameters + model.head_parameters) * BYTES_PER_NUMBER
    row = model.hidden * BYTES_PER_NUMBER
    link = accelerator.link_bytes_per_s * _LINK_EFFICIENCY
    reduces = 2 * model.layers if tensor > 1 else 0
    base_s = (
        _STEP_S
        + read / tensor / accelerator.real_memory_bytes_per_s
        + model.layers * _LAYER_S
        + reduces * _ALL_REDUCE_S
        + (pipeline - 1) * _STAGE_S
    )
    moved_s = (reduces * 2 * (tensor - 1) / tensor + (pipeline - 1)) * row / link
    flops = accelerator.real_flops * tensor
    token_s = 2 * model.layer_parameters / flops + moved_s
    row_s = token_s + 2 * model.head_parameters / flops
    pair_s = model.flops_per_pair / flops
    # Heads of keys and values are not split further than one an accelerator.
    kv_split = min(tensor, model.kv_heads)
    context_s = model.kv_bytes_per_token / kv_split / accelerator.real_memory_bytes_per_s
    prompt = Line(base_s=base_s, prefill_token_s=token_s, prefill_pair_s=pair_s)
    answer = Line(base_s=base_s, decode_row_s=row_s, context_token_s=context_s)
    both = Line(
        base_s=base_s,
        prefill_token_s=token_s,
        prefill_pair_s=pair_s,
        decode_row_s=row_s,
        context_token_s=context_s,
    )
    return WorkerProfile(
        tensor=tensor,
        pipeline=pipeline,
        prefill=prompt,
        decode=answer,
        mixed=both,
        kv_tokens=kv_tokens,
    )


def _kv_tokens(model: ModelShape, accelerator: Accelerator, count: int) -> int:
    room = accelerator.memory_bytes * _USABLE_MEMORY * count
    room -= model.parameters * BYTES_PER_NUMBER
    return max(0, int(room / model.kv_bytes_per_token))
