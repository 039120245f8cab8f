"""What a script is made of: its functions and classes, who calls them, and what its names mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import libcst as cst
from libcst import matchers as m
from libcst.metadata import (
    MetadataWrapper,
    ParentNodeProvider,
    PositionProvider,
    QualifiedName,
    QualifiedNameProvider,
    QualifiedNameSource,
)

from sagelet.upgrade.nodes import Statement, imported_names

N = TypeVar("N", bound=cst.CSTNode)

MAIN_GUARD = m.If(
    test=m.Comparison(
        left=m.Name("__name__"),
        comparisons=[
            m.ComparisonTarget(
                operator=m.Equal(), comparator=m.SimpleString(m.MatchRegex(r"['\"]__main__['\"]"))
            )
        ],
    )
)


@dataclass(frozen=True, eq=False)
class Function:
    """A function of the module's own level, or a class by its `__init__`, as it is called."""

    name: str
    node: cst.FunctionDef
    owner: cst.ClassDef | None = None

    @property
    def parameters(self) -> tuple[cst.Param, ...]:
        """Its parameters by place or name, without `self`; those of the keyword only kind last."""
        every = (*self.node.params.posonly_params, *self.node.params.params)
        given = every[1:] if self.owner is not None else every
        return (*given, *self.node.params.kwonly_params)

    @property
    def is_open(self) -> bool:
        """Whether it takes any arguments (`*args`, `**kwargs`)."""
        params = self.node.params
        return isinstance(params.star_arg, cst.Param) or params.star_kwarg is not None

    def parameter(self, name: str) -> cst.Param | None:
        """Return a parameter by its name."""
        return next((each for each in self.parameters if each.name.value == name), None)


