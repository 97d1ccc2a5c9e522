"""What this machine can measure: as words, as a table, as JSON (schema ``goodput.selfcheck/1``)."""

from __future__ import annotations

from typing import Literal

import msgspec
from rich.console import Console
from rich.table import Table

import goodput
from goodput.bench.selfcheck.errors import TOLERANCE_S, CheckedRate, Errors


class SelfcheckReport(msgspec.Struct, kw_only=True):
    """All rates that were tried, downwards. ``wanted`` and ``highest_held`` in requests per second;
    None is that not even the lowest rate was held."""

    schema: Literal["goodput.selfcheck/1"] = "goodput.selfcheck/1"
    goodput_version: str = goodput.__version__
    tolerance_s: float = TOLERANCE_S
    wanted: float
    rates: list[CheckedRate]
    highest_held: float | None = None
    words: str = ""

    def __post_init__(self) -> None:
        held = next((one for one in self.rates if one.held), None)
        self.highest_held = None if held is None else held.rate
        missed = [one for one in self.rates if not one.held]
        self.words = _words(held, missed[-1] if missed else None)

    def to_json(self) -> bytes:
        """Indented JSON with a final newline."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def _words(best: CheckedRate | None, missed: CheckedRate | None) -> str:
    """``best`` is the highest rate held, ``missed`` the lowest that was not."""
    if best is None:
        assert missed is not None, "nothing was tried"
        return (
            f"Not even {missed.rate:g} requests/s can be measured here with an error below "
            f"{_ms(TOLERANCE_S)}: {_trouble(missed)}. Is it busy with something else?"
        )
    assert best.token is not None and best.ttft is not None
    held = (
        f"This machine holds {best.rate:g} requests/s ({best.tokens_per_s:,.0f} tokens/s): 99% of "
        f"token stamps are within {_ms(best.token.p99)} and 99% of TTFTs within "
        f"{_ms(best.ttft.p99)} of the truth; the client used {best.client_cpu_share:.0%} of a core."
    )
    if missed is None:
        return held
    return f"{held} {missed.rate:g} requests/s were too much: {_trouble(missed)}."


def _trouble(checked: CheckedRate) -> str:
    if checked.failed:
        return f"{checked.failed} of {checked.requests} requests failed"
    if checked.invalid:
        return checked.invalid[0]
    worst = max((one.p99 for one in (checked.token, checked.ttft) if one), default=0.0)
    return f"the p99 of the error was {_ms(worst)}"


def print_report(report: SelfcheckReport, console: Console) -> None:
    """The words, then a row per rate."""
    table = Table("req/s", "tok/s", "error of", "p50", "p99", "max", "client CPU", "held")
    for one in report.rates:
        for name, errors in (("tokens", one.token), ("TTFT", one.ttft), ("sending", one.late)):
            first = name == "tokens"
            table.add_row(
                f"{one.rate:g}" if first else "",
                f"{one.tokens_per_s:,.0f}" if first else "",
                name,
                *_row(errors),
                f"{one.client_cpu_share:.0%}" if first else "",
                ("yes" if one.held else "no") if first else "",
                end_section=name == "sending",
            )
    console.print(report.words, soft_wrap=True, highlight=False)
    console.print(table)


def _row(errors: Errors | None) -> tuple[str, str, str]:
    if errors is None:
        return ("–", "–", "–")
    return (_ms(errors.p50), _ms(errors.p99), _ms(errors.max))


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms"
