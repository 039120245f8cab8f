"""The literals that a script's paths begin with, and what each path is for."""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

import libcst as cst

from sagelet.upgrade.file_calls import FileCall, Role, is_configuration
from sagelet.upgrade.nodes import argument, string_value
from sagelet.upgrade.snippets import quoted
from sagelet.upgrade.upgrading import Upgrading

_ELSEWHERE = re.compile(r"[a-z][a-z0-9+]+:|~|/dev/|/opt/ml/|$")
_DEPTH = 8


@dataclass(frozen=True, eq=False)
class Literal:
    """A path as it is written: the literal, what it says, and whether it names a folder."""

    node: cst.BaseExpression
    text: str
    is_folder: bool
    is_prefix: bool = False
    """Whether more is put behind it with `+`."""

    @property
    def folder(self) -> str:
        """The folder that it names or is in, without `./` and the like."""
        return os.path.normpath(self.text if self.is_folder else str(PurePath(self.text).parent))

    def below(self, folder: str) -> str:
        """Return what is left of the path below a folder, as it is written in code."""
        if isinstance(self.node, cst.FormattedString):
            return self._formatted_below(folder)
        rest = os.path.relpath(os.path.normpath(self.text), folder)
        if rest == ".":
            return '""' if self.text.endswith("/") and self.is_prefix else ""
        slash = "/" if self.text.endswith("/") and self.is_prefix else ""
        return quoted(f"{rest}{slash}")

    def _formatted_below(self, folder: str) -> str:
        assert isinstance(self.node, cst.FormattedString)
        first = self.node.parts[0]
        assert isinstance(first, cst.FormattedStringText)
        place, slash, name = first.value.rpartition("/")
        rest = os.path.relpath(os.path.normpath(place or "."), folder) if slash else "."
        inside = name if rest == "." else f"{rest}/{name}"
        parts = [first.with_changes(value=inside), *self.node.parts[1:]]
        if not inside:
            parts = parts[1:]
        return cst.Module(body=[]).code_for_node(self.node.with_changes(parts=parts))


@dataclass(frozen=True, eq=False)
class Place:
    """A literal of a path, what it is for, and the call that it is for."""

    literal: Literal
    role: Role
    call: cst.Call


def find_places(work: Upgrading, calls: Sequence[FileCall]) -> list[Place]:
    """Return the literals of paths with their roles; what is written is not read as data."""
    found: dict[cst.CSTNode, Place] = {}
    order = {Role.MODEL: 0, Role.OUTPUT: 1, Role.DATA: 2, None: 3}
    for each in sorted(calls, key=lambda call: order[call.role]):
        for literal in _literals(work, _Part(each.path, each.is_folder)):
            if literal.node in found or _ELSEWHERE.match(literal.text):
                continue
            role = each.role or Role.DATA
            if each.role is Role.DATA:
                role = _role_of_known(literal, found, but=Role.DATA) or role
            elif each.role is None:
                role = _role_of_known(literal, found) or Role.OUTPUT
            if each.role is Role.DATA and role is Role.DATA and not _is_data(work, each, literal):
                continue
            found[literal.node] = Place(literal, role, each.call)
    return sorted(found.values(), key=lambda place: work.script.line(place.literal.node))


def _role_of_known(
    literal: Literal, found: dict[cst.CSTNode, Place], but: Role | None = None
) -> Role | None:
    """Return the role of a path that is the same, or is in the folder that a literal names."""
    path = os.path.normpath(literal.text)
    for each in found.values():
        if each.role is but:
            continue
        if os.path.normpath(each.literal.text) == path:
            return each.role
        if literal.is_folder and path != "." and each.literal.folder.startswith(path):
            return each.role
    return None


def _is_data(work: Upgrading, call: FileCall, literal: Literal) -> bool:
    if is_configuration(literal.text):
        return False
    if work.script.callee(call.call) == "torch.load":
        around = [
            each.func.attr.value
            for each in work.script.above(call.call)
            if isinstance(each, cst.Call) and isinstance(each.func, cst.Attribute)
        ]
        if "load_state_dict" in around:
            work.leave(
                "hard-coded-data-path",
                literal.node,
                f'weights are read from "{literal.text}"',
                "pack them with the source, or give them a channel",
            )
            return False
    return True


