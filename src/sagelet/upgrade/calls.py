"""Single questions about functions, calls and literals of a syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator

Function = ast.FunctionDef | ast.AsyncFunctionDef


def parameters(function: Function) -> list[str]:
    """Return the names of a function's parameters, in order."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args]
    if arguments.vararg is not None:
        named.append(arguments.vararg)
    named += arguments.kwonlyargs
    if arguments.kwarg is not None:
        named.append(arguments.kwarg)
    return [argument.arg for argument in named]


def default_of(function: Function, parameter: str) -> ast.expr | None:
    """Return the default of a parameter."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args]
    late = named[len(named) - len(arguments.defaults) :]
    pairs = [
        *zip(late, arguments.defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    return next((default for each, default in pairs if each.arg == parameter), None)


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """Return a keyword argument of a call."""
    return next((each.value for each in call.keywords if each.arg == name), None)


def argument(call: ast.Call, place: int, name: str) -> ast.expr | None:
    """Return an argument of a call by its place or its name; None where `*` hides it."""
    given = keyword(call, name)
    if given is not None:
        return given
    if any(isinstance(each, ast.Starred) for each in call.args[: place + 1]):
        return None
    return call.args[place] if place < len(call.args) else None


def has_open_keywords(call: ast.Call) -> bool:
    """Whether a call has `*args` or `**kwargs`, which may be anything."""
    return any(each.arg is None for each in call.keywords) or any(
        isinstance(each, ast.Starred) for each in call.args
    )


def text_of(node: ast.AST | None) -> str | None:
    """Return a string literal's value."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


def is_constant(node: ast.AST | None, value: object) -> bool:
    """Whether a node is this very literal."""
    return isinstance(node, ast.Constant) and node.value is value


def words_in(node: ast.AST) -> Iterator[str]:
    """Yield the names, attributes and string literals in an expression."""
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            yield each.id
        elif isinstance(each, ast.Attribute):
            yield each.attr
        elif isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value
