"""The exploration's world, but long: many leases, workers and deaths, drawn at random."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.kv.lease_world import Limits, World

from goodput.kv.leases import LeaseTable

LONG = Limits(("p0", "m0"), ("d0", "d1", "m0"), leases=12, repeats=10**6)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_long_lives_are_safe_and_leave_nothing(data: st.DataObject) -> None:
    world = World(LONG, LeaseTable(ack_timeout_s=1.0, grant_timeout_s=1.0))
    for _ in range(data.draw(st.integers(0, 120))):
        # First what kind of event, so that the many kinds of death do not crowd out the others.
        kinds: dict[str, list[tuple[str, ...]]] = {}
        for step in world.steps():
            kinds.setdefault(step[0], []).append(step)
        kind = data.draw(st.sampled_from(sorted(kinds)))
        world.take(data.draw(st.sampled_from(kinds[kind])))
    while (step := next(iter(world.progress()), None)) is not None:
        world.take(step)
    world.check_rest()
