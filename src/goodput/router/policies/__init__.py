"""The routing policies by name."""

from __future__ import annotations

from goodput.core.router_config import PolicyName, RouterConfig
from goodput.router.policies.least_loaded import LeastLoaded
from goodput.router.policies.prefix import LongestPrefix
from goodput.router.policies.random import Random
from goodput.router.policies.round_robin import RoundRobin
from goodput.router.policies.slack import Slack
from goodput.router.policy import PolicyFactory, RoutingPolicy

_SIMPLE: dict[PolicyName, PolicyFactory] = {
    "least-loaded": LeastLoaded,
    "prefix": LongestPrefix,
    "round-robin": RoundRobin,
    "random": Random,
}


def make_policy(config: RouterConfig) -> RoutingPolicy:
    """The policy that a checked ``config`` names."""
    if config.policy == "slack":
        return Slack(conditional=config.conditional)
    return _SIMPLE[config.policy]()
