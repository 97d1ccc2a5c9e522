"""A deployment: which model is served by which workers, with which limits.

One struct for the YAML file, the command line and the tests. Every field is read somewhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from goodput.core.errors import UsageError
from goodput.core.operations_config import HealthConfig, PlannerConfig
from goodput.core.router_config import Admission, RouterConfig
from goodput.core.tiers_config import TiersConfig

Role = Literal["prefill", "decode", "mixed"]
Backend = Literal["cpu", "torch"]
Device = Literal["cpu", "cuda"]
EngineKind = Literal["model", "modelled"]


class WorkerCounts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many worker processes of each role."""

    prefill: int = 1
    decode: int = 1
    mixed: int = 0


class EngineConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of one worker's engine.

    ``token_budget`` bounds the tokens of one step (prefill chunks plus one per decoding sequence).
    ``saturation_tokens`` is where more rows stop being cheaper than another step: a step takes on
    no further prompt beyond it, and prefills no more than it while other sequences decode.
    ``kv_tokens`` is the size of one worker's share of the KV pool.
    ``speculative_tokens`` bounds the guessed tokens of a sequence that one step verifies (0: none);
    no step gets more than ``speculative_rows`` rows by them. ``row_cost`` is the time of one more
    row over that of a one-row step: it decides which guesses are worth their row
    (``benchmarks/speculation.py`` measures it).
    ``device`` "cuda" computes on the first GPU, in bfloat16: there no tokens are guessed, whatever
    ``speculative_tokens`` is, because a verifying step would have none of the recorded shapes.
    """

    device: Device = "cpu"
    block_size: int = 16
    kv_tokens: int = 32_768
    token_budget: int = 512
    saturation_tokens: int = 64
    max_sequences: int = 64
    context_length: int | None = None
    prefix_cache: bool = True
    threads: int = 1
    speculative_tokens: int = 7
    speculative_rows: int = 8
    row_cost: float = 0.35


class LimitsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one client or one moment may ask of the server. Sizes in bytes, times in seconds."""

    max_body_bytes: int = 1_048_576
    max_pending: int = 1_024
    max_n: int = 8
    drain_timeout_s: float = 60.0
    heartbeat_timeout_s: float = 15.0
    max_attempts: int = 3


class ModelledConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long the steps of the modelled engine take (``engine_kind: modelled``), milliseconds.

    That engine makes up tokens instead of computing them: for tests, and to try a deployment's
    shape without a model's cost. ``step_ms`` is paid by every step. ``check_kv`` also writes a mark
    of every token into the KV pool and reads all of them back at each step (slow, for tests).
    """

    step_ms: float = 5.0
    prefill_ms_per_token: float = 0.5
    decode_ms_per_sequence: float = 0.5
    check_kv: bool = False


class DeploymentConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that ``goodput serve`` needs to know.

    ``backend`` None means what ``engine.device`` is best served by (see :attr:`chosen_backend`).
    ``admission`` "slo" refuses a request whose SLO cannot be kept, or only at others' cost.
    """

    model: str = "smollm2:135m"
    host: str = "127.0.0.1"
    port: int = 8000
    backend: Backend | None = None
    engine_kind: EngineKind = "model"
    modelled: ModelledConfig = ModelledConfig()
    workers: WorkerCounts = WorkerCounts()
    engine: EngineConfig = EngineConfig()
    limits: LimitsConfig = LimitsConfig()
    router: RouterConfig = RouterConfig()
    admission: Admission = "all"
    planner: PlannerConfig = PlannerConfig()
    health: HealthConfig = HealthConfig()
    tiers: TiersConfig = TiersConfig()

    @property
    def chosen_backend(self) -> Backend:
        """The integer kernels on a CPU and torch on a GPU, unless ``backend`` says otherwise."""
        return self.backend or ("torch" if self.engine.device == "cuda" else "cpu")

    def check(self) -> None:
        """Raise UsageError with the field's name when the values cannot work together."""
        counts = self.workers
        for name in ("prefill", "decode", "mixed"):
            if getattr(counts, name) < 0:
                raise UsageError(f"workers.{name} must be 0 or more, not {getattr(counts, name)}")
        if counts.mixed == 0 and not (counts.prefill and counts.decode):
            raise UsageError(
                "workers needs at least one mixed worker, or one prefill and one decode worker"
            )
        if bool(counts.prefill) != bool(counts.decode):
            raise UsageError("workers.prefill and workers.decode go together: set both or neither")
        self.planner.check(counts.prefill, counts.decode, counts.mixed, self.engine.threads)
        self.health.check()
        self.router.check()
        self.tiers.check()
        if self.tiers.enabled and not self.engine.prefix_cache:
            raise UsageError("tiers keep blocks of the prefix cache: set engine.prefix_cache: true")
        if self.engine.device == "cuda":
            if self.backend == "cpu":
                raise UsageError("backend cpu cannot run on engine.device cuda; leave backend out")
            if (counts.prefill, counts.decode, counts.mixed) != (0, 0, 1):
                raise UsageError(
                    "engine.device cuda serves with one mixed worker, because KV blocks on a GPU "
                    "are not handed between processes: set workers to "
                    "{prefill: 0, decode: 0, mixed: 1}"
                )
            if self.tiers.enabled:
                raise UsageError("tiers are for KV in the host's memory: not on engine.device cuda")
        if not 0 <= self.port < 65_536:
            raise UsageError(f"port must lie in 0..65535, not {self.port}")
        for name in self.modelled.__struct_fields__:
            if not 0 <= getattr(self.modelled, name) < 60_000:
                raise UsageError(f"modelled.{name} must lie in 0..60000 ms")
        for name in ("drain_timeout_s", "heartbeat_timeout_s"):
            if not 0 < getattr(self.limits, name) < 86_400:
                raise UsageError(f"limits.{name} must be a positive time under a day, in seconds")
        if self.limits.max_attempts < 1 or self.limits.max_pending < 1:
            raise UsageError("limits.max_attempts and limits.max_pending must be 1 or more")
        engine = self.engine
        for name in (
            "block_size",
            "kv_tokens",
            "token_budget",
            "saturation_tokens",
            "max_sequences",
            "threads",
            "speculative_rows",
        ):
            if getattr(engine, name) < 1:
                raise UsageError(f"engine.{name} must be positive, not {getattr(engine, name)}")
        if engine.speculative_tokens < 0:
            raise UsageError(
                f"engine.speculative_tokens must be 0 or more, not {engine.speculative_tokens}"
            )
        if not 0 < engine.row_cost <= 1:
            raise UsageError(f"engine.row_cost must lie in (0, 1], not {engine.row_cost}")
        if engine.token_budget < engine.max_sequences:
            raise UsageError(
                f"engine.token_budget ({engine.token_budget}) must be at least "
                f"engine.max_sequences ({engine.max_sequences}): each decodes a token a step"
            )


def load_deployment(path: Path) -> DeploymentConfig:
    """Read a deployment YAML; raises UsageError naming the file and the offending field."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the deployment file {path}: {error.strerror}") from None
    try:
        config = msgspec.yaml.decode(data, type=DeploymentConfig)
    except msgspec.MsgspecError as error:
        raise UsageError(f"the deployment file {path} is wrong: {error}") from None
    config.check()
    return config
