"""``goodput chat``: talk to a served model in the terminal."""

from __future__ import annotations

from typing import Annotated

import typer


def chat(
    url: Annotated[str, typer.Argument(help="The server.")] = "http://127.0.0.1:8000",
    model: Annotated[
        str | None, typer.Option(help="Model name.", show_default="the server's first")
    ] = None,
    message: Annotated[
        str | None, typer.Option("--message", "-m", help="Ask this one thing and leave.")
    ] = None,
    max_tokens: Annotated[int, typer.Option(min=1, help="Longest answer in tokens.")] = 512,
    temperature: Annotated[float, typer.Option(min=0.0, help="0 is greedy.")] = 0.0,
    api_key: Annotated[
        str | None,
        typer.Option(help="Key of the server.", envvar="OPENAI_API_KEY", show_default=False),
    ] = None,
) -> None:
    """Talk to a model; the conversation so far is sent with every message.

    Ctrl-C stops an answer, Ctrl-D leaves.
    """
    from goodput.bench.conversation import Conversation, converse

    conversation = Conversation(model=model, max_tokens=max_tokens, temperature=temperature)
    converse(url, api_key, conversation, message)
