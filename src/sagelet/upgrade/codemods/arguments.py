"""The start of the run: arguments from the training function's own parameters, and the folders."""

from __future__ import annotations

import re
from collections.abc import Callable

import libcst as cst

from sagelet.upgrade.codemods.folders import NAMES, Folders
from sagelet.upgrade.codemods.logs import CONFIGURE
from sagelet.upgrade.codemods.options import read_boolean, read_literal
from sagelet.upgrade.codemods.ranks import LEAVE, asked_at_start
from sagelet.upgrade.nodes import Statement, string_value
from sagelet.upgrade.passing import new_parameter, settled, settled_parameters
from sagelet.upgrade.shapes import Function, arguments
from sagelet.upgrade.snippets import expression, quoted, statement, statements
from sagelet.upgrade.upgrading import Upgrading

_NUMBER = re.compile(r"-?[\d_]+")
_REAL = re.compile(r"-?[\d_]*\.?[\d_]*(e[-+]?\d+)?", re.IGNORECASE)
_FOLDERS = {name: role for role, name in NAMES.items()}


def begin(work: Upgrading, folders: Folders, *, logs: bool, joins: bool) -> None:
    """Write what stands under the main guard: the log, the arguments, the ranks, the call."""
    block = work.entry.block
    if block is None:
        return
    start: list[Statement] = []
    if logs:
        start += statements(CONFIGURE)
    if work.entry.parsed is not None:
        _add_folders(work, folders)
    elif _writes_parser(work, folders):
        start += statements("args = parse_args()")
    if joins:
        start += statements("join_ranks()")
        work.edits.ends[block].extend(statements(LEAVE))
    start += asked_at_start(work)
    if start:
        work.edits.tops[block].extend(start)


def _add_folders(work: Upgrading, folders: Folders) -> None:
    """Add the folders to the arguments that the script reads already."""
    parsed = work.entry.parsed
    assert parsed is not None
    for name in work.passing.arrived:
        if parsed.add_of(name) is not None or not parsed.adds:
            continue
        last = parsed.adds[-1]
        assert isinstance(last.func, cst.Attribute)
        owner = work.script.code(last.func.value)
        option = _option(name, f"default={folders.variable(_FOLDERS[name])}")
        work.edits.after[work.script.statement_of(last)].extend(statements(f"{owner}.{option}"))


def _option(name: str, *rest: str) -> str:
    return f"add_argument({', '.join((chr(34) + '--' + name.replace('_', '-') + chr(34), *rest))})"


def _writes_parser(work: Upgrading, folders: Folders) -> bool:
    """Write `parse_args`, and call the training with what it returns; say whether that was done."""
    if {"parse_args", "args", "parser", "argparse"} & work.script.bound:
        return False
    entry = work.entry
    names = list(work.passing.arrived)
    read = _hyperparameters(work) if entry.function is not None else {}
    if not names and not read:
        return False
    lines = ["def parse_args():", "    parser = argparse.ArgumentParser()"]
    lines += [f"    parser.{_option(name, *rest)}" for name, rest in read.items()]
    lines += [
        f"    parser.{_option(name, f'default={folders.variable(_FOLDERS[name])}')}"
        for name in names
    ]
    if work.is_notebook:
        lines.append(
            "    # A notebook's kernel has arguments of its own, which are not meant here."
        )
        lines.append('    return parser.parse_args([] if "ipykernel" in sys.modules else None)')
        work.edits.need("import sys")
    else:
        lines.append("    return parser.parse_args()")
    work.edits.define(statement("\n".join(lines)))
    work.edits.need("import argparse")
    if names:
        work.edits.need("import os")
    if read:
        which = ", ".join(f"`--{name.replace('_', '-')}`" for name in read)
        work.did("no-arguments", f"hyperparameters are arguments: {which}")
    if entry.function is not None:
        _call_with(work, entry.function, read, folders)
    return True


def _hyperparameters(work: Upgrading) -> dict[str, list[str]]:
    """Return the arguments to add for the parameters of the function that the run starts with."""
    function, call = work.entry.function, work.entry.call
    assert function is not None
    assert call is not None
    given = arguments(call, function)
    if given is None or function.node.params.posonly_params:
        work.leave("no-arguments", call, "with which arguments it is called is not seen")
        return {}
    found = {}
    for parameter in function.parameters:
        name = parameter.name.value
        value = given[name].value if name in given else parameter.default
        if value is None:
            continue
        options = _options(work, parameter, value)
        if options is not None:
            found[name] = options
        elif name not in given:
            work.leave(
                "no-arguments",
                parameter.name,
                f"`{name}` is no argument: its default is no plain value",
            )
    return found


