"""The options that a script reads with argparse, as far as its text tells."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sagelet.upgrade.calls import argument, is_constant, keyword, text_of
from sagelet.upgrade.program import Program

_PARSE = ("parse_args", "parse_known_args")


@dataclass(frozen=True, slots=True)
class Option:
    """One `add_argument`: its names as written, and the call."""

    names: tuple[str, ...]
    call: ast.Call

    @property
    def is_positional(self) -> bool:
        """Whether it is given by its place."""
        return not self.names[0].startswith("-")

    @property
    def dest(self) -> str:
        """The attribute that its value becomes."""
        said = text_of(keyword(self.call, "dest"))
        if said is not None:
            return said
        long = next((name for name in self.names if name.startswith("--")), self.names[0])
        return long.lstrip("-").replace("-", "_")

    @property
    def shown(self) -> str:
        """Its longest name."""
        return max(self.names, key=len)

    @property
    def action(self) -> str:
        """What argparse does with it; "?" if that is no literal."""
        given = keyword(self.call, "action")
        return "store" if given is None else text_of(given) or "?"

    @property
    def is_required(self) -> bool:
        """Whether the script ends where it is not given."""
        if self.is_positional:
            given = keyword(self.call, "nargs")
            return given is None or (
                isinstance(given, ast.Constant) and given.value not in ("?", "*")
            )
        return is_constant(keyword(self.call, "required"), value=True)

    @property
    def default(self) -> ast.expr | None:
        """Its default, where one is written."""
        return keyword(self.call, "default")


@dataclass(frozen=True)
class Options:
    """All of a script's options. `is_open`: there may be more than are seen."""

    options: tuple[Option, ...] = ()
    parsing: tuple[ast.Call, ...] = ()
    is_open: bool = True
    abbreviates: bool = True
    parsed_names: frozenset[str] = field(default_factory=frozenset)

    @property
    def is_strict(self) -> bool:
        """Whether an option that is unknown ends the script."""
        return any(_method(call) == "parse_args" for call in self.parsing)

    def taking(self, hyperparameter: str) -> Option | None:
        """Return the option that takes a hyperparameter, by its name or its beginning."""
        dashes = "-" if len(hyperparameter) == 1 else "--"
        written = dashes + hyperparameter
        for option in self.options:
            if written in option.names:
                return option
        if not self.abbreviates or dashes == "-":
            return None
        near = [each for each in self.options if any(n.startswith(written) for n in each.names)]
        return near[0] if len(near) == 1 else None

    def by_dest(self, name: str) -> Option | None:
        """Return the option whose value is this attribute of the parsed arguments."""
        return next((option for option in self.options if option.dest == name), None)

    def is_parsed(self, node: ast.expr) -> bool:
        """Whether an expression is what parsing returned."""
        return isinstance(node, ast.Name) and node.id in self.parsed_names


def read_options(program: Program, *, has_others: bool) -> Options:
    """Return a script's options; `has_others` tells that modules of its own may add some."""
    parsers = program.calls_of("argparse.ArgumentParser")
    if not parsers:
        return Options()
    names = _assigned_names(program, parsers)
    options, is_open = _added(program)
    parsing = [call for name in _PARSE for call in program.methods[name]]
    handed_on = any(_is_handed_on(program, call, names) for call in program.calls)
    return Options(
        options=tuple(options),
        parsing=tuple(parsing),
        is_open=is_open
        or handed_on
        or bool(program.methods["add_subparsers"])
        or any(keyword(call, "parents") is not None for call in parsers)
        or (has_others and not parsing),
        abbreviates=not any(is_constant(keyword(p, "allow_abbrev"), value=False) for p in parsers),
        parsed_names=_parsed_names(program, parsing),
    )


def _added(program: Program) -> tuple[list[Option], bool]:
    """Return the options that are added, and whether some cannot be told."""
    found, is_open = [], False
    for call in _add_calls(program):
        names = [text_of(name) for name in call.args]
        if not names or None in names or any(each.arg is None for each in call.keywords):
            is_open = True
        told = tuple(name for name in names if name)
        if told:
            found.append(Option(told, call))
    return found, is_open


def _add_calls(program: Program) -> Iterator[ast.Call]:
    short = {
        target.id
        for assigned in program.nodes(ast.Assign)
        if isinstance(assigned.value, ast.Attribute) and assigned.value.attr == "add_argument"
        for target in assigned.targets
        if isinstance(target, ast.Name)
    }
    for call in program.calls:
        func = call.func
        is_method = isinstance(func, ast.Attribute) and func.attr == "add_argument"
        if is_method or (isinstance(func, ast.Name) and func.id in short):
            yield call


def _assigned_names(program: Program, calls: list[ast.Call]) -> frozenset[str]:
    return frozenset(
        target.id
        for call in calls
        if isinstance(assigned := program.parent(call), ast.Assign)
        for target in assigned.targets
        if isinstance(target, ast.Name)
    )


def _is_handed_on(program: Program, call: ast.Call, parsers: frozenset[str]) -> bool:
    """Whether a parser is given to a function that is not in this file."""
    given = any(isinstance(each, ast.Name) and each.id in parsers for each in call.args)
    if not given:
        return False
    return not (isinstance(call.func, ast.Name) and call.func.id in program.functions)


def _parsed_names(program: Program, parsing: list[ast.Call]) -> frozenset[str]:
    """Return the names that hold parsed arguments, in the function that parses or in others.

    A parameter counts where the module hands such a name to the function.
    """
    found: set[str] = set()
    for call in parsing:
        assigned = program.parent(call)
        if not isinstance(assigned, ast.Assign):
            continue
        for target in assigned.targets:
            first = target.elts[0] if isinstance(target, ast.Tuple) and target.elts else target
            if isinstance(first, ast.Name):
                found.add(first.id)
    for name, function in program.functions.items():
        if any(_returns(program, function, call) for call in parsing):
            found |= _assigned_names(program, program.calls_of(name))
    for name, function in program.functions.items():
        for call in program.calls_of(name):
            first_parameter = next(iter(function.args.args), None)
            given = argument(call, 0, first_parameter.arg if first_parameter else "")
            if (
                first_parameter
                and isinstance(given, ast.Name | ast.Call)
                and ((isinstance(given, ast.Name) and given.id in found) or given in parsing)
            ):
                found.add(first_parameter.arg)
    return frozenset(found)


def _returns(program: Program, function: ast.AST, call: ast.Call) -> bool:
    return isinstance(program.parent(call), ast.Return) and program.is_inside(call, function)


def _method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def defaults(options: Options) -> Mapping[str, ast.expr]:
    """Return the defaults that are written, by attribute."""
    return {each.dest: each.default for each in options.options if each.default is not None}
