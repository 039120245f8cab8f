"""What is to be done to a script: collected first, then done in one walk over its tree.

Each codemod looks at the script as it was written and says what it wants at which node, so none has
to understand what another one made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import libcst as cst

from sagelet.upgrade.nodes import Statement
from sagelet.upgrade.snippets import leading, led_by, statement

Make = Callable[[Any], cst.BaseExpression | cst.CSTNode]


@dataclass(slots=True)
class Edits:
    """Wanted edits, by the nodes of the script as it was written."""

    made: dict[cst.CSTNode, list[Make]] = field(default_factory=lambda: defaultdict(list))
    wraps: dict[cst.CSTNode, list[Make]] = field(default_factory=lambda: defaultdict(list))
    before: dict[cst.CSTNode, list[Statement]] = field(default_factory=lambda: defaultdict(list))
    named: dict[cst.CSTNode, tuple[cst.CSTNode, str]] = field(default_factory=dict)
    after: dict[cst.CSTNode, list[Statement]] = field(default_factory=lambda: defaultdict(list))
    tops: dict[cst.CSTNode, list[Statement]] = field(default_factory=lambda: defaultdict(list))
    ends: dict[cst.CSTNode, list[Statement]] = field(default_factory=lambda: defaultdict(list))
    guarded: dict[cst.CSTNode, str] = field(default_factory=dict)
    removed: set[cst.CSTNode] = field(default_factory=set)
    imports: list[str] = field(default_factory=list)
    constants: list[str] = field(default_factory=list)
    functions: dict[str, Statement] = field(default_factory=dict)

    def change(self, node: cst.CSTNode, make: Make) -> None:
        """Put what `make` makes of a node, as it is by then, in its place."""
        self.made[node].append(make)

    def wrap(self, node: cst.CSTNode, make: Make) -> None:
        """The same, behind all other changes of the node: to put something around it."""
        self.wraps[node].append(make)

    def replace(self, node: cst.CSTNode, new: cst.CSTNode) -> None:
        """Put another node in a node's place."""
        self.made[node].append(lambda _old: new)

    def name(self, node: cst.BaseExpression, name: str, line: Statement) -> None:
        """Give an expression a name, in a statement before the line that it is in."""
        self.named[node] = (line, name)

    def need(self, *imports: str) -> None:
        """Ask for import statements, where they are not there."""
        self.imports.extend(each for each in imports if each not in self.imports)

    def define(self, function: Statement) -> None:
        """Ask for a function of the module's own level."""
        assert isinstance(function, cst.FunctionDef)
        self.functions[function.name.value] = function

    def copy(self) -> Edits:
        """Return the same wishes, to come back to."""
        copied = Edits()
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, defaultdict):
                mine = getattr(copied, each.name)
                mine.update({node: list(wished) for node, wished in value.items()})
            else:
                setattr(copied, each.name, value.copy())
        return copied

    @property
    def is_empty(self) -> bool:
        """Whether nothing is wanted."""
        by_node = (
            self.made,
            self.wraps,
            self.before,
            self.named,
            self.after,
            self.tops,
            self.ends,
            self.guarded,
        )
        wanted = (*by_node, self.removed, self.constants, self.functions)
        return not any(wanted)


def apply(module: cst.Module, edits: Edits) -> cst.Module:
    """Return a module with the edits of its nodes made."""
    changed = module.visit(_Apply(edits))
    assert isinstance(changed, cst.Module)
    merged = changed.visit(_MergeGuards())
    assert isinstance(merged, cst.Module)
    return merged


