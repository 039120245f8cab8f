"""What is saved is what serves: weights, with what the model was made from, and a `model_fn`."""

from __future__ import annotations

import re

import libcst as cst

from sagelet.upgrade.codemods.construction import Construction, NotRebuilt, construction
from sagelet.upgrade.codemods.device import CHOSEN
from sagelet.upgrade.codemods.folders import Folders
from sagelet.upgrade.codemods.saves import Save, loads_of, saves_of
from sagelet.upgrade.codemods.serving import mapped
from sagelet.upgrade.nodes import argument, only
from sagelet.upgrade.passing import CannotPass
from sagelet.upgrade.snippets import expression, quoted, statement
from sagelet.upgrade.training_loop import is_distributed
from sagelet.upgrade.upgrading import Upgrading

MADE_OF = "hyperparameters"
_WRAPPERS = ("nn.DataParallel", "parallel.DistributedDataParallel")


def save_for_serving(work: Upgrading, folders: Folders, *, has_device: bool) -> None:
    """Save what makes the model again, and write the `model_fn` that does."""
    saves = saves_of(work)
    if "model_fn" in work.script.bound:
        return
    if not saves:
        _say_unseen(work)
        return
    try:
        served = _served(work, saves, folders)
        if served is None:
            return
        _refuse_prefixes(work, saves)
        made = construction(work)
        loads = loads_of(work, folders)
        _keep(work, saves, made, loads)
    except (NotRebuilt, CannotPass) as reason:
        node = reason.node if isinstance(reason, NotRebuilt) else saves[-1].call
        work.leave(
            "missing-model-fn",
            node,
            f"no `model_fn` is written: {reason}",
            "write one that makes the model and loads its weights",
        )
        return
    for load in loads:
        _load_again(work, load, saves, made, has_device=has_device)
    if made.extracted is not None:
        work.edits.define(made.extracted)
        work.edits.replace(made.call, expression(f"build_model(**{MADE_OF})"))
    _write_model_fn(work, served, made, folders.files[served.call], has_device=has_device)


def _say_unseen(work: Upgrading) -> None:
    saves = [call for call in work.script.calls if work.script.callee(call) == "torch.save"]
    if saves:
        work.leave(
            "missing-model-fn",
            saves[-1],
            "no `model_fn` is written: it is not seen which model is saved",
            "write one that makes the model and loads its weights",
        )


def _served(work: Upgrading, saves: list[Save], folders: Folders) -> Save | None:
    """Return the save that is to be served: the best one, or else the last."""
    named = [each for each in saves if each.call in folders.files]
    if not named:
        work.leave(
            "missing-model-fn",
            saves[-1].call,
            "no `model_fn` is written: the file's name is made at run time",
            "save the last model under a name of its own",
        )
        return None
    best = [each for each in named if "best" in folders.files[each.call]]
    return (best or named)[-1]


def _refuse_prefixes(work: Upgrading, saves: list[Save]) -> None:
    """Refuse a script that distributes already, and saves a wrapper: its keys say `module.`."""
    script = work.script
    if not is_distributed(script):
        return  # a wrapper that stood there has gone
    wrappers = {
        target.target.value
        for call in script.calls
        if script.callee(call).endswith(_WRAPPERS)
        for line in (only(script.statement_of(call)),)
        if isinstance(line, cst.Assign)
        for target in line.targets
        if isinstance(target.target, cst.Name)
    }
    for save in saves:
        code = script.code(work.flow.origin(save.saved) or save.saved)
        if any(re.search(rf"\b{name}\.state_dict\(", code) for name in wrappers):
            raise NotRebuilt(
                save.call,
                "what is saved is a wrapper's, whose keys begin with `module.`; save "
                "`.module.state_dict()`, and run this again",
            )


