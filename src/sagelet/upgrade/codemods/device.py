"""The model and the batches go to the GPU where there is one, and stay where they are else."""

from __future__ import annotations

import libcst as cst

from sagelet.upgrade.codemods.batches import moves_of_batches, to_device
from sagelet.upgrade.nodes import string_value
from sagelet.upgrade.snippets import expression
from sagelet.upgrade.upgrading import Upgrading

CHOSEN = 'torch.device("cuda" if torch.cuda.is_available() else "cpu")'
RULE = "nccl-on-cpu"


def choose_device(work: Upgrading) -> bool:
    """Let the script run with a GPU and without; say whether the module has a `device` then."""
    script = work.script
    if _mends_gpu_only(work):
        return _has_device(work)
    if "device" in script.bound or work.model is None or _moves_itself(work):
        return _has_device(work)
    moves = moves_of_batches(work)
    if moves is None:
        return False
    for move in moves:
        move()
    work.edits.wrap(work.model, to_device)
    for call in script.calls:
        match call.func:
            case cst.Attribute(value=value, attr=cst.Name("numpy")) if not _on_cpu(value):
                if not call.args:
                    work.edits.change(
                        value, lambda old: cst.Call(cst.Attribute(old, cst.Name("cpu")))
                    )
            case _:
                pass
    add_device(work)
    work.did("no-device", "the model and its batches go to the GPU where there is one")
    return True


def add_device(work: Upgrading) -> None:
    """Name the device at the module's own level."""
    line = f"device = {CHOSEN}"
    if line not in work.edits.constants:
        work.edits.constants.append(line)
    work.edits.need("import torch")


def _has_device(work: Upgrading) -> bool:
    """Whether `device` is a variable of the module's own level."""
    if any(each.startswith("device = ") for each in work.edits.constants):
        return True
    return any(not work.script.in_guard(each.node) for each in work.flow.bindings("device", None))


def _on_cpu(node: cst.BaseExpression) -> bool:
    return (
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Attribute)
        and node.func.attr.value == "cpu"
    )


def _moves_itself(work: Upgrading) -> bool:
    """Whether the script says already where its tensors are."""
    script = work.script
    if any(script.meaning(each).startswith("torch.cuda") for each in script.all_of(cst.Attribute)):
        return True
    return any(
        isinstance(call.func, cst.Attribute)
        and call.func.attr.value in ("to", "cuda")
        and not _is_dtype(work, call)
        for call in script.calls
    )


def _is_dtype(work: Upgrading, call: cst.Call) -> bool:
    return bool(call.args) and work.script.meaning(call.args[0].value).startswith("torch.")


def _mends_gpu_only(work: Upgrading) -> bool:
    """Make `.cuda()` and `device = "cuda"` conditional; say whether there was any."""
    script, edits = work.script, work.edits
    found = False
    for call in script.calls:
        if script.callee(call) == "torch.device" and call.args:
            text = string_value(call.args[0].value)
            if text in ("cuda", "cuda:0") and not _is_conditional(work, call):
                edits.replace(call, expression(CHOSEN))
                found = True
    plain = [call for call in script.calls if _is_plain_cuda(call)]
    can_name = "device" not in script.bound
    known = _has_device(work)
    if plain and (can_name or known) and not any(_is_conditional(work, each) for each in plain):
        for call in plain:
            edits.change(call, _from_cuda)
        if can_name:
            add_device(work)
        found = True
    if found:
        work.did(RULE, "what needed a GPU uses one where there is one")
    return found


def _is_plain_cuda(call: cst.Call) -> bool:
    """Whether a call is `x.cuda()`."""
    return (
        isinstance(call.func, cst.Attribute)
        and call.func.attr.value == "cuda"
        and all(
            arg.keyword is not None and arg.keyword.value == "non_blocking" for arg in call.args
        )
    )


def _from_cuda(call: cst.Call) -> cst.Call:
    assert isinstance(call.func, cst.Attribute)
    args = [cst.Arg(cst.Name("device")), *call.args]
    if len(args) > 1:
        args[0] = args[0].with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))
    return call.with_changes(func=call.func.with_changes(attr=cst.Name("to")), args=args)


def _is_conditional(work: Upgrading, node: cst.CSTNode) -> bool:
    """Whether a node counts only where `torch.cuda.is_available()`, or a flag, says so."""
    for each in work.script.above(node):
        if isinstance(each, cst.If | cst.IfExp):
            test = work.script.code(each.test)
            if "cuda" in test or "gpu" in test.lower():
                return True
        if isinstance(each, cst.FunctionDef):
            break
    return False
