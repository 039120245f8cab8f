"""Where what is added stands, and how long its lines are."""

from __future__ import annotations

import difflib
import re
from typing import Any

import libcst as cst
from libcst import matchers as m

from sagelet.upgrade.codemods.module_level import is_marker
from sagelet.upgrade.edits import Edits
from sagelet.upgrade.nodes import Statement
from sagelet.upgrade.shapes import MAIN_GUARD
from sagelet.upgrade.snippets import WIDTH, broken_call, leading, led_by, statements

_ORDER = (
    "of_rank_0",
    "build_model",
    "make_model",
    "model_fn",
    "parse_args",
    "boolean",
    "literal",
    "join_ranks",
)
_BEFORE_USE = {
    "of_rank_0": r"\bof_rank_0\(",
    "build_model": r"\bbuild_model\(",
    "make_model": r"\bmake_model\(",
    "boolean": r"type=boolean\b",
    "literal": r"type=literal\b",
}
_BLANK = cst.EmptyLine(indent=False)
_IMPORT = m.SimpleStatementLine(body=[m.OneOf(m.Import(), m.ImportFrom())])


def place_definitions(module: cst.Module, edits: Edits) -> cst.Module:
    """Put new functions before the main guard, and new constants behind the imports."""
    body = list(module.body)
    for name in sorted(edits.functions, key=_ORDER.index):
        at = _place_of(body, name)
        body.insert(at, led_by(edits.functions[name], [_BLANK, _BLANK]))
        if at + 1 < len(body) and not is_marker(body[at + 1]):
            body[at + 1] = _apart(body[at + 1])
    if edits.constants:
        at = _behind_imports(body)
        new = statements("\n".join(edits.constants))
        body[at:at] = [led_by(new[0], [_BLANK]), *new[1:]]
        follower = at + len(new)
        if follower < len(body) and not leading(body[follower]):
            body[follower] = led_by(body[follower], [_BLANK])
    return module.with_changes(body=body)


def _place_of(body: list[Statement], name: str) -> int:
    """Return the index before which a function stands: its first use's, else the guard's."""
    if name in _BEFORE_USE:
        for index, each in enumerate(body):
            if re.search(_BEFORE_USE[name], cst.Module(body=[]).code_for_node(each)):
                is_function = isinstance(each, cst.FunctionDef | cst.If)
                return index if is_function else _behind_imports(body)
    guards = [index for index, each in enumerate(body) if m.matches(each, MAIN_GUARD)]
    return guards[0] if guards else len(body)


def _apart(node: Statement) -> Statement:
    """Return a statement with two empty lines before it."""
    lines = list(leading(node))
    while lines and lines[0].comment is None:
        lines.pop(0)
    return led_by(node, [_BLANK, _BLANK, *lines])


def _behind_imports(body: list[Statement]) -> int:
    first = next(
        (i for i, each in enumerate(body) if isinstance(each, cst.FunctionDef | cst.ClassDef)),
        len(body),
    )
    imports = [i for i, each in enumerate(body[:first]) if m.matches(each, _IMPORT)]
    return imports[-1] + 1 if imports else first


def nearest_line(before: str, after: str, line: int) -> int:
    """Return the line of a text that says what a line of its rewriting says."""
    wanted = after.splitlines()[line - 1].strip()
    lines = [each.strip() for each in before.splitlines()]
    if wanted not in lines:
        wanted = next(iter(difflib.get_close_matches(wanted, lines, n=1, cutoff=0.5)), "")
    found = [number for number, each in enumerate(lines, start=1) if each == wanted]
    return min(found, key=lambda number: abs(number - line), default=1)


def tidied(module: cst.Module, before: str) -> str:
    """Return a module's code, with those lines broken that have become too long."""
    known = {line.strip() for line in before.splitlines()}
    tidy = module.visit(_Break(known, module.default_indent))
    assert isinstance(tidy, cst.Module)
    return tidy.code


class _Break(cst.CSTTransformer):
    """Breaks calls and parameter lists that are new and too long."""

    def __init__(self, known: set[str], indent: str) -> None:
        super().__init__()
        self._known = known
        self._indent = indent
        self._depth = 0

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Go in by one step at a block."""
        self._depth += isinstance(node, cst.IndentedBlock)
        return True

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:  # noqa: ANN401  libcst's own
        """Break a line, or come out of a block."""
        self._depth -= isinstance(original_node, cst.IndentedBlock)
        match updated_node:
            case cst.SimpleStatementLine():
                return self._broken_line(updated_node)
            case cst.FunctionDef():
                return self._broken_definition(updated_node)
            case _:
                return updated_node

    def _broken_line(self, node: cst.SimpleStatementLine) -> cst.SimpleStatementLine:
        line = self._line(node.with_changes(leading_lines=[]))
        call = _outermost_call(node)
        if line is None or call is None or not self._is_long(line):
            return node
        room = WIDTH - self._depth * len(self._indent.expandtabs(4))
        changed = node.deep_replace(call, broken_call(call, room, self._indent))
        assert isinstance(changed, cst.SimpleStatementLine)
        return changed

    def _broken_definition(self, node: cst.FunctionDef) -> cst.FunctionDef:
        empty = cst.SimpleStatementSuite([cst.Pass()])
        line = self._line(node.with_changes(leading_lines=[], decorators=[], body=empty))
        if line is None or not self._is_long(line.removesuffix(" pass")):
            return node
        return _broken_parameters(node, self._indent)

    def _line(self, node: cst.CSTNode) -> str | None:
        code = cst.Module(body=[]).code_for_node(node).strip("\n")
        return None if "\n" in code else code

    def _is_long(self, line: str) -> bool:
        width = self._depth * len(self._indent.expandtabs(4)) + len(line)
        return width > WIDTH and line.strip() not in self._known


def _outermost_call(node: cst.SimpleStatementLine) -> cst.Call | None:
    pending: list[cst.CSTNode] = [*node.body]
    while pending:
        each = pending.pop(0)
        if isinstance(each, cst.Call) and each.args:
            return each
        pending.extend(each.children)
    return None


def _broken_parameters(node: cst.FunctionDef, indent: str) -> cst.FunctionDef:
    """Put parameters on one line of their own, or on one each where that is too long."""
    params = node.params
    if params.star_kwarg is not None or params.kwonly_params or params.posonly_params:
        return node
    if isinstance(params.star_arg, cst.Param):
        return node
    inner = cst.ParenthesizedWhitespace(
        first_line=cst.TrailingWhitespace(), indent=True, last_line=cst.SimpleWhitespace(indent)
    )
    outer = cst.ParenthesizedWhitespace(first_line=cst.TrailingWhitespace(), indent=True)
    code = cst.Module(body=[]).code_for_node(params)
    if len(code) + len(indent) < WIDTH:
        last = params.params[-1].with_changes(
            comma=cst.MaybeSentinel.DEFAULT, whitespace_after_param=outer
        )
        every = [*params.params[:-1], last]
    else:
        every = [
            each.with_changes(comma=cst.Comma(whitespace_after=inner)) for each in params.params
        ]
        every[-1] = every[-1].with_changes(comma=cst.Comma(whitespace_after=outer))
    return node.with_changes(
        params=params.with_changes(params=every), whitespace_before_params=inner
    )
