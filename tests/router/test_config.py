"""Every setting of the router is checked, in one sentence with its name."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from goodput.core.config import DeploymentConfig
from goodput.core.errors import UsageError


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"conditional": True, "policy": "prefix"}, "router.conditional"),
        ({"ahead_ms": 0}, "router.ahead_ms"),
        ({"aging_s": -1.0}, "router.aging_s"),
        ({"index_ttl_s": 1e9}, "router.index_ttl_s"),
        ({"index_blocks": 0}, "router.index_blocks"),
        ({"tenants": {"gold": 0}}, "router.tenants"),
    ],
)
def test_what_cannot_work_is_named(fields: dict[str, Any], said: str) -> None:
    config = msgspec.convert({"router": fields}, DeploymentConfig)
    with pytest.raises(UsageError, match=said):
        config.check()


@pytest.mark.parametrize(
    "fields", [{"policy": "best"}, {"index": "none"}, {"admission": "maybe"}, {"tenant": {}}]
)
def test_names_that_do_not_exist_are_refused(fields: dict[str, Any]) -> None:
    top = fields if "admission" in fields else {"router": fields}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(top, DeploymentConfig)


def test_a_whole_router_section_is_read() -> None:
    text = b"""
    admission: slo
    router: {policy: slack, conditional: true, tenants: {gold: 4}, index: approximate}
    """
    config = msgspec.yaml.decode(text, type=DeploymentConfig)
    config.check()
    assert config.router.tenants == {"gold": 4}
