"""A case from a seed: who, where, when and with what, as exhibits and testimonies.

Facts come first. Each witness then makes honest claims, which agree with the facts, lie at another
time or concern what no exhibit shows, and false ones, which a fact excludes. Some witnesses leave
out the time until they are pressed for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import Final, TypeVar

import msgspec

from goodput.arena.games.chance import branch, draw, shuffled
from goodput.arena.games.courtroom.facts import ALL_DAY, Claim, Fact, Minute, clock, contradicts
from goodput.arena.games.courtroom.topics import TIMED, TIMELESS, Topic

Item = TypeVar("Item")

LIES: Final = (1, 2, 2)
"""The false claims of each witness."""
STATEMENTS: Final = 4
"""Of each witness."""
EXHIBITS: Final = 6
"""Half of them on timed topics."""

_NAMES: Final = (
    "Anna Berg",
    "Tom Hale",
    "Ruth Lind",
    "Omar Quist",
    "Vera Stone",
    "Paul Arden",
    "Ida Moss",
    "Hugo Falk",
    "Nora Pike",
    "Emil Roth",
)
_THINGS: Final = ("goblet", "candlestick", "statuette", "music box", "chess king")
_HOUSES: Final = ("Harrow House", "the Old Mill", "Fern Manor", "the Customs House")
_MONTHS: Final = ("March", "May", "September", "November")
_TIMES_TOLD: Final = (
    "It was {time} by my watch.",
    "That was at {time}.",
    "I noted the time: {time}.",
)


class Exhibit(msgspec.Struct, frozen=True):
    """A piece of evidence: its title and sentence, and the fact that they show."""

    title: str
    text: str
    fact: Fact


class Statement(msgspec.Struct, frozen=True):
    """A sentence of a testimony, and the claim that it makes. ``time`` is the sentence that names
    the claim's time, empty where the topic needs none; when ``withheld``, it is said only under
    pressure, and before that nothing is proven."""

    text: str
    time: str
    withheld: bool
    claim: Claim


class Testimony(msgspec.Struct, frozen=True):
    """What one witness says."""

    witness: str
    statements: tuple[Statement, ...]


class Case(msgspec.Struct, frozen=True):
    """All of a case. An exhibit and a statement contradict where their fact and claim do."""

    story: str
    exhibits: tuple[Exhibit, ...]
    testimonies: tuple[Testimony, ...]


@lru_cache(maxsize=256)
def case_of(seed: int) -> Case:
    """The case of a seed, always the same."""
    return _Author(seed).case()


class _Author:
    """Writes one case, drawing from one stream."""

    def __init__(self, seed: int) -> None:
        self._stream = branch(seed, 0)
        self._counter = count()
        defendant, *others = self._shuffled(_NAMES)
        self._defendant = defendant
        self._witnesses = others[: len(LIES)]
        absent, injured, dressed = others[len(LIES) :][:3]
        self._thing = self._one_of(_THINGS)
        self._words: Mapping[str, str] = {
            "absent": absent,
            "injured": injured,
            "dressed": dressed,
            "thing": self._thing,
        }

    def case(self) -> Case:
        half = EXHIBITS // 2
        topics = [*self._shuffled(TIMED)[:half], *self._shuffled(TIMELESS)[:half]]
        exhibits = {topic: self._exhibit(topic) for topic in self._shuffled(topics)}
        facts = {topic: exhibit.fact for topic, exhibit in exhibits.items()}
        testimonies = tuple(
            Testimony(witness, self._statements(facts, lies))
            for witness, lies in zip(self._witnesses, LIES, strict=True)
        )
        house, day, month = self._one_of(_HOUSES), 1 + self._draw(28), self._one_of(_MONTHS)
        story = (
            f"The {self._thing} was stolen from {house} on {day} {month}. "
            f"You defend {self._defendant}."
        )
        return Case(story, tuple(exhibits.values()), testimonies)

    def _exhibit(self, topic: Topic) -> Exhibit:
        begins, ends = ALL_DAY
        if topic in TIMED:
            begins = 18 * 60 + 10 * self._draw(13)
            ends = begins + 60 + 10 * self._draw(7)
        value = self._one_of(sorted(topic.findings))
        words = {**self._words, "begins": clock(begins), "ends": clock(ends)}
        return Exhibit(
            topic.exhibit.format(**words),
            topic.findings[value].format(**words),
            Fact(topic.name, value, begins, ends),
        )

    def _statements(self, facts: Mapping[Topic, Fact], lies: int) -> tuple[Statement, ...]:
        """A testimony with so many lies, every statement on a topic of its own."""
        false = self._shuffled(list(facts))[:lies]
        others = [topic for topic in (*TIMED, *TIMELESS) if topic not in false]
        honest = self._shuffled(others)[: STATEMENTS - lies]
        claims = [
            *((topic, self._false_claim(topic, facts[topic])) for topic in false),
            *((topic, self._honest_claim(topic, facts.get(topic))) for topic in honest),
        ]
        return tuple(self._statement(topic, claim) for topic, claim in self._shuffled(claims))

    def _false_claim(self, topic: Topic, fact: Fact) -> Claim:
        others = [value for value in sorted(topic.sayings) if value != fact.value]
        return Claim(topic.name, self._one_of(others), self._minute_within(fact))

    def _honest_claim(self, topic: Topic, fact: Fact | None) -> Claim:
        """One that no fact excludes; on a timed topic half of them only because of their time."""
        if fact is None:
            value = self._one_of(sorted(topic.sayings))
            return Claim(topic.name, value, 18 * 60 + self._draw(5 * 60))
        claim = Claim(topic.name, fact.value, self._minute_within(fact))
        if topic in TIMED and self._draw(2):
            before, after = fact.begins - 15 - self._draw(40), fact.ends + 15 + self._draw(40)
            others = [value for value in sorted(topic.sayings) if value != fact.value]
            claim = Claim(topic.name, self._one_of(others), self._one_of((before, after)))
        assert not contradicts(fact, claim)
        return claim

    def _minute_within(self, fact: Fact) -> Minute:
        """Well inside the fact's time: nobody has to argue about a minute."""
        return fact.begins + 10 + self._draw(fact.ends - fact.begins - 20)

    def _statement(self, topic: Topic, claim: Claim) -> Statement:
        text = self._one_of(topic.sayings[claim.value]).format(**self._words)
        if topic not in TIMED:
            return Statement(text, "", False, claim)
        time = self._one_of(_TIMES_TOLD).format(time=clock(claim.minute))
        return Statement(text, time, self._draw(2) == 1, claim)

    def _draw(self, bound: int) -> int:
        return draw(self._stream, next(self._counter), bound)

    def _one_of(self, items: Sequence[Item]) -> Item:
        return items[self._draw(len(items))]

    def _shuffled(self, items: Sequence[Item]) -> tuple[Item, ...]:
        return shuffled(self._draw(1 << 32), 0, items)
