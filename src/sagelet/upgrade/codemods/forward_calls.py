"""Where the training loop calls the model, the wrapped one is called; all else keeps the model."""

from __future__ import annotations

import libcst as cst

from sagelet.upgrade.shapes import Function, arguments
from sagelet.upgrade.training_loop import CannotTell, Training
from sagelet.upgrade.upgrading import Upgrading

WRAPPED = "ddp_model"

_OF_EVERY_MODULE = frozenset(
    {"train", "eval", "parameters", "named_parameters", "zero_grad", "training", "modules"}
)
_NO_GRAD = frozenset({"torch.no_grad", "torch.inference_mode"})


def send_through(work: Upgrading, training: Training) -> cst.Name:
    """Plan that the training goes through the wrapped model; return the model's name there.

    Raises:
        CannotTell: the model is used in a way that its wrapper does not know.
    """
    sender = _Sender(work)
    if training.path:
        sender.through(training.path[-1])
    else:
        sender.inside(training.batches)
    if not sender.names:
        raise CannotTell(
            training.batches, "the model is not seen to be an argument of what trains it"
        )
    if len({name.value for name in sender.names}) > 1:
        raise CannotTell(training.batches, "the model has several names")
    for name in sender.names:
        work.edits.replace(name, cst.Name(WRAPPED))
    return sender.names[0]


class _Sender:
    """Finds the names to replace."""

    def __init__(self, work: Upgrading) -> None:
        self._work = work
        self._checked: set[tuple[Function, str]] = set()
        self.names: list[cst.Name] = []

    def through(self, call: cst.Call) -> None:
        """Send the model through a call of the script's own function."""
        for arg in call.args:
            if isinstance(arg.value, cst.Name) and self._work.is_model(arg.value):
                self.names.append(arg.value)
                self._check(call, arg)

    def inside(self, loop: cst.For) -> None:
        """Send it through what a loop over batches does."""
        script = self._work.script
        for name in script.all_of(cst.Name, loop.body):
            if (
                self._is_variable(name)
                and self._work.is_model(name)
                and not self._without_grad(name)
            ):
                self._use(name)

    def _use(self, name: cst.Name) -> None:
        script = self._work.script
        parent = script.parent(name)
        match parent:
            case cst.Call():
                self.names.append(name)
            case cst.Attribute(attr=attr):
                self._check_attribute(name, attr.value)
            case cst.Arg():
                call = script.parent(parent)
                assert isinstance(call, cst.Call)
                if script.target(call) is None:
                    raise CannotTell(name, f"`{script.code(call.func)}` gets the model")
                self.names.append(name)
                self._check(call, parent)
            case _:
                pass

    def _check_attribute(self, name: cst.Name, attribute: str) -> None:
        script = self._work.script
        outer = script.parent(name)
        if attribute in (*_OF_EVERY_MODULE, "state_dict"):
            return
        call = script.parent(outer) if outer is not None else None
        if isinstance(call, cst.Call) and call.func is outer:
            raise CannotTell(
                name,
                f"it calls `{script.code(call.func)}`: gradients are averaged for `forward` only",
            )

    def _check(self, call: cst.Call, arg: cst.Arg) -> None:
        """Check that a function can do with the wrapped model."""
        script = self._work.script
        function = script.target(call)
        given = arguments(call, function) if function is not None else None
        name = next((key for key, each in (given or {}).items() if each is arg), None)
        if function is None or name is None:
            raise CannotTell(call, f"`{script.code(call.func)}` gets the model")
        if (function, name) in self._checked:
            return
        self._checked.add((function, name))
        for node in script.all_of(cst.Name, function.node.body):
            if node.value == name and self._is_variable(node):
                self._check_use(node)

    def _check_use(self, node: cst.Name) -> None:
        script = self._work.script
        parent = script.parent(node)
        match parent:
            case cst.Attribute(attr=attr) if attr.value not in _OF_EVERY_MODULE:
                raise CannotTell(
                    node, f"it uses `{script.code(parent)}`, which a wrapped model lacks"
                )
            case cst.Arg():
                call = script.parent(parent)
                assert isinstance(call, cst.Call)
                self._check(call, parent)
            case _:
                pass

    def _is_variable(self, node: cst.Name) -> bool:
        parent = self._work.script.parent(node)
        if isinstance(parent, cst.Attribute):
            return parent.value is node
        if isinstance(parent, cst.Arg):
            return parent.value is node
        return not isinstance(parent, cst.AssignTarget | cst.Param)

    def _without_grad(self, node: cst.Name) -> bool:
        script = self._work.script
        return any(
            isinstance(item.item, cst.Call) and script.callee(item.item) in _NO_GRAD
            for each in script.above(node)
            if isinstance(each, cst.With)
            for item in each.items
        )
