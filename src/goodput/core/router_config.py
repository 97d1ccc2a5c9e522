"""The part of a deployment that decides where requests run, and in which order they wait."""

from __future__ import annotations

from typing import Literal

import msgspec

from goodput.core.errors import UsageError

PolicyName = Literal["slack", "least-loaded", "prefix", "round-robin", "random"]
IndexKind = Literal["events", "approximate"]
Admission = Literal["all", "slo"]


class RouterConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How requests are placed.

    With ``conditional`` any worker may do a request's prompt and answer by itself, whatever its
    role, or a decode worker the end of a prompt, where that keeps more slack than the usual way
    (policy ``slack`` only).
    A worker with ``ahead_ms`` of prompts before it takes no more. Requests then wait at the router,
    least slack first; tenants share by their weights in ``tenants`` (1 where absent). One that
    waited ``aging_s`` seconds is served whatever its slack, tenant and priority.
    ``index`` says how the router knows what is cached: by the workers' events, or approximately, by
    its own decisions of the last ``index_ttl_s`` seconds. It remembers up to ``index_blocks``.
    """

    policy: PolicyName = "slack"
    conditional: bool = False
    ahead_ms: float = 50.0
    aging_s: float = 10.0
    tenants: dict[str, float] = {}
    index: IndexKind = "events"
    index_ttl_s: float = 120.0
    index_blocks: int = 1_048_576

    def check(self) -> None:
        """Raise UsageError with the field's name when the values cannot work together."""
        if self.conditional and self.policy != "slack":
            raise UsageError(
                f"router.conditional needs router.policy slack, which compares the predicted times "
                f"of both ways, not {self.policy}"
            )
        if not 0 < self.ahead_ms < 3_600_000:
            raise UsageError("router.ahead_ms must be a positive time under an hour")
        for name in ("aging_s", "index_ttl_s"):
            if not 0 < getattr(self, name) < 86_400:
                raise UsageError(f"router.{name} must be a positive time under a day, in seconds")
        if self.index_blocks < 1:
            raise UsageError(f"router.index_blocks must be positive, not {self.index_blocks}")
        for tenant, weight in self.tenants.items():
            if not 0.001 <= weight <= 1000:
                raise UsageError(
                    f"router.tenants gives {tenant!r} the weight {weight}, "
                    "but weights lie in 0.001..1000"
                )