def _options(work: Upgrading, parameter: cst.Param, value: cst.BaseExpression) -> list[str] | None:
    """Return what an argument says beside its name; None for what is no number, text or list."""
    code = work.script.code(value)
    if parameter.default is value and parameter in work.path_defaults:
        return [f"default={work.path_defaults[parameter]}"]
    if value in work.edits.made:
        return None  # a path, which is on its way already
    literal = work.flow.origin(value) or value
    kind = _kind_by_annotation(work, parameter) or _kind(literal, work.script.code(literal))
    if kind is None:
        return None
    if kind == "" and code == "None" and parameter.annotation is None:
        name = parameter.name.value
        work.leave(
            "missing-type",
            parameter.name,
            f"`--{name.replace('_', '-')}` is read as text: None does not tell its type",
            f"say it: `{name}: float | None = None`",
        )
    if kind == "bool":
        kind = read_boolean(work)
    elif kind == "list":
        kind = read_literal(work)
    return [*([f"type={kind}"] if kind else []), f"default={code}"]


def _kind_by_annotation(work: Upgrading, parameter: cst.Param) -> str | None:
    if parameter.annotation is None:
        return None
    said = work.script.code(parameter.annotation.annotation).replace(" ", "").strip("'\"")
    said = re.sub(r"^(typing\.)?Optional\[(.*)\]$", r"\2", said)
    said = re.sub(r"\|None$|^None\|", "", said)
    if said in ("int", "float", "bool"):
        return said
    if re.match(r"(typing\.)?(list|dict|tuple|sequence|mapping)\b", said, re.IGNORECASE):
        return "list"
    return "" if said == "str" else None


def _kind(value: cst.BaseExpression, code: str) -> str | None:
    """Return the type of a literal: `int`, `float`, `bool`, `list`, nothing for text; else None."""
    if code in ("True", "False"):
        return "bool"
    if _NUMBER.fullmatch(code):
        return "int"
    if code and _REAL.fullmatch(code):
        return "float"
    if string_value(value) is not None or code == "None":
        return ""
    if isinstance(value, cst.List | cst.Dict | cst.Tuple) and not _has_names(value):
        return "list"
    return None


def _has_names(node: cst.CSTNode) -> bool:
    pending = [node]
    while pending:
        each = pending.pop()
        if isinstance(each, cst.Name) and each.value not in ("True", "False", "None"):
            return True
        pending.extend(each.children)
    return False


def _call_with(
    work: Upgrading, function: Function, read: dict[str, list[str]], folders: Folders
) -> None:
    """Call the training function with what was read; its defaults stand in the parser then."""
    call = work.entry.call
    assert call is not None
    new = [each for each in work.passing.parameters(function)]
    given = arguments(call, function) or {}
    kept = {name: arg for name, arg in given.items() if name not in read}
    arrived = set(work.passing.arrived)
    everything = not kept and arrived <= set(new)
    is_called_once = len(work.script.calls_to(function)) == 1
    edits = work.edits

    def make(old: cst.Call) -> cst.Call:
        if everything:
            return old.with_changes(
                args=_parsed_args("f(**vars(args))"),
                whitespace_before_args=cst.SimpleWhitespace(""),
            )
        args = [arg for arg, was in zip(old.args, call.args, strict=True) if was in kept.values()]
        for name in [*read, *new]:
            args.extend(_parsed_args(f"f({name}=args.{name})"))
        return old.with_changes(args=settled(args))

    if (
        everything
        or all(arg.keyword is not None for arg in kept.values())
        or _are_first(call, kept)
    ):
        edits.change(call, make)
        added = [new_parameter(function, name) for name in new]
        drop = is_called_once and not work.is_notebook
        if work.is_notebook:  # whose person calls it by hand, too
            added = [_with_default(each, folders) for each in added]
        edits.change(function.node.params, _without_defaults(function, read, added, drop=drop))


def _are_first(call: cst.Call, kept: dict[str, cst.Arg]) -> bool:
    return all(arg in kept.values() for arg in call.args[: len(kept)])


def _parsed_args(code: str) -> list[cst.Arg]:
    call = expression(code)
    assert isinstance(call, cst.Call)
    return list(call.args)


def _with_default(parameter: cst.Param, folders: Folders) -> cst.Param:
    role = _FOLDERS[parameter.name.value]
    equal = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    default = cst.SimpleString(quoted(folders.defaults.get(role, ".")))
    return parameter.with_changes(default=default, equal=equal)


def _without_defaults(
    function: Function, read: dict[str, list[str]], added: list[cst.Param], *, drop: bool
) -> Callable[[cst.Parameters], cst.Parameters]:
    """Return what takes the defaults that the parser has now, and adds parameters."""
    # A default may go only where none stays before it.
    droppable = drop and all(
        each.default is None or each.name.value in read for each in function.node.params.params
    )

    def bare(each: cst.Param) -> cst.Param:
        if droppable and each.name.value in read:
            return each.with_changes(default=None, equal=cst.MaybeSentinel.DEFAULT)
        return each

    def make(params: cst.Parameters) -> cst.Parameters:
        found = [bare(each) for each in params.params]
        have_defaults = any(each.default is not None for each in added)
        at = len(found) if have_defaults else sum(1 for each in found if each.default is None)
        return params.with_changes(
            params=settled_parameters(found, at, added),
            kwonly_params=[bare(each) for each in params.kwonly_params],
        )

    return make
