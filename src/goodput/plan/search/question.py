"""What is asked of a search, checked before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass

from goodput.core.errors import UsageError
from goodput.core.slo import SLO
from goodput.plan.profile.schema import Profile
from goodput.plan.search.enumerate import Space
from goodput.plan.search.goodput import Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which deployment of at most ``budget`` accelerators keeps ``slo`` best?

    With ``rate`` (requests/s): with as few accelerators as that load needs. ``sample`` makes the
    demand of a seed; ``node`` is the number of accelerators whose links are near.
    """

    profile: Profile
    sample: Sample
    slo: SLO
    budget: int
    node: int
    rate: float | None = None

    def __post_init__(self) -> None:
        if self.slo.ttft is None and self.slo.tpot is None and self.slo.e2e is None:
            raise UsageError("--slo must bound ttft, tpot or e2e: without a bound all plans do")
        if not 0 < self.slo.target < 1:
            raise UsageError(
                f"--target must lie in (0, 1), not {self.slo.target:g}: no simulation shows that "
                "none ever misses"
            )
        if self.rate is not None and not 0 < self.rate < float("inf"):
            raise UsageError(f"--rate must be positive requests per second, not {self.rate:g}")
        if not self.profile.workers:
            raise UsageError(f"the profile {self.profile.name} has no workers")
        if not self.space(self.budget).workers:
            least = min(worker.accelerators for worker in self.profile.workers)
            raise UsageError(
                f"--budget {self.budget} holds no worker: {self.profile.model} needs at least "
                f"{least} accelerators in nodes of {self.node}"
            )

    def space(self, budget: int) -> Space:
        """What may be built of so many accelerators."""
        return Space(self.profile, budget, self.node)
