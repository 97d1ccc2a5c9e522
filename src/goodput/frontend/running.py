"""Runs a job's sequences side by side and hands each delta to one callback."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from goodput.core.errors import GoodputError, WorkerLostError
from goodput.frontend.choice import Choice, Piece
from goodput.frontend.service import Service

OnPieces = Callable[[int, Choice, list[Piece]], Awaitable[None]]


async def run_choices(service: Service, choices: Sequence[Choice], on_pieces: OnPieces) -> None:
    """Return when every choice has its finish reason; the first error ends them all.

    ``on_pieces(index, choice, pieces)`` is never called twice at once. Whichever way this ends,
    cancellation included, every generator was closed.
    """
    if len(choices) == 1:
        await _run_one(service, 0, choices[0], on_pieces)
        return
    one_at_a_time = asyncio.Lock()

    async def in_turn(index: int, choice: Choice, pieces: list[Piece]) -> None:
        async with one_at_a_time:
            await on_pieces(index, choice, pieces)

    try:
        async with asyncio.TaskGroup() as group:
            for index, choice in enumerate(choices):
                group.create_task(_run_one(service, index, choice, in_turn))
    except ExceptionGroup as several:
        raise _first(several) from None


async def _run_one(service: Service, index: int, choice: Choice, on_pieces: OnPieces) -> None:
    clock, gaps = service.clock, service.metrics.token_gap
    choice.submitted = clock.now()
    deltas = service.generator.generate(choice.request)
    try:
        async for delta in deltas:
            now = clock.now()
            previous = choice.last_token
            tokens = choice.tokens
            pieces = choice.feed(delta, now)
            if previous is not None and choice.tokens > tokens:
                gaps.observe(now - previous)
                for _ in range(choice.tokens - tokens - 1):
                    gaps.observe(0.0)
            await on_pieces(index, choice, pieces)
            if choice.finish_reason is not None:
                return
    finally:
        close = getattr(deltas, "aclose", None)
        if close is not None:
            await close()
    raise WorkerLostError("The answer ended before it was complete.")


def _first(several: ExceptionGroup[Exception]) -> Exception:
    """The error to report of several: one that has a sentence for the user, if any has."""
    flat = [
        _first(error) if isinstance(error, ExceptionGroup) else error
        for error in several.exceptions
    ]
    return next((error for error in flat if isinstance(error, GoodputError)), flat[0])
