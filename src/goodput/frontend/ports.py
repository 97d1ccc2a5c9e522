"""What the frontend needs from its neighbours: text in and out, and the state of the fleet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

WorkerState = Literal["starting", "ready", "draining", "stopped", "lost"]


class Tokenizer(Protocol):
    """Text to token ids and back. Safe to call from several threads at once."""

    @property
    def eos_token_ids(self) -> Sequence[int]: ...

    @property
    def vocab_size(self) -> int: ...

    def encode_prompt(self, text: str, /) -> list[int]:
        """Token ids of a plain completion's prompt, with BOS where the model expects it.

        Names of control tokens in ``text`` stay plain characters.
        """
        ...

    def token_bytes(self, token: int, /) -> bytes:
        """The exact bytes that this token adds to the text; may be part of a character."""
        ...

    def is_special(self, token: int, /) -> bool:
        """Whether the token is a mark of the format (end of turn, …) and never shown."""
        ...


class TextSide(Protocol):
    """All that a model needs outside its weights. Safe to call from several threads at once."""

    @property
    def tokenizer(self) -> Tokenizer: ...

    def encode_chat(self, messages: Sequence[dict[str, Any]], /) -> list[int]:
        """Token ids of a conversation, up to where the assistant's answer begins.

        Each message is a dict with the texts ``role`` and ``content``; control tokens inside a
        content stay plain characters. Raises InvalidRequestError when the model's template
        refuses the messages, or when it has none.
        """
        ...


class WorkerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One worker as ``/health`` and ``/metrics`` show it.

    Each of ``gauges`` becomes a metric ``goodput_worker_<name>``, labelled by worker and role.
    """

    name: str
    role: str
    state: WorkerState
    pid: int | None = None
    gauges: Mapping[str, float] = {}


class FleetStatus(Protocol):
    """The state of the workers, read at each probe; both methods return at once."""

    def ready(self) -> bool:
        """Whether at least one whole path from prompt to answer has live workers."""
        ...

    def workers(self) -> Sequence[WorkerStatus]: ...
