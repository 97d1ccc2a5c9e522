"""docs/bench.md has every field of the two data files, with its type, and no other."""

from __future__ import annotations

import re
import typing
from pathlib import Path

import msgspec

from goodput.bench.summary import BenchSummary
from goodput.core.record import RequestRecord

PAGE = (Path(__file__).parents[3] / "docs" / "bench.md").read_text()


def described() -> dict[str, dict[str, str]]:
    """Every struct that the files are made of: the source's own words for each field's type."""
    found: dict[str, dict[str, str]] = {}

    def visit(kind: typing.Any) -> None:
        struct = isinstance(kind, type) and issubclass(kind, msgspec.Struct)
        if struct and kind.__name__ not in found:
            found[kind.__name__] = {
                name: str(kind.__annotations__[name]) for name in kind.__struct_fields__
            }
            for inner in typing.get_type_hints(kind).values():
                visit(inner)
        for part in typing.get_args(kind):
            visit(part)

    visit(BenchSummary)
    visit(RequestRecord)
    return found


def documented() -> dict[str, dict[str, str]]:
    """The page's tables: a heading of the struct's name, then a row a field."""
    parts = re.split(r"^#+ `(\w+)`.*$", PAGE, flags=re.MULTILINE)[1:]
    return {
        name: {
            field: kind.replace("\\|", "|")
            for field, kind in re.findall(r"^\| `(\w+)` \| `(.+?)` \| \S", text, re.MULTILINE)
        }
        for name, text in zip(parts[::2], parts[1::2], strict=True)
    }


def test_the_tables_and_the_structs_are_the_same() -> None:
    assert documented() == described()


def test_the_version_in_the_page_is_the_one_that_is_written() -> None:
    [version] = typing.get_args(typing.get_type_hints(BenchSummary)["schema"])
    assert f"`{version}`" in PAGE
