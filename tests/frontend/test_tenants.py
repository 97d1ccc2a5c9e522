"""Whose request it is."""

from __future__ import annotations

import pytest

from goodput.frontend.tenants import tenant_of

KEY = (b"authorization", b"Bearer sk-secret")


@pytest.mark.parametrize(
    ("headers", "user", "tenant"),
    [
        ([], None, "default"),
        ([], "ann", "ann"),
        ([KEY], "ann", "ann"),
        ([KEY, (b"x-tenant", b" team-7 ")], "ann", "team-7"),
        ([(b"x-tenant", b"  ")], None, "default"),
        ([(b"authorization", b"Basic abc")], None, "default"),
        ([(b"authorization", b"Bearer ")], None, "default"),
        ([(b"x-tenant", b"x" * 999)], None, "x" * 256),
    ],
)
def test_the_header_then_the_field_then_the_key(
    headers: list[tuple[bytes, bytes]], user: str | None, tenant: str
) -> None:
    assert tenant_of({"headers": headers}, user) == tenant


def test_a_key_is_told_apart_and_not_told() -> None:
    one = tenant_of({"headers": [KEY]}, None)
    other = tenant_of({"headers": [(b"authorization", b"bearer sk-other")]}, None)
    assert one != other
    assert one.startswith("key-")
    assert "secret" not in one


async def test_tenant_and_priority_reach_the_request(stage):
    await stage.chat(user="ann", priority=-3)
    await stage.complete()
    first, second = stage.generator.requests
    assert (first.tenant, first.priority) == ("ann", -3)
    assert second.priority == 0


async def test_a_priority_that_is_no_number_is_named(stage):
    answer = await stage.chat(priority="high")
    assert answer.status_code == 400
    assert "priority" in answer.json()["error"]["message"]
