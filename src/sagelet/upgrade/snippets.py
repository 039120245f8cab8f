"""Code to put in: written as text, parsed to nodes, and broken into lines where it is too long."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import libcst as cst

from sagelet.upgrade.nodes import Statement

WIDTH = 100
"""How long a line may become."""


def expression(code: str) -> cst.BaseExpression:
    """Return an expression."""
    return cst.parse_expression(code)


def quoted(text: str) -> str:
    """Return a text as code, in double quotes where it has none itself."""
    code = repr(text)
    return f'"{code[1:-1]}"' if code[0] == "'" and '"' not in text and "\\'" not in code else code


def statements(code: str) -> list[Statement]:
    """Return statements, with the comments before them."""
    module = cst.parse_module(textwrap.dedent(code).strip("\n") + "\n")
    body = list(module.body)
    if module.header and body:
        body[0] = _led(body[0], [*module.header, *body[0].leading_lines])
    return body


def statement(code: str) -> Statement:
    """Return one statement."""
    (found,) = statements(code)
    return found


def _led(node: Statement, lines: Sequence[cst.EmptyLine]) -> Statement:
    led = node.with_changes(leading_lines=list(lines))
    assert isinstance(led, Statement)
    return led


def leading(node: Statement) -> tuple[cst.EmptyLine, ...]:
    """Return the empty lines and comments before a statement."""
    return tuple(node.leading_lines)


def led_by(node: Statement, lines: Sequence[cst.EmptyLine]) -> Statement:
    """Return a statement with other lines before it."""
    return _led(node, lines)


def broken_call(call: cst.Call, room: int, indent: str, level: int = 1) -> cst.Call:
    """Return a call with its arguments on lines of their own: on one if they fit in `room`.

    `level` is how deep these lines are below the statement's.
    """
    inner, outer = _newline(indent * level), _newline(indent * (level - 1))
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    plain = [
        each.with_changes(comma=comma, whitespace_after_arg=cst.SimpleWhitespace(""))
        for each in call.args
    ]
    rest = room - len(indent) * level
    if len(plain) == 1 and len(_code(plain[0].value)) > rest:
        plain = [_with_broken_call(plain[0], room, indent, level + 1)]
    together = ", ".join(_code(_bare(each)) for each in plain)
    if len(together) <= rest or len(plain) == 1:
        last = plain[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT, whitespace_after_arg=outer)
        return call.with_changes(args=[*plain[:-1], last], whitespace_before_args=inner)
    apart = [each.with_changes(comma=cst.Comma(whitespace_after=inner)) for each in plain[:-1]]
    end = plain[-1].with_changes(comma=cst.Comma(whitespace_after=outer))
    return call.with_changes(args=[*apart, end], whitespace_before_args=inner)


def _with_broken_call(arg: cst.Arg, room: int, indent: str, level: int) -> cst.Arg:
    """Return an argument whose own call, if it is one, is broken, too."""
    value = arg.value
    if isinstance(value, cst.Subscript) and isinstance(value.value, cst.Call):
        return arg.with_changes(
            value=value.with_changes(value=broken_call(value.value, room, indent, level))
        )
    if isinstance(value, cst.Call) and value.args:
        return arg.with_changes(value=broken_call(value, room, indent, level))
    return arg


def _bare(arg: cst.Arg) -> cst.Arg:
    return arg.with_changes(comma=cst.MaybeSentinel.DEFAULT)


def _newline(indent: str) -> cst.ParenthesizedWhitespace:
    return cst.ParenthesizedWhitespace(
        first_line=cst.TrailingWhitespace(), indent=True, last_line=cst.SimpleWhitespace(indent)
    )


def _code(node: cst.CSTNode) -> str:
    return cst.Module(body=[]).code_for_node(node)
