"""Where a value comes from: a name's one assignment, a parameter's arguments, a call's return."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from sagelet.upgrade.shapes import Function, Script, arguments

_DEPTH = 12
"""How many steps back are taken, so that a circle ends."""

Home = cst.FunctionDef | None


@dataclass(frozen=True, eq=False)
class Binding:
    """A name that is given a value: by which node, and which part of a tuple it is, if it is."""

    node: cst.CSTNode
    value: cst.BaseExpression | None
    place: int | None = None


class Dataflow:
    """Follows values back through a script, as far as that is certain."""

    def __init__(self, script: Script) -> None:
        """Look at a script."""
        self.script = script
        self._bindings: dict[Home, dict[str, list[Binding]]] = {}

    def bindings(self, name: str, home: Home) -> list[Binding]:
        """Return what gives a name its values in a function, or at the module's own level."""
        if home not in self._bindings:
            collected: dict[str, list[Binding]] = {}
            for found, binding in self._collect(home):
                collected.setdefault(found, []).append(binding)
            self._bindings[home] = collected
        return self._bindings[home].get(name, [])

    def _collect(self, home: Home) -> Iterator[tuple[str, Binding]]:
        script = self.script
        for node in script.inside(home or script.module):
            if script.home(node) is not home:
                continue
            match node:
                case cst.Assign(targets=targets, value=value):
                    for each in targets:
                        yield from _bound(each.target, node, value)
                case cst.AnnAssign(target=target, value=value) if value is not None:
                    yield from _bound(target, node, value)
                case cst.NamedExpr(target=target, value=value):
                    yield from _bound(target, node, value)
                case cst.AugAssign(target=target) | cst.For(target=target):
                    yield from _bound(target, node, None)
                case cst.AsName(name=target):
                    yield from _bound(target, node, None)
                case _:
                    pass

    def origin(self, node: cst.BaseExpression, depth: int = _DEPTH) -> cst.BaseExpression | None:
        """Return the expression that a value comes from; None where there may be several."""
        found = list(dict.fromkeys(self.origins(node, depth)))
        return found[0] if len(found) == 1 else None

    def origins(
        self, node: cst.BaseExpression, depth: int = _DEPTH
    ) -> Iterator[cst.BaseExpression]:
        """Yield the expressions that a value may come from: what is no name and no own call."""
        if depth == 0:
            return
        match node:
            case cst.Name(value=name):
                yield from self._of_name(node, name, depth - 1)
            case cst.Call() if (function := self.script.target(node)) and function.owner is None:
                returned = self._returned(function)
                if not returned:
                    yield node
                for each in returned:
                    yield from self.origins(each, depth - 1)
            case _:
                yield node

    def _of_name(self, node: cst.Name, name: str, depth: int) -> Iterator[cst.BaseExpression]:
        home = self.script.home(node)
        function = self.script.function_at(node)
        found = self._other_than_itself(name, home)
        if not found and function is not None and function.parameter(name) is not None:
            yield from self._of_parameter(function, name, depth)
            return
        if not found and home is not None:
            found = self._other_than_itself(name, None)
        if not found:
            yield node
        for binding in self._reaching(found, node):
            yield from self._of_binding(binding, node, depth)

    def _reaching(self, found: list[Binding], node: cst.Name) -> list[Binding]:
        """Keep of several bindings the last one before a name, if that is sure to be the one."""
        if len(found) < 2:
            return found
        script = self.script
        blocks = {script.parent(script.statement_of(each.node)) for each in found}
        (block, *others) = blocks
        if others or block is None or block not in script.above(node):
            return found
        before = [each for each in found if script.line(each.node) < script.line(node)]
        loops = [each for each in script.above(node) if isinstance(each, cst.For | cst.While)]
        if not before or any(block in script.inside(loop) for loop in loops):
            return found
        return [max(before, key=lambda each: script.line(each.node))]

    def _other_than_itself(self, name: str, home: Home) -> list[Binding]:
        """Return a name's bindings but those that only make it anew (`x = x.to(device)`)."""
        return [
            each
            for each in self.bindings(name, home)
            if not (each.value is not None and core_name(each.value) == name)
        ]

    def _of_binding(
        self, binding: Binding, node: cst.Name, depth: int
    ) -> Iterator[cst.BaseExpression]:
        value = binding.value
        if value is None:
            yield node
        elif binding.place is None:
            yield from self.origins(value, depth)
        elif isinstance(value, cst.Call) and (function := self.script.target(value)):
            for each in self._returned(function):
                if isinstance(each, cst.Tuple) and binding.place < len(each.elements):
                    yield from self.origins(each.elements[binding.place].value, depth)
                else:
                    yield node
        elif isinstance(value, cst.Tuple) and binding.place < len(value.elements):
            yield from self.origins(value.elements[binding.place].value, depth)
        else:
            yield node

    def _of_parameter(
        self, function: Function, name: str, depth: int
    ) -> Iterator[cst.BaseExpression]:
        parameter = function.parameter(name)
        assert parameter is not None
        calls = self.script.calls_to(function)
        if not calls or self.script.is_handed_on(function):
            yield parameter.name
            return
        for call in calls:
            given = arguments(call, function)
            if given is None:
                yield parameter.name
            elif name in given:
                yield from self.origins(given[name].value, depth)
            elif parameter.default is not None:
                yield from self.origins(parameter.default, depth)

    def _returned(self, function: Function) -> list[cst.BaseExpression]:
        return [
            each.value
            for each in self.script.all_of(cst.Return, function.node)
            if each.value is not None and self.script.home(each) is function.node
        ]


def _bound(
    target: cst.BaseExpression, node: cst.CSTNode, value: cst.BaseExpression | None
) -> Iterator[tuple[str, Binding]]:
    if isinstance(target, cst.Name):
        yield target.value, Binding(node, value)
    elif isinstance(target, cst.Tuple | cst.List):
        for place, element in enumerate(target.elements):
            for name, _inner in _bound(element.value, node, None):
                is_plain = isinstance(element.value, cst.Name)
                yield name, Binding(node, value if is_plain else None, place)


def core_name(node: cst.BaseExpression) -> str | None:
    """Return the name that an expression only passes through: `x` of `x.to(d)`, `wrap(x)`."""
    core = stripped(node)
    return core.value if isinstance(core, cst.Name) else None


_PASSED_BY_METHOD = frozenset({"to", "cuda", "cpu", "float", "double", "half", "train", "eval"})
_PASSED_BY_CALL = frozenset({"DataParallel", "compile", "DDP", "DistributedDataParallel"})


def stripped(node: cst.BaseExpression) -> cst.BaseExpression:
    """Return an expression without `.to(device)` and wrappers such as DataParallel."""
    while isinstance(node, cst.Call):
        match node.func:
            case cst.Attribute(value=value, attr=attr) if attr.value in _PASSED_BY_METHOD:
                node = value
            case cst.Attribute(attr=name) | (cst.Name() as name) if (
                name.value in _PASSED_BY_CALL and node.args
            ):
                node = node.args[0].value
            case _:
                return node
    return node
