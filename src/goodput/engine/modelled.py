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

from goodput.engine.executor import Chunk, Sampled, StepPlan, verified
from goodput.kv.invariants import require

_WINDOW = 16


class LatencyModel(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of one step, as a sum. All terms may be zero.

    ``step_s`` is paid by every step, ``prefill_token_s`` for each token of a prompt chunk,
    ``decode_sequence_s`` for each row of a sequence that decodes (one, and one for each draft), and
    ``context_token_s`` for each token of KV that such a sequence reads.
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
                total += chunk.rows * self.decode_sequence_s + chunk.start * self.context_token_s
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

    def execute(self, plan: StepPlan) -> list[list[Sampled]]:
        """The tokens of each chunk that samples, after the modelled time."""
        seconds = self.latency.seconds(plan)
        if seconds > 0:
            self._sleep(seconds)
        return [verified(chunk, self._pick) if chunk.samples else [] for chunk in plan.chunks]

    def _pick(self, number: int, tokens: Sequence[int]) -> Sampled:
        return Sampled(modelled_token(tokens, self._vocab, self._seed))


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

    def execute(self, plan: StepPlan) -> list[list[Sampled]]:
        """Write all chunks first, as one batch does, then check what each of them reads."""
        for chunk in plan.chunks:
            self._write(chunk)
        for chunk in plan.chunks:
            self._read(chunk)
        return super().execute(plan)

    def _write(self, chunk: Chunk) -> None:
        contents = _contents(chunk)
        for position in range(chunk.start, chunk.start + chunk.rows):
            self._kv[self._place(chunk, position)] = contents[position]

    def _read(self, chunk: Chunk) -> None:
        for position, content in enumerate(_contents(chunk)):
            place = self._place(chunk, position)
            require(
                self._kv.get(place) == content,
                f"block {place[0]} does not hold position {position} of {chunk.sequence.id}",
            )

    def _place(self, chunk: Chunk, position: int) -> tuple[int, int]:
        sequence = chunk.sequence
        index, offset = divmod(position, self._block_size)
        require(index < len(sequence.blocks), f"{sequence} has no block for position {position}")
        return sequence.blocks[index], offset


def _contents(chunk: Chunk) -> list[int]:
    """What the positions ``0 .. start + rows`` must hold: a hash of the tokens up to each."""
    hashes: list[int] = []
    previous = 0
    for token in [*chunk.sequence.tokens[: chunk.start], *chunk.tokens]:
        previous = hash((previous, token))
        hashes.append(previous)
    return hashes
