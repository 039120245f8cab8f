"""What the codemods share while a script is upgraded."""

from __future__ import annotations

from functools import cached_property

import libcst as cst

from sagelet.upgrade.dataflow import Dataflow
from sagelet.upgrade.edits import Edits
from sagelet.upgrade.entry import Entry
from sagelet.upgrade.notes import Notes
from sagelet.upgrade.passing import Passing
from sagelet.upgrade.shapes import Script
from sagelet.upgrade.training_loop import (
    CannotTell,
    Training,
    backward_calls,
    find_training,
    maker,
    trained_model,
    training_functions,
)


class Upgrading:
    """A script in the middle of its upgrade."""

    def __init__(self, script: Script, notes: Notes, *, is_notebook: bool = False) -> None:
        """Begin with a script that is not edited yet."""
        self.script = script
        self.flow = Dataflow(script)
        self.edits = Edits()
        self.notes = notes
        self.is_notebook = is_notebook
        self.entry = Entry(script, self.flow, training_functions(script))
        self.passing = Passing(script, self.entry)
        self.path_defaults: dict[cst.Param, str] = {}
        self._ranked: dict[cst.FunctionDef | None, list[str]] = {}

    @cached_property
    def found_training(self) -> Training | CannotTell | None:
        """The training loop; why it is not seen through; None where nothing is trained."""
        if not backward_calls(self.script):
            return None
        try:
            return find_training(self.script, self.flow)
        except CannotTell as reason:
            return reason

    @cached_property
    def model(self) -> cst.Call | None:
        """The call that makes the trained model, where that is seen."""
        if isinstance(self.found_training, Training):
            return self.found_training.model
        try:
            return trained_model(self.script, self.flow)
        except CannotTell:
            return None

    def is_model(self, node: cst.BaseExpression) -> bool:
        """Whether an expression is the trained model."""
        return self.model is not None and maker(self.flow, node) is self.model

    def number(self, home: cst.FunctionDef | None, *names: str) -> None:
        """Let a function know its `rank` or the `world_size`."""
        known = self._ranked.setdefault(home, [])
        known.extend(each for each in names if each not in known)

    @property
    def ranked(self) -> dict[cst.FunctionDef | None, list[str]]:
        """The functions that know `rank` or `world_size`."""
        return self._ranked

    def did(self, rule: str, message: str) -> None:
        """Say that something was done."""
        self.notes.did(rule, message)

    def leave(self, rule: str, node: cst.CSTNode, message: str, hint: str = "") -> None:
        """Say that something was left as it is."""
        self.notes.leave(rule, self.script.line(node), message, hint)

    def free_name(self, *wishes: str) -> str | None:
        """Return the first of some names that the script does not use."""
        return next((each for each in wishes if each not in self.script.bound), None)
