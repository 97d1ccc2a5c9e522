"""What misses are charged to (``core/blame.py``), in words and colours."""

from __future__ import annotations

_WORDS = {
    "client": "sent late by the client",
    "outside": "outside the server's spans",
    "cut_off": "cut off at the end",
    "never_sent": "never sent",
    "no_token": "no token in the answer",
    "error": "errors",
    "timeout": "timeouts",
}

# Spans have the colours of the timeline; failures are dark to light reds.
COLOURS = {
    "client": "#8c8c8c",
    "frontend": "#c9c9c9",
    "outside": "#b8b8b8",
    "queued_prefill": "#e69f00",
    "prefill": "#d55e00",
    "queued_transfer": "#cc79a7",
    "transfer": "#cc79a7",
    "queued_decode": "#f0e442",
    "decode": "#0072b2",
    "before_first_token": "#a65628",
    "after_first_token": "#56b4e9",
    "rejected": "#7f1d2d",
    "error": "#b00020",
    "timeout": "#d6304a",
    "cut_off": "#e2707f",
    "never_sent": "#eda3ad",
    "no_token": "#f5d0d5",
}


def cause_in_words(cause: str) -> str:
    """A cause of ``figures.blame`` as people say it."""
    return _WORDS.get(cause, cause.replace("_", " "))
