"""A normal training script becomes one that runs alone, under `sagelet train` and on SageMaker.

    text ──mend──▶ Python ──guard──▶ nothing happens at import ──codemods──▶ edits ──apply──▶ text

The codemods look at one tree and say what they want where; all of it is done in one walk. What
cannot be done without changing what the script computes is left, and said.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import libcst as cst

from sagelet.upgrade.cells import joined, place, split
from sagelet.upgrade.codemods.arguments import begin
from sagelet.upgrade.codemods.constants import pass_constants
from sagelet.upgrade.codemods.data_parallel import replace_data_parallel
from sagelet.upgrade.codemods.device import choose_device
from sagelet.upgrade.codemods.distribution import distribute
from sagelet.upgrade.codemods.environment import give_defaults
from sagelet.upgrade.codemods.folders import find_folders
from sagelet.upgrade.codemods.logs import log_instead_of_printing
from sagelet.upgrade.codemods.main_guard import add_main_guard
from sagelet.upgrade.codemods.options import mend_options
from sagelet.upgrade.codemods.rank_saves import broadcast_loaded, save_on_rank_0
from sagelet.upgrade.codemods.ranks import join_ranks, number_ranks
from sagelet.upgrade.codemods.saving import save_for_serving
from sagelet.upgrade.codemods.serving import mend_model_fn
from sagelet.upgrade.edits import apply
from sagelet.upgrade.findings import Finding
from sagelet.upgrade.imports import add_imports
from sagelet.upgrade.layout import nearest_line, place_definitions, tidied
from sagelet.upgrade.notebooks import Mistake, parse
from sagelet.upgrade.notes import Change, Left, Notes
from sagelet.upgrade.pasted import mend
from sagelet.upgrade.shapes import Script
from sagelet.upgrade.sources import Source
from sagelet.upgrade.training_loop import Training, backward_calls, trains
from sagelet.upgrade.upgrading import Upgrading


@dataclass(frozen=True, slots=True)
class Upgraded:
    """A script's new text, or a notebook's new cells, with what was done and what was left.

    `cells` are the texts of a notebook's code cells, in order; None in a script.
    """

    text: str
    changes: tuple[Change, ...]
    left: tuple[Finding, ...]
    cells: tuple[str, ...] | None = None
    why: str = ""
    """Why there was nothing to do, where there was not."""


_FRAMEWORKS = frozenset({"torch", "lightning", "pytorch_lightning", "transformers", "accelerate"})


def upgrade_source(source: Source) -> Upgraded:
    """Return what becomes of a script or a notebook; its text as it is where nothing is to do."""
    notes = Notes()
    before = joined(source) if source.cells is not None else source.written
    text = before if source.is_notebook else _mended(source, notes)
    after = _rewritten(text, notes, is_notebook=source.is_notebook)
    left = tuple(_finding(source, each) for each in notes.left)
    changes = tuple(notes.changes) if after != before else ()
    if source.cells is None:
        return Upgraded(after, changes, left, None, notes.why)
    cells = split(after, source) if after != before else tuple(each.text for each in source.cells)
    return Upgraded("\n".join(cells), changes, left, cells, notes.why)


def _mended(source: Source, notes: Notes) -> str:
    """Return a script's text with what pasting broke put right, if it is Python then."""
    mended = mend(source)
    if mended.tree is None or mended.mistakes:
        return source.written
    for rule in dict.fromkeys(each.rule for each in mended.repairs):
        first = next(each for each in mended.repairs if each.rule == rule)
        notes.did(rule, f"put right, first in line {first.line}: {first.message}")
    return mended.text


def _rewritten(text: str, notes: Notes, *, is_notebook: bool) -> str:
    module = _parsed(text, notes)
    script = None if module is None else Script(module)
    if script is None or not _is_training(script, notes):
        return text
    before = script
    script = _guard(script, notes, is_notebook=is_notebook)
    script = _pass(script)
    notes.line_of = partial(nearest_line, text, script.module.code)
    work = Upgrading(script, notes, is_notebook=is_notebook)
    _plan(work)
    if work.edits.is_empty and script is before:
        return text
    changed = apply(script.module, work.edits)
    changed = place_definitions(changed, work.edits)
    result = tidied(add_imports(changed, work.edits.imports), text)
    if isinstance(parsed := parse(result), Mistake):
        notes.changes.clear()
        notes.left.clear()
        notes.why = f"what came of it is no Python ({parsed.message}): a bug of sagelet's"
        return text
    return result


def _guard(script: Script, notes: Notes, *, is_notebook: bool) -> Script:
    guarded = add_main_guard(script, notes, is_notebook=is_notebook)
    return script if guarded is script.module else Script(guarded)


def _pass(script: Script) -> Script:
    passed = pass_constants(script)
    return script if passed is script.module else Script(passed)


def _parsed(text: str, notes: Notes) -> cst.Module | None:
    try:
        return cst.parse_module(text)
    except (cst.ParserSyntaxError, RecursionError) as error:
        line = error.raw_line if isinstance(error, cst.ParserSyntaxError) else 1
        notes.why = f"line {line} is not Python"
    return None


def _is_training(script: Script, notes: Notes) -> bool:
    """Whether a script trains a model with torch."""
    if not any(what.partition(".")[0] in _FRAMEWORKS for what in script.imported.values()):
        notes.why = "it does not import torch"
    elif "model_fn" in script.functions and not backward_calls(script):
        notes.why = "it serves a model, and trains none"
    elif not trains(script):
        notes.why = "it trains nothing: no `backward()` is called"
    return not notes.why


def _plan(work: Upgrading) -> None:
    """Let each codemod say what it wants."""
    training = work.found_training
    replace_data_parallel(work)
    give_defaults(work)
    folders = find_folders(work)
    joins = distribute(work, folders)
    if joins and isinstance(training, Training):
        save_on_rank_0(work, training)
        broadcast_loaded(work, folders)
    has_device = choose_device(work)
    if joins:
        on_gpus = has_device or "cuda" in work.script.module.code
        work.edits.define(join_ranks(on_gpus=on_gpus))
    save_for_serving(work, folders, has_device=has_device)
    mend_model_fn(work)
    logs = log_instead_of_printing(work)
    mend_options(work)
    begin(work, folders, logs=logs, joins=joins)
    number_ranks(work)
    work.passing.plan(work.edits)


def _finding(source: Source, left: Left) -> Finding:
    cell, line = place(source, left.line)
    return Finding(
        rule=left.rule,
        severity=left.severity,
        path=source.path,
        line=line,
        message=left.message,
        hint=left.hint,
        cell=cell,
    )
