"""The topics of the court: for each, what an exhibit can show and what a witness can say.

The values of a topic exclude each other, and no topic says anything about another one. In the texts
{thing}, {absent}, {injured} and {dressed} stand for the case's thing and persons, {begins} and
{ends} for the times of a fact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, eq=False)
class Topic:
    """``findings`` are an exhibit's sentences by value, ``sayings`` a witness's; the values of the
    first are among those of the second. Timed topics change in the course of an evening."""

    name: str
    exhibit: str
    findings: Mapping[str, str]
    sayings: Mapping[str, tuple[str, ...]]


TIMED: Final = (
    Topic(
        "weather",
        "Weather report",
        {
            "rain": "It rained hard and without a break from {begins} to {ends}.",
            "dry": "Not a drop of rain fell from {begins} to {ends}.",
        },
        {
            "rain": (
                "I ran across the lawn through pouring rain.",
                "I put up my umbrella, so hard was it raining.",
            ),
            "dry": (
                "I sat on the garden bench under a clear sky, and no rain fell.",
                "I took a walk in the garden; there was no rain at all.",
            ),
        },
    ),
    Topic(
        "whereabouts",
        "Alibi of {absent}",
        {
            "theatre": "{absent} sat in the town theatre from {begins} to {ends} and never left.",
            "train": "{absent} rode on the express train from {begins} to {ends}, without a stop.",
            "hospital": "{absent} lay in the town hospital from {begins} to {ends}.",
        },
        {
            "theatre": ("I sat beside {absent} in the town theatre.",),
            "train": ("I shared a compartment of the express train with {absent}.",),
            "hospital": ("I stood at the bed of {absent} in the town hospital.",),
            "house": (
                "I met {absent} in the hall of the house.",
                "I saw {absent} walk up the stairs of the house.",
            ),
        },
    ),
    Topic(
        "light",
        "Electrician's note",
        {
            "dark": "No electric lamp in the house worked from {begins} to {ends}.",
            "lit": "Every electric lamp in the house burned from {begins} to {ends}.",
        },
        {
            "dark": (
                "I felt my way through the hall, for not one electric lamp worked.",
                "I lit a candle, because all the electric lamps had gone out.",
            ),
            "lit": (
                "I read a letter by the electric lamp in the hall.",
                "I saw all the electric lamps of the house burning.",
            ),
        },
    ),
    Topic(
        "telephone",
        "Telephone company's record",
        {"dead": "The line to the house was dead from {begins} to {ends}; no call got through."},
        {
            "dead": ("I lifted the receiver in the house, but the line was dead.",),
            "working": (
                "I called my sister on the telephone of the house and talked with her.",
                "I answered the telephone of the house; it was a long call.",
            ),
        },
    ),
    Topic(
        "bridge",
        "Bridge keeper's log",
        {"up": "The drawbridge was up from {begins} to {ends}; nobody could cross it."},
        {
            "up": ("I stood before the drawbridge, which was up, and could not cross.",),
            "down": (
                "I walked over the drawbridge.",
                "I saw a cart roll over the drawbridge.",
            ),
        },
    ),
    Topic(
        "bells",
        "Sexton's book",
        {"silent": "The church bells were under repair and silent from {begins} to {ends}."},
        {
            "silent": ("I wondered why the church bells were silent.",),
            "ringing": (
                "I heard the church bells ringing.",
                "I stopped to listen to the ringing of the church bells.",
            ),
        },
    ),
    Topic(
        "dog",
        "Vet's receipt",
        {"away": "The watchdog was in treatment, away from the house, from {begins} to {ends}."},
        {
            "away": ("I passed the kennel of the watchdog; the animal was not at the house.",),
            "home": (
                "I fed the watchdog at its kennel beside the house.",
                "I was frightened by the watchdog, which barked at me in the yard of the house.",
            ),
        },
    ),
)

TIMELESS: Final = (
    Topic(
        "tool",
        "Locksmith's report",
        {
            "key": "The strongbox was opened with its key; there is no other mark on it.",
            "crowbar": "The strongbox was forced open with a crowbar.",
            "wire": "The lock of the strongbox was picked with a piece of wire.",
        },
        {
            "key": ("I saw how the strongbox was opened with its key.",),
            "crowbar": ("I heard how the strongbox was forced open with a crowbar.",),
            "wire": ("I watched how the strongbox was picked open with a piece of wire.",),
        },
    ),
    Topic(
        "material",
        "Inventory card",
        {
            "silver": "The {thing} is made of nothing but silver.",
            "brass": "The {thing} is made of nothing but brass.",
            "glass": "The {thing} is made of nothing but glass.",
        },
        {
            "silver": ("I have held the {thing} in my hands: it is all silver.",),
            "brass": ("I have held the {thing} in my hands: it is all brass.",),
            "glass": ("I have held the {thing} in my hands: it is all glass.",),
        },
    ),
    Topic(
        "tracks",
        "Photograph of the flower bed",
        {
            "one": "It shows the fresh tracks of one person and of nobody else.",
            "two": "It shows the fresh tracks of two persons, no more and no less.",
        },
        {
            "one": ("I saw one person run through the flower bed, quite alone.",),
            "two": ("I saw two persons run through the flower bed, and no third.",),
            "three": ("I saw three persons run through the flower bed.",),
        },
    ),
    Topic(
        "window",
        "Plan of the house",
        {
            "none": "The library has no window.",
            "garden": "The only window of the library looks onto the garden.",
            "street": "The only window of the library looks onto the street.",
        },
        {
            "none": ("I waited in the library, which has no window.",),
            "garden": ("I looked from the library window onto the garden.",),
            "street": ("I looked from the library window onto the street.",),
        },
    ),
    Topic(
        "arm",
        "Doctor's note on {injured}",
        {
            "right": "All that day the right arm of {injured} was in plaster, but not the left.",
            "left": "All that day the left arm of {injured} was in plaster, but not the right.",
        },
        {
            "right": ("I saw that the right arm of {injured} was in plaster.",),
            "left": ("I saw that the left arm of {injured} was in plaster.",),
            "none": ("I saw {injured} swing a heavy crate with two healthy arms.",),
        },
    ),
    Topic(
        "coat",
        "Portrait of {dressed}",
        {
            "red": "It was painted that day; {dressed} wore a red coat and never took it off.",
            "green": "It was painted that day; {dressed} wore a green coat and never took it off.",
            "white": "It was painted that day; {dressed} wore a white coat and never took it off.",
        },
        {
            "red": ("I recognised {dressed} that day by the red coat.",),
            "green": ("I recognised {dressed} that day by the green coat.",),
            "white": ("I recognised {dressed} that day by the white coat.",),
        },
    ),
    Topic(
        "letter",
        "Threatening letter",
        {
            "typed": "It is typed from the first word to the last.",
            "ink": "It is written by hand from the first word to the last, in green ink.",
        },
        {
            "typed": ("I found the threatening letter: a page of neat typing.",),
            "ink": ("I found the threatening letter: a page written by hand in green ink.",),
        },
    ),
    Topic(
        "wheels",
        "Sketch of the drive",
        {
            "car": "The only fresh marks on it are of a motor car.",
            "bicycle": "The only fresh marks on it are of a bicycle.",
            "cart": "The only fresh marks on it are of a horse and cart.",
        },
        {
            "car": ("I saw a motor car go down the drive that day.",),
            "bicycle": ("I saw a bicycle go down the drive that day.",),
            "cart": ("I saw a horse and cart go down the drive that day.",),
        },
    ),
)