def _keep(work: Upgrading, saves: list[Save], made: Construction, loads: list[cst.Call]) -> None:
    """Save what the model was made from beside its weights."""
    script, edits = work.script, work.edits
    if any(each.is_whole for each in saves) and loads:
        raise NotRebuilt(loads[0], "the whole model is read back from its file")
    if made.values:
        if MADE_OF in script.bound:
            raise NotRebuilt(made.call, f"`{MADE_OF}` means something else here")
        home = script.home(made.call)
        work.passing.give(home, MADE_OF)
        for each in saves:
            work.passing.reach(each.call, MADE_OF)
        pairs = ", ".join(f'"{name}": {code}' for name, code in made.values.items())
        edits.before[script.statement_of(made.call)].append(statement(f"{MADE_OF} = {{{pairs}}}"))
        if made.extracted is None:
            edits.change(made.call, _from_mapping)
        work.did("missing-model-fn", "the hyperparameters of the model are saved with its weights")
    for each in saves:
        _save_with(work, each, made)


def _from_mapping(call: cst.Call) -> cst.Call:
    template = expression(f"f(**{MADE_OF})")
    assert isinstance(template, cst.Call)
    return call.with_changes(args=template.args, whitespace_before_args=cst.SimpleWhitespace(""))


def _save_with(work: Upgrading, save: Save, made: Construction) -> None:
    edits = work.edits
    if save.key is not None:
        if made.values:
            edits.change(save.saved, _with_entry)
        return
    if save.is_whole:
        edits.change(
            save.saved,
            lambda old: expression("x.state_dict()").with_changes(
                func=cst.Attribute(old, cst.Name("state_dict"))
            ),
        )
        work.did("whole-model-saved", "the weights are saved, not the pickled model")
    if made.values:
        edits.change(
            save.saved,
            lambda old: _mapping(old),
        )


def _mapping(weights: cst.BaseExpression) -> cst.BaseExpression:
    code = cst.Module(body=[]).code_for_node(weights)
    return expression(f'{{"{MADE_OF}": {MADE_OF}, "state_dict": {code}}}')


def _with_entry(node: cst.Dict) -> cst.Dict:
    new = expression(f'{{"{MADE_OF}": {MADE_OF}}}')
    assert isinstance(new, cst.Dict)
    first = node.elements[0]
    entry = new.elements[0].with_changes(
        comma=first.comma
        if isinstance(first.comma, cst.Comma)
        else cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    )
    return node.with_changes(elements=[entry, *node.elements])


def _load_again(
    work: Upgrading, load: cst.Call, saves: list[Save], made: Construction, *, has_device: bool
) -> None:
    if has_device and argument(load, 1, "map_location") is None:
        work.edits.change(load, mapped("device", only_weights=True))
        work.did("no-map-location", "weights are loaded onto the device that there is")
    if made.values and saves[-1].key is None:
        work.edits.change(
            load,
            lambda old: cst.Subscript(
                old, [cst.SubscriptElement(cst.Index(cst.SimpleString('"state_dict"')))]
            ),
        )


def _write_model_fn(
    work: Upgrading, save: Save, made: Construction, file: str, *, has_device: bool
) -> None:
    lines = ["def model_fn(model_dir):"]
    if not has_device:
        lines.append(f"    device = {CHOSEN}")
    path = f"os.path.join(model_dir, {quoted(file)})"
    load = f"torch.load({path}, map_location=device, weights_only=True)"
    key = save.key or ("state_dict" if made.values else None)
    if key is None:
        lines += [f"    model = {made.again}", f"    weights = {load}"]
        lines.append("    model.load_state_dict(weights)")
    else:
        lines += [f"    checkpoint = {load}", f"    model = {made.again}"]
        lines.append(f'    model.load_state_dict(checkpoint["{key}"])')
    lines.append("    return model.to(device).eval()")
    work.edits.define(statement("\n".join(lines)))
    work.edits.need("import os", "import torch")
    work.did("missing-model-fn", "`model_fn` makes the model again and loads its weights")
    work.did("no-eval", "the model serves in evaluation mode")
    work.did("no-map-location", "its weights are loaded onto the device that there is")
