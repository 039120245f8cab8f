"""Numbers at the top of a script become hyperparameters: parameters of the functions that use them.

The constant stays where it is, as the default.
"""

from __future__ import annotations

import libcst as cst

from sagelet.upgrade.codemods.module_level import is_scalar
from sagelet.upgrade.dataflow import Dataflow
from sagelet.upgrade.edits import Edits, apply
from sagelet.upgrade.entry import Entry
from sagelet.upgrade.nodes import only, string_value
from sagelet.upgrade.passing import CannotPass, Passing, settled_parameters
from sagelet.upgrade.shapes import Script
from sagelet.upgrade.training_loop import training_functions


def pass_constants(script: Script) -> cst.Module:
    """Return a module whose functions get its constants as parameters."""
    module = script.module
    flow = Dataflow(script)
    entry = Entry(script, flow, training_functions(script))
    function = entry.function
    if function is None or entry.parsed is not None or function.node.params.posonly_params:
        return module
    if function.is_open or script.is_handed_on(function) or len(script.calls_to(function)) != 1:
        return module
    edits = Edits()
    found = {name: name.lower() for name in _constants(script, flow) if name.lower() != name}
    passing = Passing(script, entry, at_start=tuple(found.values()))
    for name, new in found.items():
        uses = _uses(script, flow, name)
        if new not in script.bound and uses and _reach_all(passing, uses, new):
            for use in uses:
                edits.replace(use, cst.Name(new))
    if edits.is_empty:
        return module
    passing.plan(edits)
    olds = {new: name for name, new in found.items()}
    added = [(new, olds[new]) for new in passing.parameters(function)]
    edits.change(function.node.params, lambda params: _with_defaults(params, added))
    return apply(script.module, edits)


def _reach_all(passing: Passing, uses: list[cst.Name], name: str) -> bool:
    try:
        passing.reach_all(uses, name)
    except CannotPass:
        return False
    return True


def _constants(script: Script, flow: Dataflow) -> list[str]:
    """Return the names that the module gives to one number each."""
    found = []
    for each in script.module.body:
        if not isinstance(each, cst.SimpleStatementLine):
            continue
        match only(each):
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))], value=value):
                is_number = is_scalar(script, value) and string_value(value) is None
                if is_number and len(flow.bindings(name, None)) == 1:
                    found.append(name)
            case _:
                pass
    changed = {item.name.value for each in script.all_of(cst.Global) for item in each.names}
    return [name for name in found if name not in changed]


def _uses(script: Script, flow: Dataflow, name: str) -> list[cst.Name]:
    """Return where functions read a name of the module's."""
    found = []
    for node in script.all_of(cst.Name):
        parent = script.parent(node)
        home = script.home(node)
        if node.value != name or home is None or flow.bindings(name, home):
            continue
        if isinstance(parent, cst.Attribute) and parent.attr is node:
            continue
        if isinstance(parent, cst.Arg) and parent.keyword is node:
            continue
        found.append(node)
    return found


def _with_defaults(params: cst.Parameters, added: list[tuple[str, str]]) -> cst.Parameters:
    equal = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    new = [cst.Param(cst.Name(name), default=cst.Name(old), equal=equal) for name, old in added]
    return params.with_changes(params=settled_parameters([*params.params], len(params.params), new))
