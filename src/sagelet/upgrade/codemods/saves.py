"""The calls by which a script saves its model, and reads it back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

import libcst as cst

from sagelet.upgrade.codemods.folders import Folders
from sagelet.upgrade.file_calls import Role, file_calls
from sagelet.upgrade.nodes import string_value
from sagelet.upgrade.path_literals import path_text
from sagelet.upgrade.upgrading import Upgrading


@dataclass(frozen=True, eq=False)
class Save:
    """A call that saves the trained model.

    `key` is where its weights are in what is saved, if that is a dict; `is_whole` tells that the
    model itself is saved, by pickle.
    """

    call: cst.Call
    saved: cst.BaseExpression
    key: str | None = None
    is_whole: bool = False


def saves_of(work: Upgrading) -> list[Save]:
    """Return the calls that save the trained model."""
    found = []
    for call in work.script.calls:
        if work.script.callee(call) != "torch.save" or not call.args:
            continue
        saved = call.args[0].value
        looked = work.flow.origin(saved) or saved
        if _is_weights(work, looked):
            found.append(Save(call, saved))
        elif work.is_model(saved):
            found.append(Save(call, saved, is_whole=True))
        elif isinstance(looked, cst.Dict) and (key := _key_of_weights(work, looked)) is not None:
            found.append(Save(call, looked, key))
    return found


def _is_weights(work: Upgrading, node: cst.BaseExpression) -> bool:
    """Whether an expression is the model's state dict."""
    match node:
        case cst.Call(
            func=cst.Attribute(
                value=cst.Attribute(value=model, attr=cst.Name("module")),
                attr=cst.Name("state_dict"),
            )
        ):
            return work.is_model(model)
        case cst.Call(func=cst.Attribute(value=model, attr=cst.Name("state_dict"))):
            return work.is_model(model)
        case cst.IfExp(body=body, orelse=orelse):
            return _is_weights(work, body) and _is_weights(work, orelse)
        case _:
            return False


def _key_of_weights(work: Upgrading, node: cst.Dict) -> str | None:
    for each in node.elements:
        if isinstance(each, cst.DictElement) and _is_weights(work, each.value):
            return string_value(each.key)
    return None


def loads_of(work: Upgrading, folders: Folders) -> list[cst.Call]:
    """Return the calls that read back what the script has saved."""
    names = {PurePath(each).name for each in folders.files.values()}
    found = []
    for each in file_calls(work.script):
        if work.script.callee(each.call) != "torch.load" or each.role is not Role.DATA:
            continue
        text = path_text(work, each.path)
        if text is not None and PurePath(text).name in names:
            found.append(each.call)
    return found