@dataclass(frozen=True, eq=False)
class _Part:
    """The beginning of a path: what it is, and whether a folder's name or another text ends it."""

    node: cst.BaseExpression
    is_folder: bool = False
    is_prefix: bool = False


def _literals(work: Upgrading, part: _Part, depth: int = _DEPTH) -> Iterator[Literal]:
    """Yield the literals that a path begins with."""
    text = string_value(part.node)
    if text is not None:
        is_folder = part.is_folder or text.endswith("/")
        yield Literal(part.node, text, is_folder, is_prefix=part.is_prefix)
    elif _begins_with_text(part.node):
        assert isinstance(part.node, cst.FormattedString)
        first = part.node.parts[0]
        assert isinstance(first, cst.FormattedStringText)
        yield Literal(part.node, first.value, is_folder=first.value.endswith("/"))
    elif depth > 0:
        for each in _beginnings(work, part):
            yield from _literals(work, each, depth - 1)


def _begins_with_text(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.FormattedString) and isinstance(
        node.parts[0] if node.parts else None, cst.FormattedStringText
    )


def _beginnings(work: Upgrading, part: _Part) -> list[_Part]:
    """Return what the first part of a path comes from."""
    match part.node:
        case cst.FormattedString(parts=[cst.FormattedStringExpression(expression=value), *_]):
            return [_Part(value, is_folder=True)]
        case cst.BinaryOperation(left=left, operator=cst.Divide()):
            return [_Part(left, is_folder=True)]
        case cst.BinaryOperation(left=left, operator=cst.Add(), right=right):
            begins = (string_value(right) or "").startswith("/")
            return [_Part(left, is_folder=begins, is_prefix=not begins)]
        case cst.Call(args=[first, *rest]) if _is_joining(work, part.node):
            return [_Part(first.value, is_folder=part.is_folder or bool(rest))]
        case cst.Name():
            origins = [each for each in work.flow.origins(part.node) if each is not part.node]
            return [_Part(each, part.is_folder, part.is_prefix) for each in origins]
        case cst.Attribute():
            default = _default_of_option(work, part.node)
            return [] if default is None else [_Part(default, part.is_folder, part.is_prefix)]
        case _:
            return []


def _default_of_option(work: Upgrading, node: cst.Attribute) -> cst.BaseExpression | None:
    """Return the default of an argument that argparse reads."""
    parsed = work.entry.parsed
    if parsed is None or not work.entry.is_namespace(node.value):
        return None
    add = parsed.add_of(node.attr.value)
    default = argument(add, None, "default") if add is not None else None
    return None if default is None else default.value


def _is_joining(work: Upgrading, call: cst.Call) -> bool:
    name = work.script.callee(call)
    return name in ("os.path.join", "pathlib.Path", "builtins.str", "os.fspath", "os.path.abspath")


def path_text(work: Upgrading, node: cst.BaseExpression, depth: int = _DEPTH) -> str | None:
    """Return a path that is put together from literals alone; None for any other."""
    if depth == 0:
        return None
    text = string_value(node)
    if text is not None:
        return text
    match node:
        case cst.BinaryOperation(
            left=left, operator=cst.Divide() | cst.Add() as operator, right=right
        ):
            mark = "/" if isinstance(operator, cst.Divide) else ""
            return _joined_text(work, [left, right], mark, depth)
        case cst.Call(args=args) if _is_joining(work, node):
            return _joined_text(work, [arg.value for arg in args], "/", depth)
        case cst.Name():
            found = work.flow.origin(node)
            return None if found is None or found is node else path_text(work, found, depth - 1)
        case cst.Attribute():
            default = _default_of_option(work, node)
            return None if default is None else path_text(work, default, depth - 1)
        case _:
            return None


def _joined_text(
    work: Upgrading, nodes: Sequence[cst.BaseExpression], mark: str, depth: int
) -> str | None:
    texts = [path_text(work, each, depth - 1) for each in nodes]
    return None if None in texts else mark.join(text for text in texts if text is not None)
