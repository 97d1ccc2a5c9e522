"""An executor without a model: tokens from a hash, times from a formula.

For tests of everything around the engine, and for simulation. Its tokens depend on nothing but the
sequence's own tokens and the seed, so they must come out the same whatever the batch, the chunks,
the preemptions and the hand-offs were.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, MutableMapping, Sequence

import msgspec

from goodput.engine.executor import Sampled, StepPlan
from goodput.engine.sequence import Sequence as EngineSequence
from goodput.kv.invariants import require

_WINDOW = 16


class LatencyModel(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of one step, as a sum. All terms may be zero.

    ``step_s`` is paid by every step, ``prefill_token_s`` for each token of a prompt chunk,
    ``decode_sequence_s`` for each sequence that gets one token, and ``context_token_s`` for each
    token of KV that those read.
    """

    step_s: float = 0.0
    prefill_token_s: float = 0.0
    decode_sequence_s: float = 0.0
    context_token_s: float = 0.0

    def seconds(self, plan: StepPlan) -> float:
        """How long ``plan`` takes."""
        total = self.step_s
        for chunk in plan.chunks:
            if chunk.count > 1:
                total += chunk.count * self.prefill_token_s
            else:
                total += self.decode_sequence_s + chunk.start * self.context_token_s
        return total


def modelled_token(tokens: Sequence[int], vocab: int, seed: int = 0) -> int:
    """The token that follows ``tokens``: a hash of their number and the last 16 of them."""
    tail = tokens[-_WINDOW:]
    packed = struct.pack(f"<{len(tail) + 2}q", seed, len(tokens), *tail)
    return int.from_bytes(hashlib.blake2b(packed, digest_size=8).digest(), "little") % vocab


class ModelledExecutor:
    """Executor that waits with ``sleep`` (time.sleep, or a ManualClock's advance)."""

    def __init__(
        self, latency: LatencyModel, sleep: Callable[[float], None], vocab: int, seed: int = 0
    ) -> None:
        self.latency = latency
        self._sleep = sleep
        self._vocab = vocab
        self._seed = seed

    def execute(self, plan: StepPlan) -> list[Sampled | None]:
        """One token for each chunk that samples, after the modelled time."""
        seconds = self.latency.seconds(plan)
        if seconds > 0:
            self._sleep(seconds)
        return [
            Sampled(modelled_token(chunk.sequence.tokens, self._vocab, self._seed))
            if chunk.samples
            else None
            for chunk in plan.chunks
        ]


FakeKV = MutableMapping[tuple[int, int], int]
"""(block, offset) -> a hash of the tokens up to that position. Shared by the engines of a host."""


class CheckedExecutor(ModelledExecutor):
    """Also keeps what a KV pool would hold, and raises InvariantError when it does not hold.

    Every step writes the chunk's positions, and reads back all positions before: a block that was
    lost, freed too early, shared wrongly or filled under a wrong hash is noticed at its first use.
    O(context) per chunk.
    """

    def __init__(
        self,
        latency: LatencyModel,
        sleep: Callable[[float], None],
        vocab: int,
        seed: int = 0,
        *,
        kv: FakeKV,
        block_size: int,
    ) -> None:
        super().__init__(latency, sleep, vocab, seed)
        self._kv = kv
        self._block_size = block_size

    def execute(self, plan: StepPlan) -> list[Sampled | None]:
        """Write all chunks first, as one batch does, then check what each of them reads."""
        for chunk in plan.chunks:
            self._write(chunk.sequence, chunk.start, chunk.start + chunk.count)
        for chunk in plan.chunks:
            self._read(chunk.sequence, chunk.start + chunk.count)
        return super().execute(plan)

    def _write(self, sequence: EngineSequence, start: int, end: int) -> None:
        contents = _prefix_hashes(sequence.tokens[:end])
        for position in range(start, end):
            self._kv[self._place(sequence, position)] = contents[position]

    def _read(self, sequence: EngineSequence, end: int) -> None:
        for position, content in enumerate(_prefix_hashes(sequence.tokens[:end])):
            place = self._place(sequence, position)
            require(
                self._kv.get(place) == content,
                f"block {place[0]} does not hold position {position} of {sequence.id}",
            )

    def _place(self, sequence: EngineSequence, position: int) -> tuple[int, int]:
        index, offset = divmod(position, self._block_size)
        require(index < len(sequence.blocks), f"{sequence} has no block for position {position}")
        return sequence.blocks[index], offset


def _prefix_hashes(tokens: Sequence[int]) -> list[int]:
    hashes: list[int] = []
    previous = 0
    for token in tokens:
        previous = hash((previous, token))
        hashes.append(previous)
    return hashes