class _Apply(cst.CSTTransformer):
    def __init__(self, edits: Edits) -> None:
        super().__init__()
        self._edits = edits
        self._hoisted: dict[cst.CSTNode, list[Statement]] = defaultdict(list)

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:  # noqa: ANN401  libcst's own
        """Make what is wanted at this node."""
        edits = self._edits
        updated: Any = super().on_leave(original_node, updated_node)
        if original_node in edits.removed:
            return cst.RemoveFromParent()
        for make in (*edits.made.get(original_node, ()), *edits.wraps.get(original_node, ())):
            updated = make(updated)
        if original_node in edits.named:
            line, name = edits.named[original_node]
            self._hoisted[line].append(_assigned(name, updated))
            return cst.Name(name)
        if original_node in edits.tops or original_node in edits.ends:
            updated = _filled(
                updated, edits.tops.get(original_node, ()), edits.ends.get(original_node, ())
            )
        if isinstance(updated, Statement):
            return self._surrounded(original_node, updated)
        return updated

    def _surrounded(
        self, original: cst.CSTNode, updated: Statement
    ) -> Statement | cst.FlattenSentinel[Statement]:
        edits = self._edits
        if (test := edits.guarded.get(original)) is not None:
            updated = _guarded(updated, test)
        before = [*self._hoisted.get(original, []), *edits.before.get(original, [])]
        after = edits.after.get(original, [])
        if not before and not after:
            return updated
        if before:
            first = led_by(before[0], [*leading(updated), *leading(before[0])])
            updated = led_by(updated, [])
            before = [first, *before[1:]]
        return cst.FlattenSentinel([*before, updated, *after])


def _assigned(name: str, value: Any) -> Statement:  # noqa: ANN401  libcst's own
    line = statement(f"{name} = None")
    assert isinstance(line, cst.SimpleStatementLine)
    return line.with_changes(body=[line.body[0].with_changes(value=value)])


def _guarded(node: Statement, test: str) -> Statement:
    guard = statement(f"if {test}:\n    pass")
    inner = led_by(node, [])
    return led_by(guard.with_changes(body=cst.IndentedBlock([inner])), leading(node))


def _filled(node: cst.CSTNode, tops: Sequence[Statement], ends: Sequence[Statement]) -> cst.CSTNode:
    """Return a compound statement with statements put first and last into its body."""
    block = node.body if hasattr(node, "body") else None
    if isinstance(block, cst.SimpleStatementSuite):
        block = cst.IndentedBlock([cst.SimpleStatementLine(block.body)])
    assert isinstance(block, cst.IndentedBlock)
    body = list(block.body)
    at = 1 if isinstance(node, cst.FunctionDef) and node.get_docstring() is not None else 0
    return node.with_changes(body=block.with_changes(body=[*body[:at], *tops, *body[at:], *ends]))


class _MergeGuards(cst.CSTTransformer):
    """Makes one `if rank == 0:` of several that follow each other."""

    def on_leave(self, original_node: Any, updated_node: Any) -> Any:  # noqa: ANN401  libcst's own
        """Merge those of a block."""
        updated = super().on_leave(original_node, updated_node)
        if not isinstance(updated, cst.IndentedBlock):
            return updated
        body: list[cst.BaseStatement] = []
        for each in updated.body:
            if body and (merged := _merged(body[-1], each)) is not None:
                body[-1] = merged
            else:
                body.append(each)
        return updated.with_changes(body=body)


def _merged(first: cst.BaseStatement, second: cst.BaseStatement) -> cst.If | None:
    if not (_is_rank_guard(first) and _is_rank_guard(second)):
        return None
    assert isinstance(first, cst.If)
    assert isinstance(second, cst.If)
    inner = [
        led_by(each, [*second.leading_lines, *each.leading_lines]) if index == 0 else each
        for index, each in enumerate(second.body.body)
        if isinstance(each, Statement)
    ]
    return first.with_changes(body=first.body.with_changes(body=[*first.body.body, *inner]))


def _is_rank_guard(node: cst.BaseStatement) -> bool:
    return (
        isinstance(node, cst.If)
        and node.orelse is None
        and isinstance(node.body, cst.IndentedBlock)
        and cst.Module(body=[]).code_for_node(node.test) == "rank == 0"
    )
