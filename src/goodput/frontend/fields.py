"""Which request fields are known, which change nothing, and one sentence for each wrong one."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec
import orjson

from goodput.core.errors import InvalidRequestError

Body = TypeVar("Body", bound=msgspec.Struct)

# Accepted and without effect, whatever their value: they ask for bookkeeping, not for other text.
IGNORED = frozenset(
    {"metadata", "parallel_tool_calls", "prompt_cache_key", "safety_identifier", "store", "user"}
)

# Fields that this server cannot honour, with the values (besides null) that ask for nothing.
NEUTRAL: dict[str, tuple[Any, ...]] = {
    "audio": (),
    "echo": (False,),
    "function_call": ("none", "auto"),
    "functions": ([],),
    "modalities": (["text"],),
    "moderation": (),
    "prediction": (),
    "prompt_logprobs": (),
    "reasoning_effort": (),
    "service_tier": ("auto", "default"),
    "structured_outputs": (),
    "suffix": ("",),
    "tool_choice": ("none", "auto"),
    "tools": ([],),
    "verbosity": (),
    "web_search_options": (),
}

_WHERE = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<path>.*)`)?$", re.DOTALL)
_QUOTED = re.compile(r"`([^`]*)`")


def parse_json(raw: bytes) -> dict[str, Any]:
    """The body as an object; raises InvalidRequestError that says what is wrong and where."""
    try:
        data = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise InvalidRequestError(f"The request body is not valid JSON: {error}.") from None
    if not isinstance(data, dict):
        raise InvalidRequestError("The request body must be a JSON object.")
    return data


def read_fields(data: dict[str, Any], kind: type[Body], *, where: str = "") -> Body:
    """Check ``data`` against ``kind``; nulls count as absent. ``where`` prefixes field names.

    Raises InvalidRequestError with the name of the first field that is unknown, not supported
    or wrong.
    """
    known = kind.__struct_fields__
    present: dict[str, Any] = {}
    for name, value in data.items():
        if name in known:
            if value is not None:
                present[name] = value
        elif name in NEUTRAL:
            if value is not None and value not in NEUTRAL[name]:
                full = where + name
                raise InvalidRequestError(
                    f"The field '{full}' is not supported by this server with this value.",
                    param=full,
                    code="unsupported_value",
                )
        elif name not in IGNORED:
            full = where + name
            raise InvalidRequestError(
                f"Unrecognized request field: '{full[:200]}'.",
                param=full[:200],
                code="unknown_parameter",
            )
    try:
        return msgspec.convert(present, kind)
    except msgspec.ValidationError as error:
        raise _sentence(str(error), where) from None


def _sentence(message: str, where: str) -> InvalidRequestError:
    """Turn msgspec's message, ``Expected `int`, got `str` - at `$.seed```, into our error."""
    match = _WHERE.match(message)
    assert match is not None  # the pattern takes any text
    what: str = match["what"]
    path: str = match["path"] or ""
    missing = what.startswith("Object missing required field")
    unknown = what.startswith("Object contains unknown field")
    if missing or unknown:
        named = _QUOTED.search(what)
        leaf = named[1] if named else ""
        param = where + (f"{path}.{leaf}" if path else leaf)
        text = "is required" if missing else "is not recognized"
        return InvalidRequestError(
            f"The field '{param}' {text}.",
            param=param,
            code="missing_required_parameter" if missing else "unknown_parameter",
        )
    param = (where + path).rstrip(".")
    if not param:
        return InvalidRequestError(f"The request body is wrong: {what}.")
    return InvalidRequestError(
        f"The field '{param}' is wrong: {what[:1].lower()}{what[1:].replace('`', '')}.",
        param=param,
        code="invalid_value",
    )
