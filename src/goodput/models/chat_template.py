"""Messages to the prompt text that a chat model was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jinja2

from goodput.core.errors import CheckpointError, InvalidRequestError
from goodput.models.template_sandbox import compile_template, render_bounded

MAX_MESSAGES = 4096
_MAX_SOURCE_CHARS = 1_000_000


class ChatTemplate:
    """A checkpoint's own template, compiled once; immutable, so threads may share it.

    ``bos_token`` and ``eos_token`` are the texts that templates expect under these names. Raises
    CheckpointError when the source is no valid template.
    """

    def __init__(self, source: str, *, bos_token: str = "", eos_token: str = "") -> None:
        if len(source) > _MAX_SOURCE_CHARS:
            raise CheckpointError(
                f"the checkpoint's chat template is longer than {_MAX_SOURCE_CHARS} characters"
            )
        self.source = source
        self._variables = {"bos_token": bos_token, "eos_token": eos_token}
        try:
            self._template = compile_template(source)
        except (jinja2.TemplateError, RecursionError, ValueError, SyntaxError) as error:
            raise CheckpointError(f"the checkpoint's chat template is wrong: {error}") from None

    def render(self, messages: Sequence[dict[str, Any]], add_generation_prompt: bool = True) -> str:
        """The prompt for ``messages`` (dicts with ``role`` and ``content``), BOS text included.

        ``add_generation_prompt`` opens the assistant's turn. Encode the result with
        ``special=True`` only when the messages hold no control tokens, or use
        :func:`~goodput.models.chat_prompt.encode_chat`, which takes care of that. Raises
        InvalidRequestError(param="messages") when the template refuses the messages.
        """
        if not messages:
            raise InvalidRequestError("messages is empty", param="messages")
        if len(messages) > MAX_MESSAGES:
            raise InvalidRequestError(
                f"{len(messages)} messages are more than the {MAX_MESSAGES} allowed",
                param="messages",
            )
        variables = {
            **self._variables,
            "messages": list(messages),
            "add_generation_prompt": add_generation_prompt,
            "tools": None,
            "documents": None,
        }
        try:
            return render_bounded(self._template, variables)
        except Exception as error:  # a template may fail in any way that Python can
            reason = str(error).strip().splitlines() or [type(error).__name__]
            raise InvalidRequestError(
                f"the model's chat template does not accept these messages: {reason[0][:300]}",
                param="messages",
            ) from None
