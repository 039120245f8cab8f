"""Which values are plain: numbers, texts, and lists of such."""

from __future__ import annotations

import re

import libcst as cst

from sagelet.upgrade.codemods.module_level import is_scalar
from sagelet.upgrade.upgrading import Upgrading

_MAKES_PLAIN = frozenset({"len", "int", "float", "str", "bool"})
_KEEPS_PLAIN = frozenset({"max", "min", "round", "sum", "abs", "list", "tuple"})
_WORDS = ("None", "True", "False")
_DEPTH = 6


def is_plain(work: Upgrading, node: cst.BaseExpression, depth: int = _DEPTH) -> bool:
    """Whether an expression's value is plain, as far as that can be seen."""
    if depth == 0:
        return False
    if is_scalar(work.script, node) or _is_text(node) or _is_counted(node):
        return True
    match node:
        case cst.Name(value=name):
            return name == "None" or _is_plain_name(work, node, depth - 1)
        case cst.Attribute(value=value):
            return work.entry.is_namespace(value)
        case cst.Call(args=args):
            called = work.script.callee(node).removeprefix("builtins.")
            plain = all(is_plain(work, arg.value, depth - 1) for arg in args)
            return called in _MAKES_PLAIN or (called in _KEEPS_PLAIN and plain)
        case _:
            parts = _parts(node)
            return bool(parts) and all(is_plain(work, each, depth - 1) for each in parts)


def _is_text(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.SimpleString) and re.match(r"[bB]", node.value) is None


def _is_counted(node: cst.BaseExpression) -> bool:
    """Whether an expression is a comparison, `x.shape[1]` or `x.size(1)`."""
    match node:
        case cst.Comparison():
            return True
        case cst.Subscript(value=cst.Attribute(attr=cst.Name("shape"))):
            return True
        case cst.Call(func=cst.Attribute(attr=cst.Name("size")), args=[_]):
            return True
        case _:
            return False


def _parts(node: cst.BaseExpression) -> list[cst.BaseExpression]:
    """Return the expressions that an expression's value is made from."""
    match node:
        case cst.BinaryOperation(left=left, right=right):
            return [left, right]
        case cst.BooleanOperation(left=left, right=right) | cst.IfExp(body=left, orelse=right):
            return [left, right]
        case cst.UnaryOperation(expression=inner):
            return [inner]
        case cst.List(elements=elements) | cst.Tuple(elements=elements):
            return [each.value for each in elements]
        case _:
            return []


def _is_plain_name(work: Upgrading, node: cst.Name, depth: int) -> bool:
    found = list(work.flow.origins(node))
    return bool(found) and all(
        _is_plain_default(work, each)
        or (
            each is not node
            and not isinstance(work.script.parent(each), cst.Param | cst.FunctionDef)
            and is_plain(work, each, depth)
        )
        for each in found
    )


def _is_plain_default(work: Upgrading, node: cst.BaseExpression) -> bool:
    """Whether an expression is a parameter's default, and plain."""
    parent = work.script.parent(node)
    if not isinstance(parent, cst.Param) or parent.default is not node:
        return False
    return not isinstance(node, cst.Name | cst.Call) or work.script.code(node) in _WORDS
