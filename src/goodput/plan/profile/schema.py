"""A profile: how long a worker's steps take, and where that knowledge comes from.

Linear in what a step computes, as in the DistServe paper (arXiv 2401.09670, section 4), with the
mixed steps of aggregated serving as a region of their own.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

SCHEMA: Final = "goodput.profile/1"


class StepLoad(msgspec.Struct, frozen=True, kw_only=True):
    """What one step computes.

    ``prefill_pairs`` is the number of query-key pairs of the prompt rows: for a chunk of ``n`` rows
    after ``s`` cached ones, n·s + n²/2. ``context_tokens`` is the KV that decode rows read.
    """

    prefill_tokens: int = 0
    prefill_pairs: float = 0.0
    decode_rows: int = 0
    context_tokens: int = 0


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Seconds as a sum of non-negative terms."""

    base_s: float
    prefill_token_s: float = 0.0
    prefill_pair_s: float = 0.0
    decode_row_s: float = 0.0
    context_token_s: float = 0.0

    def seconds(self, load: StepLoad) -> float:
        """The time of a step of this region."""
        return (
            self.base_s
            + load.prefill_tokens * self.prefill_token_s
            + load.prefill_pairs * self.prefill_pair_s
            + load.decode_rows * self.decode_row_s
            + load.context_tokens * self.context_token_s
        )


class WorkerProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way to run a worker: so many accelerators by tensor and pipeline parallelism.

    Step times are through all ``pipeline`` stages; a new step can start every 1/pipeline of that.
    ``large_decode`` applies from ``large_batch`` decode rows on, where there is one.
    ``kv_tokens`` is what the worker's memory holds of KV, in tokens. ``noise`` is the coefficient
    of variation of a step's measured time around its line (0: none known).
    """

    tensor: int = 1
    pipeline: int = 1
    prefill: Line
    decode: Line
    mixed: Line
    large_decode: Line | None = None
    large_batch: int | None = None
    kv_tokens: int
    noise: float = 0.0

    @property
    def accelerators(self) -> int:
        """How many accelerators (here: cores) one such worker takes."""
        return self.tensor * self.pipeline

    def step_s(self, load: StepLoad) -> float:
        """Seconds of one step; 0 of an empty one."""
        if load.prefill_tokens and load.decode_rows:
            return self.mixed.seconds(load)
        if load.prefill_tokens:
            return self.prefill.seconds(load)
        if not load.decode_rows:
            return 0.0
        large, batch = self.large_decode, self.large_batch
        if large is not None and batch is not None and load.decode_rows >= batch:
            return large.seconds(load)
        return self.decode.seconds(load)


class Link(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A way for KV from one worker to another: a fixed part, and bytes at a rate."""

    base_s: float
    bytes_per_s: float

    def seconds(self, bytes_: float) -> float:
        """How long so many bytes are under way."""
        return self.base_s + bytes_ / self.bytes_per_s


class RegionError(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Held-out relative errors of one region: how far the profile can be trusted there."""

    region: str
    points: int
    median: float
    p90: float
    worst: float


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything the simulator and the planner know about a model on a machine.

    ``origin``: "measured" on the machine named, "published" by others (``source`` says where), or
    an "estimate" from datasheets, whose ``uncertainty`` is the factor by which times may be off
    either way. ``near`` links workers of one node, ``far`` workers of different nodes; ``node`` is
    the number of accelerators a node has. ``frontend_s`` is what the server adds to the first
    token outside of the workers.
    """

    schema: Literal["goodput.profile/1"] = SCHEMA
    name: str
    model: str
    machine: str
    origin: Literal["measured", "published", "estimate"]
    source: str
    accelerator: str
    node: int = 1
    workers: tuple[WorkerProfile, ...]
    near: Link
    far: Link
    kv_bytes_per_token: int
    context_length: int
    frontend_s: float = 0.0
    uncertainty: float = 1.0
    errors: tuple[RegionError, ...] = ()
