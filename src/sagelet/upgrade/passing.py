"""Values that a function needs and its callers have: passed as parameters, from the start on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import libcst as cst

from sagelet.upgrade.edits import Edits
from sagelet.upgrade.entry import Entry
from sagelet.upgrade.shapes import Function, Script
from sagelet.upgrade.snippets import expression

FOLDERS = ("data_dir", "model_dir", "output_data_dir")
"""The names that a run begins with, beside its hyperparameters."""


class CannotPass(Exception):
    """Why a value does not get to where it is needed."""


@dataclass
class _Wanted:
    """What is added to the script: parameters of functions, arguments of calls."""

    parameters: dict[Function, list[str]] = field(default_factory=dict)
    arguments: dict[cst.Call, list[tuple[Function, str, str]]] = field(default_factory=dict)
    arrived: list[str] = field(default_factory=list)


class Passing:
    """Brings values to the functions that need them."""

    def __init__(self, script: Script, entry: Entry, at_start: Collection[str] = FOLDERS) -> None:
        """Know how the script starts, and which names are at hand there."""
        self._script = script
        self._entry = entry
        self._at_hand = at_start
        self._wanted = _Wanted()
        self._given: set[tuple[cst.FunctionDef | None, str]] = set()

    def give(self, home: cst.FunctionDef | None, name: str) -> None:
        """Know that a function has a variable of its own by a name."""
        self._given.add((home, name))

    @property
    def arrived(self) -> tuple[str, ...]:
        """The names that the start of the script has to provide, in the order of their need."""
        return tuple(self._wanted.arrived)

    def parameters(self, function: Function) -> tuple[str, ...]:
        """Return the parameters that a function gets."""
        return tuple(self._wanted.parameters.get(function, ()))

    def reach(self, node: cst.CSTNode, name: str) -> str:
        """Return how a value is written at a node, and see to it that it gets there.

        Raises:
            CannotPass: not all callers of a function on the way are known.
        """
        return self.reach_all([node], name)[0]

    def reach_all(self, nodes: Sequence[cst.CSTNode], name: str) -> list[str]:
        """Return the same for several nodes: all of them, or none.

        Raises:
            CannotPass: not all callers of a function on the way are known.
        """
        before = self._copy()
        try:
            return [self._reach(node, name) for node in nodes]
        except CannotPass:
            self._wanted = before
            raise

    def _copy(self) -> _Wanted:
        wanted = self._wanted
        return _Wanted(
            {key: list(value) for key, value in wanted.parameters.items()},
            {key: list(value) for key, value in wanted.arguments.items()},
            list(wanted.arrived),
        )

    def _reach(self, node: cst.CSTNode, name: str) -> str:
        home = self._script.home(node)
        if (home, name) in self._given:
            return name
        if name in self._at_hand and (namespace := self._entry.namespace(home)) is not None:
            self._arrive(name)
            return f"{namespace}.{name}"
        if home is None:
            return self._at_start(node, name)
        function = self._script.function_at(node)
        if function is None:
            raise CannotPass("it is in a method")
        if name in self._wanted.parameters.get(function, ()):
            return name
        self._check(function, name)
        self._wanted.parameters.setdefault(function, []).append(name)
        if self._starts(function) and name in self._at_hand:
            self._arrive(name)
            return name
        for call in self._script.calls_to(function):
            value = self._reach(call, name)
            self._wanted.arguments.setdefault(call, []).append((function, name, value))
        return name

    def _starts(self, function: Function) -> bool:
        """Whether a function is given what is read at the start."""
        return function is self._entry.function and self._entry.parsed is None

    def _at_start(self, node: cst.CSTNode, name: str) -> str:
        if not self._script.in_guard(node) and not any(
            block in set(self._script.above(node)) for block in self._entry.blocks
        ):
            raise CannotPass("it is at the module's own level")
        if name not in self._at_hand:
            raise CannotPass(f"`{name}` is made elsewhere")
        if self._entry.parsed is not None:
            raise CannotPass("the arguments are not at hand")
        if "args" in self._script.bound:
            raise CannotPass("`args` means something else here")
        self._arrive(name)
        return f"args.{name}"

    def _arrive(self, name: str) -> None:
        if name not in self._wanted.arrived:
            self._wanted.arrived.append(name)

    def _check(self, function: Function, name: str) -> None:
        known = {
            each.value
            for each in self._script.all_of(cst.Name, function.node)
            if not self._script.is_label(each)
        }
        if function.parameter(name) is not None or name in known:
            raise CannotPass(f"`{name}` means something else in `{function.name}`")
        calls = self._script.calls_to(function)
        if not calls or self._script.is_handed_on(function) or function.is_open:
            raise CannotPass(f"not every call of `{function.name}` is seen")
        if function.node.params.posonly_params or any(
            arg.star for call in calls for arg in call.args
        ):
            raise CannotPass(f"`{function.name}` is called with arguments that are not seen")

    def plan(self, edits: Edits) -> None:
        """Ask for the parameters and arguments; the start's own function is left to others."""
        for function, names in self._wanted.parameters.items():
            if self._starts(function):
                continue
            edits.change(function.node.params, _adding(function, names))
        for call, added in self._wanted.arguments.items():
            edits.change(call, _giving(added))