class Script:
    """A parsed script, and what can be said of its nodes."""

    def __init__(self, module: cst.Module) -> None:
        """Look at a module; `module` of the result is the tree to speak of."""
        self._wrapper = MetadataWrapper(module)
        self.module = self._wrapper.module
        self._inside: dict[cst.CSTNode, list[cst.CSTNode]] = {}

    @cached_property
    def _metadata(self) -> Mapping[Any, Mapping[cst.CSTNode, Any]]:
        return self._wrapper.resolve_many(
            [ParentNodeProvider, PositionProvider, QualifiedNameProvider]
        )

    @property
    def _parents(self) -> Mapping[cst.CSTNode, cst.CSTNode]:
        return self._metadata[ParentNodeProvider]

    @property
    def _names(self) -> Mapping[cst.CSTNode, Any]:
        return self._metadata[QualifiedNameProvider]

    @property
    def _positions(self) -> Mapping[cst.CSTNode, Any]:
        return self._metadata[PositionProvider]

    @cached_property
    def classes(self) -> dict[str, cst.ClassDef]:
        """The classes of the module's own level."""
        return {
            each.name.value: each for each in self.module.body if isinstance(each, cst.ClassDef)
        }

    @cached_property
    def functions(self) -> dict[str, Function]:
        """What can be called by name: functions, and classes with an `__init__`."""
        found = {}
        for each in self.module.body:
            if isinstance(each, cst.FunctionDef):
                found[each.name.value] = Function(each.name.value, each)
            elif isinstance(each, cst.ClassDef) and (init := _init_of(each)) is not None:
                found[each.name.value] = Function(each.name.value, init, each)
        return found

    @cached_property
    def guard(self) -> cst.If | None:
        """The block of `if __name__ == "__main__":`."""
        found = [each for each in self.module.body if m.matches(each, MAIN_GUARD)]
        return found[-1] if found and isinstance(found[-1], cst.If) else None

    @cached_property
    def calls(self) -> tuple[cst.Call, ...]:
        """Every call, in the order in which they stand."""
        return tuple(self.all_of(cst.Call))

    @cached_property
    def bound(self) -> frozenset[str]:
        """Every name that the script gives to something, anywhere."""
        names = set(self.imported)
        for node in self.all_of(cst.Name):
            if _is_binding(node, self.parent(node)):
                names.add(node.value)
        return frozenset(names)

    def all_of(self, kind: type[N], inside: cst.CSTNode | None = None) -> list[N]:
        """Return the nodes of a kind, inside a node or in the whole module."""
        return [each for each in self.inside(inside or self.module) if isinstance(each, kind)]

    def inside(self, node: cst.CSTNode) -> list[cst.CSTNode]:
        """Return a node and everything in it."""
        known = self._inside.get(node)
        if known is None:
            known = [node]
            for child in node.children:
                known.extend(self.inside(child))
            self._inside[node] = known
        return known

    def meaning(self, node: cst.CSTNode) -> str:
        """Return the dotted name of what is imported or built in, else nothing."""
        for name in self._qualified(node):
            if name.source is QualifiedNameSource.IMPORT:
                return name.name
            if name.source is QualifiedNameSource.BUILTIN:
                return name.name
        return ""

    def _qualified(self, node: cst.CSTNode) -> Sequence[QualifiedName]:
        found = self._names.get(node, ())
        names = found() if callable(found) else found
        return sorted(names or (), key=lambda name: name.name)

    def callee(self, call: cst.Call) -> str:
        """Return the dotted name of what a call calls, if that is imported or built in."""
        return self.meaning(call.func)

    def target(self, call: cst.Call) -> Function | None:
        """Return the script's own function that a call calls."""
        if isinstance(call.func, cst.Name) and not self.meaning(call.func):
            return self.functions.get(call.func.value)
        return None

    def calls_to(self, function: Function) -> list[cst.Call]:
        """Return the calls of a function by its name."""
        return [call for call in self.calls if self.target(call) is function]

    def is_handed_on(self, function: Function) -> bool:
        """Whether a function is used otherwise than by a call, so that its callers are unknown."""
        called = {call.func for call in self.calls_to(function)}
        own = function.owner or function.node
        return any(
            node not in called and self.parent(node) is not own
            for node in self.all_of(cst.Name)
            if node.value == function.name and not self.is_label(node)
        )

    def is_label(self, node: cst.Name) -> bool:
        """Whether a name is an attribute's or a keyword's, not a variable's."""
        parent = self.parent(node)
        if isinstance(parent, cst.Attribute):
            return parent.attr is node
        return isinstance(parent, cst.Arg) and parent.keyword is node

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """Return the node that holds a node."""
        return self._parents.get(node)

    def above(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """Yield the nodes that hold a node, from the nearest on."""
        parent = self.parent(node)
        while parent is not None:
            yield parent
            parent = self.parent(parent)

    def statement_of(self, node: cst.CSTNode) -> Statement:
        """Return the statement that a node is in, or is."""
        for each in (node, *self.above(node)):
            if isinstance(each, cst.SimpleStatementLine | cst.BaseCompoundStatement):
                return each
        raise LookupError(node)

    def home(self, node: cst.CSTNode) -> cst.FunctionDef | None:
        """Return the function that a node is in; None at the module's own level."""
        return next((each for each in self.above(node) if isinstance(each, cst.FunctionDef)), None)

    def function_at(self, node: cst.CSTNode) -> Function | None:
        """Return the function by name that a node is in, if it is in none within that."""
        home = self.home(node)
        return next((each for each in self.functions.values() if each.node is home), None)

    def in_guard(self, node: cst.CSTNode) -> bool:
        """Whether a node stands in the main guard."""
        return self.guard is not None and self.guard in self.above(node)

    def line(self, node: cst.CSTNode) -> int:
        """Return the line that a node begins on, from 1."""
        return int(self._positions[node].start.line)

    def code(self, node: cst.CSTNode) -> str:
        """Return a node as it is written."""
        return self.module.code_for_node(node)

    def alias(self, module: str) -> str | None:
        """Return the name under which a module or a member of one is imported."""
        return next((name for name, what in self.imported.items() if what == module), None)

    @cached_property
    def imported(self) -> dict[str, str]:
        """The names that imports of the module's own level bind, and what they stand for."""
        return imported_names(self.module)


def _init_of(node: cst.ClassDef) -> cst.FunctionDef | None:
    found = [
        each
        for each in node.body.body
        if isinstance(each, cst.FunctionDef) and each.name.value == "__init__"
    ]
    return found[-1] if found else None


def _is_binding(node: cst.Name, parent: cst.CSTNode | None) -> bool:
    match parent:
        case cst.AssignTarget() | cst.Param() | cst.FunctionDef() | cst.ClassDef() | cst.For():
            return True
        case cst.AnnAssign(target=target) | cst.NamedExpr(target=target):
            return target is node
        case cst.Element() | cst.CompFor() | cst.AsName() | cst.Global() | cst.NameItem():
            return True
        case _:
            return False


def arguments(call: cst.Call, function: Function) -> dict[str, cst.Arg] | None:
    """Return a call's arguments by their parameters' names; None where that cannot be told."""
    by_place = [*function.node.params.posonly_params, *function.node.params.params]
    names = [each.name.value for each in by_place][1 if function.owner is not None else 0 :]
    found: dict[str, cst.Arg] = {}
    for index, arg in enumerate(call.args):
        if arg.star:
            return None
        if arg.keyword is not None:
            found[arg.keyword.value] = arg
        elif index < len(names):
            found[names[index]] = arg
        else:
            return None
    return found
