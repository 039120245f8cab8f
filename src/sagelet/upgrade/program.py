"""A module's syntax tree, with the few questions that rules ask of it.

Names are followed through imports (`import torch.nn as nn`: `nn.Linear` is `torch.nn.Linear`), and
through assignments in the same function or the module; no further. Nothing here is recursive: a
tree may be deeper than Python's stack.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import TypeVar

from sagelet.upgrade.calls import Function, parameters, words_in
from sagelet.upgrade.lexing import split_lines

Node = TypeVar("Node", bound=ast.AST)
Scope = Function | ast.Module

_MAIN = "__main__"
_BUFFERS = frozenset(
    {"BytesIO", "StringIO", "TemporaryFile", "NamedTemporaryFile", "TemporaryDirectory", "mkdtemp"}
)
_MARKS = (ast.expr_context, ast.operator, ast.cmpop, ast.boolop, ast.unaryop)


class Program:
    """The index of a tree."""

    def __init__(self, tree: ast.Module, text: str) -> None:
        """Walk the tree once."""
        self.tree = tree
        self.lines = split_lines(text)
        self._parents: dict[ast.AST, ast.AST] = {}
        self._by_kind: dict[type[ast.AST], list[ast.AST]] = defaultdict(list)
        waiting: list[ast.AST] = [tree]
        for node in waiting:
            self._by_kind[type(node)].append(node)
            for name in node._fields:
                # As ast.iter_child_nodes, without what says nothing of its own, at half the time.
                value = getattr(node, name, None)
                children = value if isinstance(value, list) else (value,)
                for child in children:
                    if isinstance(child, ast.AST) and not isinstance(child, _MARKS):
                        self._parents[child] = node
                        waiting.append(child)

    def nodes(self, kind: type[Node]) -> list[Node]:
        """Return the nodes of a kind; those nearer to the top come first."""
        return self._by_kind[kind]  # type: ignore[return-value]  # filed by their own type

    @cached_property
    def imports(self) -> dict[str, str]:
        """What the module's own names for imported things stand for."""
        found: dict[str, str] = {}
        for node in self.nodes(ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                found[alias.asname or top] = alias.name if alias.asname else top
        for imported in self.nodes(ast.ImportFrom):
            module = "." * imported.level + (imported.module or "")
            for alias in imported.names:
                found[alias.asname or alias.name] = f"{module}.{alias.name}"
        return found

    @cached_property
    def imported_modules(self) -> frozenset[str]:
        """The first parts of the names of what is imported."""
        return frozenset(name.partition(".")[0] for name in self.imports.values())

    def name_of(self, node: ast.AST | None) -> str:
        """Return the dotted name of an expression, through imports; "" where it has none."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        parts.append(self.imports.get(node.id, node.id))
        return ".".join(reversed(parts))

    @cached_property
    def calls(self) -> list[ast.Call]:
        """Every call, from the first line to the last."""
        return sorted(self.nodes(ast.Call), key=lambda call: (call.lineno, call.col_offset))

    @cached_property
    def _calls_by_name(self) -> dict[str, list[ast.Call]]:
        found: dict[str, list[ast.Call]] = defaultdict(list)
        for call in self.calls:
            found[self.name_of(call.func)].append(call)
        return found

    def calls_of(self, *names: str) -> list[ast.Call]:
        """Return the calls of things by their full names."""
        found = [call for name in names for call in self._calls_by_name.get(name, ())]
        return sorted(found, key=lambda call: (call.lineno, call.col_offset))

    @property
    def called(self) -> Mapping[str, list[ast.Call]]:
        """The calls by the full names of what is called; "" has those without one."""
        return self._calls_by_name

    def torch_calls(self, *names: str) -> list[ast.Call]:
        """Return the calls of torch's things by the last part of their names."""
        return self.calls_of(*(name for name in self.called if _is_torchs(name, names)))

    def is_torch(self, node: ast.AST, *names: str) -> bool:
        """Whether an expression is one of torch's things, by the last part of its name."""
        return _is_torchs(self.name_of(node), names)

    @cached_property
    def methods(self) -> dict[str, list[ast.Call]]:
        """The calls of attributes (`model.eval()`), by the attribute's name."""
        found: dict[str, list[ast.Call]] = defaultdict(list)
        for call in self.calls:
            if isinstance(call.func, ast.Attribute):
                found[call.func.attr].append(call)
        return found

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Return what a node stands in."""
        return self._parents.get(node)

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield what a node stands in, the innermost first."""
        above = self._parents.get(node)
        while above is not None:
            yield above
            above = self._parents.get(above)

    def scope_of(self, node: ast.AST) -> Scope:
        """Return the function that a node stands in, or the module."""
        for above in self.ancestors(node):
            if isinstance(above, Function):
                return above
        return self.tree

    def is_inside(self, node: ast.AST, outer: ast.AST) -> bool:
        """Whether a node stands in another, however deep."""
        return any(above is outer for above in self.ancestors(node))

    def tests_around(self, node: ast.AST) -> Iterator[ast.expr]:
        """Yield the tests of the branches that a node stands in, the innermost first."""
        below = node
        for above in self.ancestors(node):
            if isinstance(above, ast.If | ast.IfExp) and below is not above.test:
                yield above.test
            below = above

    def branches_of(self, node: ast.AST) -> dict[ast.AST, str]:
        """Return the `if` and `match` statements around a node, and which branch it is in."""
        found: dict[ast.AST, str] = {}
        below = node
        for above in self.ancestors(node):
            if isinstance(above, ast.If) and below is not above.test:
                found[above] = "body" if below in above.body else "orelse"
            elif isinstance(above, ast.Match) and isinstance(below, ast.match_case):
                found[above] = str(above.cases.index(below))
            below = above
        return found

    @cached_property
    def functions(self) -> dict[str, Function]:
        """The module's own functions, by name."""
        both: list[Function] = [*self.nodes(ast.FunctionDef), *self.nodes(ast.AsyncFunctionDef)]
        return {node.name: node for node in both if self.parent(node) is self.tree}

    @cached_property
    def classes(self) -> dict[str, ast.ClassDef]:
        """The module's own classes, by name."""
        found = self.nodes(ast.ClassDef)
        return {node.name: node for node in found if self.parent(node) is self.tree}

    @cached_property
    def main_guards(self) -> list[ast.If]:
        """Each `if __name__ == "__main__":`."""
        return [node for node in self.nodes(ast.If) if asks_for_main(node.test)]

    def runs_at_import(self, node: ast.AST) -> bool:
        """Whether a node runs when the module is imported: in no function, under no guard."""
        below = node
        for above in self.ancestors(node):
            if isinstance(above, Function | ast.Lambda):
                return False
            if isinstance(above, ast.If) and above in self.main_guards and below in above.body:
                return False
            below = above
        return True

    @cached_property
    def _values(self) -> dict[tuple[ast.AST, str], list[ast.expr]]:
        found: dict[tuple[ast.AST, str], list[ast.expr]] = defaultdict(list)
        for node in self.nodes(ast.Assign):
            for target in node.targets:
                self._note(found, target, node.value)
        for annotated in self.nodes(ast.AnnAssign):
            if annotated.value is not None:
                self._note(found, annotated.target, annotated.value)
        for named in self.nodes(ast.NamedExpr):
            self._note(found, named.target, named.value)
        for with_item in self.nodes(ast.withitem):
            if with_item.optional_vars is not None:
                self._note(found, with_item.optional_vars, with_item.context_expr)
        return found

    def _note(
        self, found: dict[tuple[ast.AST, str], list[ast.expr]], target: ast.expr, value: ast.expr
    ) -> None:
        if isinstance(target, ast.Name):
            found[self.scope_of(target), target.id].append(value)
        elif isinstance(target, ast.Tuple | ast.List):
            for element in target.elts:
                self._note(found, element, value)

    def values_of(self, name: str, scope: Scope) -> list[ast.expr]:
        """Return what is assigned to a name in a function, or else in the module.

        Of `a, b = value` both names have the value.
        """
        return self._values.get((scope, name)) or self._values.get((self.tree, name)) or []

    def single_value(self, node: ast.Name) -> ast.expr | None:
        """Return what a name is assigned, if that happens once and it is no parameter."""
        scope = self.scope_of(node)
        if not isinstance(scope, ast.Module) and node.id in parameters(scope):
            return None
        values = self.values_of(node.id, scope)
        return values[0] if len(values) == 1 else None

    def is_in_memory(self, node: ast.expr | None) -> bool:
        """Whether what is written to or read from is no file that stays: a buffer, a temporary."""
        while isinstance(node, ast.Attribute):
            node = node.value
        if isinstance(node, ast.Name):
            values = self.values_of(node.id, self.scope_of(node))
            return any(self.is_in_memory(v) for v in values if isinstance(v, ast.Call))
        return isinstance(node, ast.Call) and self.name_of(node.func).rpartition(".")[2] in _BUFFERS

    def callers(self, function: Function) -> list[ast.Call]:
        """Return the module's own calls of one of its functions."""
        return [] if self.parent(function) is not self.tree else self.calls_of(function.name)

    def column(self, node: ast.AST) -> int:
        """Return a node's column from 1, in characters; Python counts bytes of UTF-8."""
        line = self.lines[node.lineno - 1] if hasattr(node, "lineno") else ""
        offset = getattr(node, "col_offset", 0)
        return len(line.encode()[:offset].decode("utf-8", "replace")) + 1


def _is_torchs(name: str, wanted: Collection[str]) -> bool:
    return name.startswith("torch.") and name.rpartition(".")[2] in wanted


def asks_for_main(test: ast.expr) -> bool:
    """Whether a test is a main guard's."""
    return any(
        isinstance(node, ast.Compare)
        and {"__name__", _MAIN} <= set(words_in(node))
        and isinstance(node.ops[0], ast.Eq)
        for node in ast.walk(test)
    )