def _adding(function: Function, names: list[str]) -> Callable[[cst.Parameters], cst.Parameters]:
    at = place_of_new(function)

    def make(params: cst.Parameters) -> cst.Parameters:
        new = [new_parameter(function, name) for name in names]
        return params.with_changes(params=[*params.params[:at], *new, *params.params[at:]])

    return make


def new_parameter(function: Function, name: str) -> cst.Param:
    """Return a parameter, annotated where the function's others are."""
    if name not in FOLDERS or not function.parameters:
        return cst.Param(cst.Name(name))
    if any(each.annotation is None for each in function.parameters):
        return cst.Param(cst.Name(name))
    return cst.Param(cst.Name(name), cst.Annotation(cst.Name("str")))


def place_of_new(function: Function) -> int:
    """Return where a parameter without a default may be added."""
    params = function.node.params.params
    return sum(1 for each in params if each.default is None)


def _giving(added: list[tuple[Function, str, str]]) -> Callable[[cst.Call], cst.Call]:
    def make(call: cst.Call) -> cst.Call:
        args = list(call.args)
        for index, (function, name, value) in enumerate(added):
            at = place_of_new(function) - (1 if function.owner is not None else 0) + index
            plain = sum(1 for each in args if each.keyword is None)
            if plain >= at and all(each.keyword is None for each in args[:at]):
                args.insert(at, cst.Arg(expression(value)))
            else:
                keyword = cst.Arg(
                    expression(value),
                    keyword=cst.Name(name),
                    equal=cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace("")),
                )
                args.append(keyword)
        return call.with_changes(args=settled(args))

    return make


def settled(args: list[cst.Arg]) -> list[cst.Arg]:
    """Return arguments with commas between them, and none behind the last but where it was."""
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    return [
        arg
        if isinstance(arg.comma, cst.Comma) or index == len(args) - 1
        else arg.with_changes(comma=comma)
        for index, arg in enumerate(args)
    ]


def settled_parameters(found: list[cst.Param], at: int, added: list[cst.Param]) -> list[cst.Param]:
    """Put parameters among others, on lines of their own where the others are."""
    if not added:
        return found
    style = next(
        (each.comma for each in found if isinstance(each.comma, cst.Comma)),
        cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")),
    )
    every = [*found[:at], *added, *found[at:]]
    last = found[-1].comma if found else cst.MaybeSentinel.DEFAULT
    plain = _plain(style)
    out = []
    for index, each in enumerate(every):
        if index == len(every) - 1:
            out.append(each.with_changes(comma=last))
        elif each in added or not isinstance(each.comma, cst.Comma) or each is found[-1]:
            keep = each.comma if each is found[-1] and isinstance(each.comma, cst.Comma) else None
            out.append(each.with_changes(comma=_continued(keep, plain)))
        else:
            out.append(each)
    return out


def _plain(comma: cst.Comma) -> cst.Comma:
    """Return a comma without the comment behind it."""
    after = comma.whitespace_after
    if isinstance(after, cst.ParenthesizedWhitespace):
        return comma.with_changes(
            whitespace_after=after.with_changes(first_line=cst.TrailingWhitespace(), empty_lines=[])
        )
    return comma


def _continued(last: cst.Comma | None, plain: cst.Comma) -> cst.Comma:
    """Return the comma of what was last, with its comment, as one that others follow."""
    after = last.whitespace_after if last is not None else None
    inner = plain.whitespace_after
    if isinstance(after, cst.ParenthesizedWhitespace) and isinstance(
        inner, cst.ParenthesizedWhitespace
    ):
        return plain.with_changes(whitespace_after=inner.with_changes(first_line=after.first_line))
    return plain
