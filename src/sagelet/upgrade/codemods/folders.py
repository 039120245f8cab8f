"""Paths of data, models and results: into the folders that SageMaker gives, or where they were."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import libcst as cst

from sagelet.upgrade.entry import destination
from sagelet.upgrade.file_calls import Role, file_calls
from sagelet.upgrade.passing import CannotPass, settled
from sagelet.upgrade.path_literals import Place, find_places, path_text
from sagelet.upgrade.snippets import expression, quoted
from sagelet.upgrade.upgrading import Upgrading

NAMES = {Role.DATA: "data_dir", Role.MODEL: "model_dir", Role.OUTPUT: "output_data_dir"}
VARIABLES = {
    Role.DATA: "SM_CHANNEL_TRAINING",
    Role.MODEL: "SM_MODEL_DIR",
    Role.OUTPUT: "SM_OUTPUT_DATA_DIR",
}
_RULES = {
    Role.DATA: "hard-coded-data-path",
    Role.MODEL: "hard-coded-output-path",
    Role.OUTPUT: "hard-coded-output-path",
}


@dataclass(frozen=True, eq=False)
class Folders:
    """The folders that a script's paths were in, by what they are for."""

    defaults: dict[Role, str]
    files: dict[cst.Call, str]
    """Names below the model's folder, by the calls that write them."""

    def variable(self, role: Role) -> str:
        """Return the code that reads SageMaker's variable, or says the folder of a plain run."""
        return f'os.environ.get("{VARIABLES[role]}", {quoted(self.defaults.get(role, "."))})'


def find_folders(work: Upgrading) -> Folders:
    """Put SageMaker's folders in place of those in the script's paths."""
    found = find_places(work, list(file_calls(work.script)))
    defaults: dict[Role, str] = {}
    files: dict[cst.Call, str] = {}
    for role in Role:
        literals = [each for each in found if each.role is role]
        if not literals:
            continue
        folder = _common(work, literals, role)
        if folder is None:
            continue
        defaults[role] = _spelling(literals, folder)
        for each in literals:
            _move(work, each, role, folder, Folders(defaults, files))
        if role is Role.MODEL:
            files |= _names_below(work, folder)
    return Folders(defaults, files)


def _names_below(work: Upgrading, folder: str) -> dict[cst.Call, str]:
    """Return the names of the files that are saved, below the model's folder."""
    found = {}
    for each in file_calls(work.script):
        text = path_text(work, each.path) if each.role is Role.MODEL else None
        if text is not None:
            name = os.path.relpath(os.path.normpath(text), folder)
            if not name.startswith(".."):
                found[each.call] = name
    return found


def _common(work: Upgrading, places: Sequence[Place], role: Role) -> str | None:
    folders = [each.literal.folder for each in places]
    try:
        found = os.path.commonpath(folders)
    except ValueError:
        for each in places:
            work.leave(
                _RULES[role],
                each.literal.node,
                f'"{each.literal.text}" has no folder in common with the other paths',
                f"put them below one folder: {VARIABLES[role]} names one",
            )
        return None
    return os.path.normpath(found or ".")


def _spelling(places: Sequence[Place], folder: str) -> str:
    """Return a folder as the script writes it, where it does."""
    for each in places:
        text = each.literal.text
        if isinstance(each.literal.node, cst.FormattedString):
            text = text.rpartition("/")[0]
        elif not each.literal.is_folder:
            text = os.path.dirname(text)  # noqa: PTH120  a Path has no `./` at its beginning
        if text and os.path.normpath(text) == folder:
            return text.rstrip("/") or "/"
    return folder


def _move(work: Upgrading, place: Place, role: Role, folder: str, folders: Folders) -> None:
    """Put SageMaker's folder in place of the one in a literal."""
    literal, node = place.literal, place.literal.node
    rest = literal.below(folder)
    shown = f'"{literal.text}"'
    holder = work.script.parent(node)
    if _is_default(work, node):
        base = folders.variable(role)
    else:
        try:
            base = work.passing.reach(node, NAMES[role])
        except CannotPass:
            base = folders.variable(role)  # said on the spot
    work.edits.need("import os")
    code = base if not rest else f"os.path.join({base}, {rest})"
    if isinstance(holder, cst.Param):
        work.path_defaults[holder] = code
        work.edits.replace(node, expression(code))
    elif rest and isinstance(holder, cst.Arg) and _takes_segments(work, holder):
        call = work.script.parent(holder)
        assert isinstance(call, cst.Call)
        work.edits.replace(node, expression(base))
        work.edits.change(call, _with_second(rest))
    else:
        work.edits.replace(node, expression(code))
    work.did(
        _RULES[role],
        f"{shown} is looked for below {VARIABLES[role]}"
        if role is Role.DATA
        else f"{shown} goes below {VARIABLES[role]}",
    )


def _takes_segments(work: Upgrading, arg: cst.Arg) -> bool:
    call = work.script.parent(arg)
    return (
        isinstance(call, cst.Call)
        and call.args[0] is arg
        and work.script.callee(call) in ("os.path.join", "pathlib.Path")
    )


def _with_second(code: str) -> Callable[[cst.Call], cst.Call]:
    def make(call: cst.Call) -> cst.Call:
        first, *others = call.args
        return call.with_changes(args=settled([first, cst.Arg(expression(code)), *others]))

    return make


def _is_default(work: Upgrading, node: cst.CSTNode) -> bool:
    """Whether a literal is a parameter's or an argument's default, or a constant of the module."""
    script = work.script
    parent = script.parent(node)
    if isinstance(parent, cst.Param):
        return True
    for each in script.above(node):
        if (
            isinstance(each, cst.Call)
            and destination(each)
            and (isinstance(each.func, cst.Attribute) and each.func.attr.value == "add_argument")
        ):
            return True
    at_module_level = script.home(node) is None and not script.in_guard(node)
    return at_module_level and not any(
        isinstance(each, cst.For | cst.While) for each in script.above(node)
    )
