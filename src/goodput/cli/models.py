"""``goodput models``: what can be served by name, and what is on this machine."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table


def models(
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List the models known by name, and where the pulled ones are."""
    from goodput.models.catalog import list_models

    known = list_models()
    if json:
        typer.echo(msgspec.json.format(msgspec.json.encode(known), indent=2).decode())
        return
    table = Table("name", "model", "license", "size", "here")
    for model in known:
        table.add_row(
            model.name,
            model.about,
            model.license,
            f"{model.size / 1e6:.0f} MB",
            model.path or f"no: goodput pull {model.name}",
        )
    Console(soft_wrap=True).print(table)
