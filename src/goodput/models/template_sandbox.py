"""A Jinja environment in which a stranger's chat template can neither reach out nor run for ever.

Jinja's sandbox stops access to Python's internals. It does not stop a template that loops or
grows without end, so a budget is added: loop turns, and the size of what operators make.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from datetime import datetime
from typing import Any, cast

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

MAX_LOOP_TURNS = 1_000_000
MAX_RENDERED_CHARS = 8 * 1024 * 1024

_COUNTED, _BOUNDED = "_counted_by_goodput", "_bounded_by_goodput"
# A list: the loops of one render share the number of turns that are left.
_turns_left: ContextVar[list[int]] = ContextVar("turns_left")


def compile_template(source: str) -> jinja2.Template:
    """Compile with Hugging Face's settings; raises jinja2.TemplateError, RecursionError."""
    environment = _ENVIRONMENT
    tree = _Bounding().visit(environment.parse(source))
    return jinja2.Template.from_code(
        environment, environment.compile(tree, filename="chat template"), dict(environment.globals)
    )


def render_bounded(template: jinja2.Template, variables: dict[str, Any]) -> str:
    """Render within the budget; raises whatever the template raises, SecurityError beyond it."""
    token = _turns_left.set([MAX_LOOP_TURNS])
    try:
        pieces, size = [], 0
        for piece in template.generate(variables):
            size += len(piece)
            if size > MAX_RENDERED_CHARS:
                raise SecurityError(f"the text is longer than {MAX_RENDERED_CHARS} characters")
            pieces.append(piece)
        return "".join(pieces)
    finally:
        _turns_left.reset(token)


def _counted(items: Any) -> Iterator[Any]:
    left = _turns_left.get()
    # Jinja iterates over an undefined value as over nothing, and so does this.
    for item in items:
        left[0] -= 1
        if left[0] < 0:
            raise SecurityError(f"it loops more than {MAX_LOOP_TURNS} times")
        yield item


def _bounded(made: Any) -> Any:
    if hasattr(made, "__len__") and len(made) > MAX_RENDERED_CHARS:
        raise SecurityError("it makes a text too long")
    return made


class _Bounding(NodeTransformer):
    """Adds the budget to a parsed template: to loops, and to whatever can make a longer text.

    A value that doubles in each turn would else fill the memory within thirty turns.
    """

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802  # Jinja's naming
        self.generic_visit(node)
        node.iter = _filtered(node.iter, _COUNTED, node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, _BOUNDED, node.lineno)

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, _BOUNDED, node.lineno)

    def visit_AssignBlock(self, node: nodes.AssignBlock) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.filter = _filtered(node.filter, _BOUNDED, node.lineno)
        return node


def _filtered(node: nodes.Node | None, name: str, line: int) -> nodes.Filter:
    # Jinja's own annotations call an expression a Node here and an Expr there.
    return nodes.Filter(cast(nodes.Expr | None, node), name, [], [], None, None, lineno=line)


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset(["*", "**", "+"])

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**":
            raise SecurityError("powers are not allowed in a chat template")
        if operator == "*" and not (_is_number(left) and _is_number(right)):
            length = len(left) if hasattr(left, "__len__") else len(right)
            times = right if hasattr(left, "__len__") else left
            if length * times > MAX_RENDERED_CHARS:
                raise SecurityError("it repeats a text too often")
        return _bounded(super().call_binop(context, operator, left, right))

    def call(self, *args: Any, **kwargs: Any) -> Any:
        return _bounded(super().call(*args, **kwargs))


class _GenerationTag(Extension):
    """``{% generation %}…{% endgeneration %}`` marks answers for training; here it prints them."""

    tags = {"generation"}  # noqa: RUF012  # Jinja's own type for it

    def parse(self, parser: Parser) -> nodes.Node | list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float))


def _raise_exception(message: str) -> None:
    raise jinja2.TemplateError(message)


def _strftime_now(format_: str) -> str:
    return datetime.now().astimezone().strftime(format_)


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: Iterable[str] | None = None,
    sort_keys: bool = False,
) -> str:
    # Jinja's own filter escapes HTML characters, which a prompt must keep.
    pair = None if separators is None else tuple(separators)
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=pair,  # type: ignore[arg-type]
        sort_keys=sort_keys,
    )


def _environment() -> _Environment:
    environment = _Environment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_GenerationTag, loopcontrols]
    )
    environment.filters["tojson"] = _tojson
    environment.filters[_COUNTED] = _counted
    environment.filters[_BOUNDED] = _bounded
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = _strftime_now
    # No template needs these, and one call of them may fill the memory.
    del environment.globals["lipsum"], environment.filters["center"]
    return environment


_ENVIRONMENT = _environment()
