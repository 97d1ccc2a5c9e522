"""What the evidence shows, what witnesses claim, and when the two exclude each other."""

from __future__ import annotations

import msgspec

Minute = int
"""Minutes after midnight."""

ALL_DAY = (0, 24 * 60)


class Fact(msgspec.Struct, frozen=True):
    """About ``topic`` exactly ``value`` held from ``begins`` to ``ends``; nothing is known of other
    times."""

    topic: str
    value: str
    begins: Minute
    ends: Minute


class Claim(msgspec.Struct, frozen=True):
    """About ``topic`` ``value`` is said to have held at ``minute``."""

    topic: str
    value: str
    minute: Minute


def contradicts(fact: Fact, claim: Claim) -> bool:
    """Whether fact and claim cannot both be true: the same topic, a time that the fact covers, and
    another value."""
    covered = fact.begins <= claim.minute <= fact.ends
    return fact.topic == claim.topic and covered and fact.value != claim.value


def clock(minute: Minute) -> str:
    """A time of day, as in 21:05."""
    return f"{minute // 60:02}:{minute % 60:02}"
