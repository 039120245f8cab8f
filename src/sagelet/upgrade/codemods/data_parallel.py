"""DataParallel goes: DistributedDataParallel takes its place, and saved keys have no `module.`."""

from __future__ import annotations

import libcst as cst

from sagelet.upgrade.dataflow import stripped
from sagelet.upgrade.nodes import Statement, only
from sagelet.upgrade.training_loop import is_distributed
from sagelet.upgrade.upgrading import Upgrading

RULE = "data-parallel-for-keys"
_CLASS = "torch.nn.DataParallel"


def replace_data_parallel(work: Upgrading) -> None:
    """Take DataParallel out of the script."""
    script, edits = work.script, work.edits
    wrapped = [call for call in script.calls if script.callee(call).endswith(_CLASS) and call.args]
    if not wrapped or work.model is None or is_distributed(script):
        return
    for call in wrapped:
        line = script.statement_of(call)
        block = _only_wrapping(work, line)
        if block is not None:
            edits.removed.add(block)
        elif _wraps_itself(line):
            edits.removed.add(line)
        else:
            edits.change(call, lambda old: old.args[0].value)
    for node in script.all_of(cst.IfExp):
        if "DataParallel" in script.code(node.test):
            edits.change(node, lambda old: old.orelse)
    for attribute in script.all_of(cst.Attribute):
        if attribute.attr.value == "module" and work.is_model(attribute.value):
            edits.change(attribute, lambda old: old.value)
    work.did(RULE, "DataParallel is gone: `torch_distributed` starts a process for each GPU")
    work.did("module-prefix", "the keys of what is saved do not begin with `module.`")


def _only_wrapping(work: Upgrading, line: Statement) -> cst.If | None:
    """Return the `if torch.cuda.device_count() > 1:` that holds nothing but the wrapping."""
    block = work.script.parent(line)
    holder = work.script.parent(block) if block is not None else None
    if not isinstance(holder, cst.If) or holder.orelse is not None:
        return None
    if "device_count" not in work.script.code(holder.test):
        return None
    inner = [each for each in holder.body.body if isinstance(each, Statement)]
    plain = all(_wraps_itself(each) or _only_prints(work, each) for each in inner)
    return holder if plain else None


def _wraps_itself(line: Statement) -> bool:
    """Whether a statement is `model = DataParallel(model)`."""
    match only(line):
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))], value=value):
            core = stripped(value)
            return isinstance(core, cst.Name) and core.value == name
        case _:
            return False


def _only_prints(work: Upgrading, line: Statement) -> bool:
    match only(line):
        case cst.Expr(value=cst.Call() as call):
            return work.script.callee(call) == "builtins.print"
        case _:
            return False
