"""How a script starts: its main guard, the function that it calls, the arguments it reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import libcst as cst
from libcst import matchers as m

from sagelet.upgrade.dataflow import Dataflow
from sagelet.upgrade.nodes import argument, string_value
from sagelet.upgrade.shapes import MAIN_GUARD, Function, Script

_PARSES = ("parse_args", "parse_known_args")


@dataclass(frozen=True, eq=False)
class Parsed:
    """Arguments that a script reads with argparse: the call that reads them, and their list."""

    call: cst.Call
    adds: tuple[cst.Call, ...]

    def add_of(self, name: str) -> cst.Call | None:
        """Return the call that adds the argument of a name."""
        return next((each for each in self.adds if destination(each) == name), None)


def destination(add: cst.Call) -> str:
    """Return the name under which an argument's value is found."""
    named = argument(add, None, "dest")
    if named is not None:
        return string_value(named.value) or ""
    names = [string_value(arg.value) or "" for arg in add.args if arg.keyword is None]
    long = [name for name in names if name.startswith("--")] or names[:1]
    return long[0].lstrip("-").replace("-", "_") if long else ""


class Entry:
    """The beginning of a script's run."""

    def __init__(self, script: Script, flow: Dataflow, training: set[Function]) -> None:
        """Look at a script; `training` are the functions that train."""
        self._script = script
        self._flow = flow
        self._training = training

    @cached_property
    def blocks(self) -> tuple[cst.If, ...]:
        """The main guards: a script has one, a notebook may have one in each cell."""
        return tuple(
            each
            for each in self._script.module.body
            if isinstance(each, cst.If) and m.matches(each, MAIN_GUARD)
        )

    @cached_property
    def call(self) -> cst.Call | None:
        """The call, under the guard, of the function that trains; or else of the last one."""
        calls = [
            call
            for block in self.blocks
            for call in self._script.all_of(cst.Call, block.body)
            if (target := self._script.target(call)) is not None and target.owner is None
        ]
        training = [call for call in calls if self._script.target(call) in self._training]
        found = training or calls[-1:]
        return found[0] if len(found) == 1 else None

    @cached_property
    def function(self) -> Function | None:
        """The function that is called."""
        return None if self.call is None else self._script.target(self.call)

    @cached_property
    def block(self) -> cst.If | None:
        """The guard that the training starts in."""
        if self.call is not None:
            around = set(self._script.above(self.call))
            return next((each for each in self.blocks if each in around), None)
        return self.blocks[-1] if self.blocks else None

    @cached_property
    def parsed(self) -> Parsed | None:
        """The arguments that the script reads already."""
        calls = [
            call
            for call in self._script.calls
            if isinstance(call.func, cst.Attribute) and call.func.attr.value in _PARSES
        ]
        if not calls:
            return None
        adds = tuple(
            call
            for call in self._script.calls
            if isinstance(call.func, cst.Attribute) and call.func.attr.value == "add_argument"
        )
        return Parsed(calls[0], adds)

    def namespace(self, home: cst.FunctionDef | None) -> str | None:
        """Return the name that the arguments have in a function, if it has them."""
        return next(self._namespaces(home), None)

    def _namespaces(self, home: cst.FunctionDef | None) -> Iterator[str]:
        if self.parsed is None:
            return
        inside = home if home is not None else self._script.module
        for name in self._script.all_of(cst.Name, inside):
            if self._script.home(name) is home and self.is_namespace(name):
                yield name.value

    def is_namespace(self, node: cst.BaseExpression) -> bool:
        """Whether an expression is what argparse has read."""
        if self.parsed is None or not isinstance(node, cst.Name):
            return False
        parent = self._script.parent(node)
        if isinstance(parent, cst.Attribute) and parent.attr is node:
            return False
        if isinstance(parent, cst.Arg) and parent.keyword is node:
            return False
        if isinstance(parent, cst.FunctionDef | cst.ClassDef):
            return False
        return any(each is self.parsed.call for each in self._flow.origins(node))
