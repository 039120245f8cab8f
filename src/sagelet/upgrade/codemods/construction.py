"""How a model is made, so that it can be made again: from what it was trained with."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from sagelet.upgrade.codemods.plainness import is_plain
from sagelet.upgrade.nodes import Statement
from sagelet.upgrade.shapes import Function, arguments
from sagelet.upgrade.snippets import statement
from sagelet.upgrade.upgrading import Upgrading

_DEPTH = 6


class NotRebuilt(Exception):
    """Why a model cannot be made again from what is saved."""

    def __init__(self, node: cst.CSTNode, why: str) -> None:
        """Take the node and one sentence."""
        super().__init__(why)
        self.node = node
        self.why = why


@dataclass(frozen=True, eq=False)
class Construction:
    """How a model is made: the call, the code that makes it again, and what that has to know.

    `values` are the arguments' names with their code, in the order of the call; empty where the
    call says everything itself. `extracted` is a function to add, which makes what was
    made in place.
    """

    call: cst.Call
    again: str
    values: dict[str, str]
    extracted: Statement | None = None


def construction(work: Upgrading) -> Construction:
    """Return how the trained model is made.

    Raises:
        NotRebuilt: its making is not seen through, or it is changed afterwards.
    """
    call = work.model
    if call is None:
        raise NotRebuilt(work.script.module, "it is not seen how the model is made")
    call = _outermost(work, call)
    _check_unchanged(work)
    if any(arg.star for arg in call.args):
        raise NotRebuilt(call, "the model's arguments are not seen")
    if _is_closed(work, call):
        return Construction(call, work.script.code(call), {})
    function = work.script.target(call)
    if function is not None:
        return _of_own(work, call, function)
    return _in_place(work, call)


def _outermost(work: Upgrading, call: cst.Call) -> cst.Call:
    """Return the call of the function that does nothing but to make and return the model."""
    for _ in range(_DEPTH):
        function = work.script.function_at(call)
        if function is None or function is work.entry.function or function.owner is not None:
            return call
        returns = work.script.all_of(cst.Return, function.node)
        calls = work.script.calls_to(function)
        made = [each.value for each in returns if each.value is not None]
        if len(made) != 1 or len(calls) != 1 or not work.is_model(made[0]):
            return call
        call = calls[0]
    return call


def _check_unchanged(work: Upgrading) -> None:
    for target in work.script.all_of(cst.AssignTarget):
        node = target.target
        if not isinstance(node, cst.Attribute):
            continue
        base: cst.BaseExpression = node
        while isinstance(base, cst.Attribute | cst.Subscript):
            base = base.value
        if isinstance(base, cst.Name) and base.value != "self" and work.is_model(base):
            if "weight" in work.script.code(node) or "bias" in work.script.code(node):
                continue
            raise NotRebuilt(node, f"`{work.script.code(node)}` is changed after the model is made")


def _is_closed(work: Upgrading, node: cst.BaseExpression) -> bool:
    """Whether an expression means the same at the module's own level, in a process that serves."""
    for name in work.script.all_of(cst.Name, node):
        parent = work.script.parent(name)
        if isinstance(parent, cst.Attribute) and parent.attr is name:
            continue
        if isinstance(parent, cst.Arg) and parent.keyword is name:
            continue
        if not _is_known_everywhere(work, name):
            return False
    return not work.script.all_of(cst.Lambda, node)


def _is_known_everywhere(work: Upgrading, name: cst.Name) -> bool:
    script = work.script
    if script.meaning(name):
        return True
    home = script.home(name)
    function = script.function_at(name)
    is_local = home is not None and (
        bool(work.flow.bindings(name.value, home))
        or (function is not None and function.parameter(name.value) is not None)
    )
    if is_local:
        return False
    if name.value in script.functions or name.value in script.classes:
        return True
    bindings = work.flow.bindings(name.value, None)
    return len(bindings) == 1 and not any(
        script.in_guard(each.node) or each.value is None or script.all_of(cst.Call, each.value)
        for each in bindings
    )


def _of_own(work: Upgrading, call: cst.Call, function: Function) -> Construction:
    given = arguments(call, function)
    if given is None:
        raise NotRebuilt(call, "the model's arguments are not seen")
    values = {}
    for name, arg in given.items():
        if not is_plain(work, arg.value):
            code = work.script.code(arg.value)
            raise NotRebuilt(arg, f"the model is made from `{code}`, which is no plain value")
        values[name] = work.script.code(arg.value)
    return Construction(call, f'{function.name}(**checkpoint["hyperparameters"])', values)


def _in_place(work: Upgrading, call: cst.Call) -> Construction:
    """Move what makes a model of other people's classes into a function."""
    script = work.script
    name = work.free_name("build_model", "make_model")
    if name is None:
        raise NotRebuilt(call, "the model is made in place")
    values: dict[str, str] = {}
    for each in script.all_of(cst.Name, call):
        parent = script.parent(each)
        if isinstance(parent, cst.Attribute) and parent.attr is each:
            continue
        if isinstance(parent, cst.Arg) and parent.keyword is each:
            continue
        if isinstance(parent, cst.Attribute) and work.entry.is_namespace(each):
            raise NotRebuilt(each, f"the model is made in place, from `{script.code(parent)}`")
        if _is_known_everywhere(work, each):
            continue
        if not is_plain(work, each):
            raise NotRebuilt(
                each, f"the model is made from `{each.value}`, which is no plain value"
            )
        values[each.value] = each.value
    extracted = _returning(name, list(values), call)
    return Construction(call, f'{name}(**checkpoint["hyperparameters"])', values, extracted)


def _returning(name: str, parameters: list[str], value: cst.BaseExpression) -> Statement:
    """Return a function that returns an expression, in the lines in which it is written."""
    empty = statement(f"def {name}({', '.join(parameters)}):\n    return None")
    assert isinstance(empty, cst.FunctionDef)
    line = empty.body.body[0]
    assert isinstance(line, cst.SimpleStatementLine)
    returned = line.with_changes(body=[line.body[0].with_changes(value=value)])
    return empty.with_changes(body=cst.IndentedBlock([returned]))
