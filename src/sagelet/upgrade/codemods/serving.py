"""A `model_fn` that is there already: loads onto the device that there is, and evaluates."""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from sagelet.upgrade.dataflow import stripped
from sagelet.upgrade.nodes import argument
from sagelet.upgrade.passing import settled
from sagelet.upgrade.shapes import Function
from sagelet.upgrade.snippets import expression
from sagelet.upgrade.upgrading import Upgrading


def mend_model_fn(work: Upgrading) -> None:
    """Mend what serves the model."""
    function = work.script.functions.get("model_fn")
    if function is None or function.owner is not None:
        return
    _map(work, function)
    _evaluate(work, function)


def _map(work: Upgrading, function: Function) -> None:
    script = work.script
    known = work.flow.bindings("device", function.node) or work.flow.bindings("device", None)
    where = "device" if known else '"cpu"'
    for call in script.all_of(cst.Call, function.node):
        if script.callee(call) == "torch.load" and argument(call, 1, "map_location") is None:
            is_dict = _is_loaded(work, call)
            work.edits.change(call, mapped(where, only_weights=is_dict))
            work.did("no-map-location", "weights are loaded onto the device that there is")


def _is_loaded(work: Upgrading, call: cst.Call) -> bool:
    """Whether what a call reads is loaded into a model at once."""
    outer = work.script.parent(work.script.parent(call) or call)
    match outer:
        case cst.Call(func=cst.Attribute(attr=cst.Name("load_state_dict"))):
            return True
        case _:
            return False


def mapped(where: str, *, only_weights: bool) -> Callable[[cst.Call], cst.Call]:
    """Return what makes a call of `torch.load` say where its tensors go."""

    def make(call: cst.Call) -> cst.Call:
        said = argument(call, None, "weights_only") is not None
        added = ", weights_only=True" if only_weights and not said else ""
        template = expression(f"f(map_location={where}{added})")
        assert isinstance(template, cst.Call)
        return call.with_changes(args=settled([call.args[0], *template.args, *call.args[1:]]))

    return make


def _evaluate(work: Upgrading, function: Function) -> None:
    script = work.script
    if any(
        isinstance(call.func, cst.Attribute) and call.func.attr.value == "eval"
        for call in script.all_of(cst.Call, function.node)
    ):
        return
    for each in script.all_of(cst.Return, function.node):
        if each.value is None or script.home(each) is not function.node:
            continue
        if not _loads_into(work, function, stripped(each.value)):
            continue
        work.edits.wrap(each.value, lambda old: cst.Call(cst.Attribute(old, cst.Name("eval"))))
        work.did("no-eval", "the model serves in evaluation mode")


def _loads_into(work: Upgrading, function: Function, node: cst.BaseExpression) -> bool:
    """Whether an expression is what the function loads a state dict into."""
    return isinstance(node, cst.Name) and any(
        isinstance(call.func, cst.Attribute)
        and call.func.attr.value == "load_state_dict"
        and isinstance(call.func.value, cst.Name)
        and call.func.value.value == node.value
        for call in work.script.all_of(cst.Call, function.node)
    )
