"""Statements of the module's own level that move into a function, and those that stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import libcst as cst
from libcst import matchers as m

from sagelet.upgrade.codemods.module_level import (
    assigned_names,
    free_names,
    is_action,
    is_definition,
    is_scalar,
    is_setup,
    is_target,
)
from sagelet.upgrade.nodes import Statement, dotted, only, string_value
from sagelet.upgrade.shapes import Script
from sagelet.upgrade.snippets import led_by, statement


def shared_at_definition(script: Script, moved: Moved) -> bool:
    """Whether a definition needs what moves at once: in a decorator, a default, a class's body."""
    definitions = [
        each for each in moved.staying if isinstance(each, cst.FunctionDef | cst.ClassDef)
    ]
    functions = [inner for each in definitions for inner in script.all_of(cst.FunctionDef, each)]
    at_once = [
        name
        for function in functions
        for part in (function.params, *function.decorators)
        for name in script.all_of(cst.Name, part)
        if not _is_parameter(script, name)
    ]
    at_once += [
        name
        for each in definitions
        for name in script.all_of(cst.Name, each)
        if script.home(name) is None
    ]
    return any(name.value in moved.names for name in at_once)


def _is_parameter(script: Script, name: cst.Name) -> bool:
    parent = script.parent(name)
    return isinstance(parent, cst.Param) and parent.name is name


@dataclass(frozen=True, eq=False)
class Moved:
    """The statements of a module that move into a function, and those that stay."""

    script: Script
    staying: tuple[Statement, ...]
    going: tuple[Statement, ...]

    @classmethod
    def of(cls, script: Script) -> Moved:
        """Decide for each statement."""
        body = list(script.module.body)
        defined = [each for each in body if is_definition(each)]
        needed = free_names(script, defined)
        last_import = max(
            (i for i, each in enumerate(body) if m.matches(each, _IMPORT)), default=-1
        )
        staying: list[Statement] = []
        going: list[Statement] = []
        for index, each in enumerate(body):
            stays = is_definition(each) or _is_docstring(body, each)
            if not stays and not is_action(script, each):
                stays = bool(assigned_names(script, [each]) & (needed | {"device"})) or is_setup(
                    script, each
                )
            if index < last_import and not stays:
                stays = is_setup(script, each)
            (staying if stays else going).append(each)
        return cls(script, tuple(staying), tuple(going))

    @classmethod
    def actions_of(cls, script: Script) -> Moved:
        """Let go what the module does, with what comes of that; constants stay."""
        body = list(script.module.body)
        last_import = max(
            (i for i, each in enumerate(body) if m.matches(each, _IMPORT)), default=-1
        )
        staying: list[Statement] = []
        going: list[Statement] = []
        names: frozenset[str] = frozenset()
        for index, each in enumerate(body):
            sets_up = index < last_import and is_setup(script, each)
            acts = is_action(script, each) and not sets_up
            depends = not is_definition(each) and bool(free_names(script, [each]) & names)
            if acts or depends:
                names |= assigned_names(script, [each])
            (going if acts or depends else staying).append(each)
        return cls(script, tuple(staying), tuple(going))

    @property
    def names(self) -> frozenset[str]:
        """The names that the moving statements make."""
        return assigned_names(self.script, self.going)

    def function(self, name: str) -> Statement:
        """Return the function that they become."""
        lifted = [each for each in self.going if self._is_hyperparameter(each)]
        renamed = {
            old: new for each in lifted if (old := _name_of(each)) != (new := self._small(old))
        }
        header = self._header(name, lifted)
        rest = [each for each in self.going if each not in lifted]
        body = [led_by(each, inner_lines(each, first=each is rest[0])) for each in rest]
        made = statement(header + "\n    pass").with_changes(body=cst.IndentedBlock(body))
        renaming = made.visit(_Rename(renamed))
        assert isinstance(renaming, cst.FunctionDef)
        return renaming

    def _header(self, name: str, lifted: list[Statement]) -> str:
        written = []
        for each in lifted:
            small = only(each)
            assert isinstance(small, cst.Assign | cst.AnnAssign)
            assert small.value is not None
            own = self._small(_name_of(each))
            code = self.script.code
            if isinstance(small, cst.AnnAssign):
                text = f"{own}: {code(small.annotation.annotation)} = {code(small.value)}"
            else:
                text = f"{own}={code(small.value)}"
            written.append((each, text))
        if not any(_comments_of(each) for each in lifted):
            return f"def {name}({', '.join(text for _, text in written)}):"
        lines = [f"def {name}("]
        for each, text in written:
            before, behind = _leading_comments(each), _trailing_comment(each)
            lines += [f"    {comment}" for comment in before]
            lines.append(f"    {text},{'  ' + behind if behind else ''}")
        return "\n".join([*lines, "):"])

    def _small(self, name: str) -> str:
        small = name.lower()
        return small if small == name or small not in self.script.bound else name

    def _is_hyperparameter(self, node: Statement) -> bool:
        """Whether a statement names a number, a truth or a word, for good."""
        small = only(node)
        name = _name_of(node)
        if not isinstance(small, cst.Assign | cst.AnnAssign) or not name or small.value is None:
            return False
        count = sum(
            each.value == name and self.script.home(each) is None and is_target(self.script, each)
            for each in self.script.all_of(cst.Name)
        )
        return count == 1 and is_scalar(self.script, small.value)


def _name_of(node: Statement) -> str:
    match only(node):
        case cst.Assign(targets=[target]):
            return dotted(target.target) if isinstance(target.target, cst.Name) else ""
        case cst.AnnAssign(target=cst.Name(value=name)):
            return name
        case _:
            return ""


def inner_lines(node: Statement, *, first: bool) -> list[cst.EmptyLine]:
    """Return the lines before a statement as they are inside a function: at most one is empty."""
    found: list[cst.EmptyLine] = []
    for each in node.leading_lines:
        if each.comment is not None:
            found.append(each)
        elif not (first and not found) and not (found and found[-1].comment is None):
            found.append(cst.EmptyLine(indent=False))
    return found


def _leading_comments(node: Statement) -> list[str]:
    return [each.comment.value for each in node.leading_lines if each.comment is not None]


def _trailing_comment(node: Statement) -> str:
    assert isinstance(node, cst.SimpleStatementLine)
    comment = node.trailing_whitespace.comment
    return comment.value if comment is not None else ""


def _comments_of(node: Statement) -> list[str]:
    return [*_leading_comments(node), *filter(None, [_trailing_comment(node)])]


_IMPORT = m.SimpleStatementLine(body=[m.OneOf(m.Import(), m.ImportFrom())])


def _is_docstring(body: list[Statement], node: Statement) -> bool:
    small = only(node)
    return node is body[0] and isinstance(small, cst.Expr) and string_value(small.value) is not None


class _Rename(cst.CSTTransformer):
    """Gives variables other names, but neither attributes nor keywords."""

    def __init__(self, names: dict[str, str]) -> None:
        super().__init__()
        self._names = names

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:  # noqa: ANN401  libcst's own
        """Give a variable its new name."""
        match original_node:
            case cst.Name(value=name) if name in self._names:
                return updated_node.with_changes(value=self._names[name])
            case cst.Attribute(attr=attr):
                return updated_node.with_changes(attr=attr)
            case cst.Arg(keyword=keyword):
                return updated_node.with_changes(keyword=keyword)
            case _:
                return updated_node
