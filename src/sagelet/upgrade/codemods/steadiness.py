"""Which decisions of a training loop are the same on every rank, and which have to be made so.

Ranks meet at each step. One that leaves the loop by itself would let the others wait forever.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from sagelet.upgrade.dataflow import Binding
from sagelet.upgrade.training_loop import CannotTell, Training
from sagelet.upgrade.upgrading import Upgrading

_STEADY_CALLS = frozenset({"len", "range", "isinstance", "int", "enumerate", "min", "max"})
_DEPTH = 6


def check_batches(work: Upgrading, training: Training) -> None:
    """Check that every rank takes the same steps in the loop over batches.

    Raises:
        CannotTell: what a rank has computed decides whether it takes part in a step.
    """
    for node in _leaving(work, training.batches.body):
        for test in _tests(work, node, training.batches):
            if not is_steady(work, test):
                raise CannotTell(test, "each rank would decide by itself to leave out a batch")
    for test in _tests(work, training.backward, training.batches):
        if not is_steady(work, test):
            raise CannotTell(test, "each rank would decide by itself to leave out a step")


def decisions(work: Upgrading, training: Training) -> list[cst.BaseExpression]:
    """Return the expressions that rank 0 has to decide for all: when to stop, and how to go on."""
    found: list[cst.BaseExpression] = []
    loop = training.epochs
    if loop is None:
        return found
    inner = set(work.script.inside(training.batches))
    for node in _leaving(work, loop.body):
        if node in inner:
            continue
        # From the outside in: what is decided under a decision of rank 0's is the same everywhere.
        for test in reversed(list(_tests(work, node, loop))):
            if test not in found and not is_steady(work, test, settled=found):
                found.append(test)
    return found + [each for each in _plateaus(work) if each not in found]


def _leaving(work: Upgrading, body: cst.CSTNode) -> Iterator[cst.CSTNode]:
    for kind in (cst.Break, cst.Continue, cst.Return, cst.Raise):
        for node in work.script.all_of(kind, body):
            if not isinstance(node, cst.Raise):
                yield node


def _tests(work: Upgrading, node: cst.CSTNode, until: cst.CSTNode) -> Iterator[cst.BaseExpression]:
    """Yield what decides whether a node is reached, from the nearest on."""
    for each in work.script.above(node):
        if each is until or isinstance(each, cst.FunctionDef):
            return
        if isinstance(each, cst.If):
            yield each.test


def _plateaus(work: Upgrading) -> Iterator[cst.BaseExpression]:
    """Yield the metrics by which a scheduler decides."""
    for call in work.script.calls:
        match call:
            case cst.Call(func=cst.Attribute(value=value, attr=cst.Name("step")), args=[arg, *_]):
                made = work.flow.origin(value)
                if isinstance(made, cst.Call) and work.script.callee(made).endswith(
                    "ReduceLROnPlateau"
                ):
                    yield arg.value
            case _:
                pass


def is_steady(
    work: Upgrading,
    node: cst.BaseExpression,
    depth: int = _DEPTH,
    settled: Sequence[cst.BaseExpression] = (),
) -> bool:
    """Whether an expression is the same on every rank: made of numbers, counters and options.

    `settled` are tests that are the same by then.
    """
    script = work.script
    if depth == 0:
        return False
    for call in script.all_of(cst.Call, node):
        if script.callee(call).removeprefix("builtins.") not in _STEADY_CALLS:
            return False
    for attribute in script.all_of(cst.Attribute, node):
        if not work.entry.is_namespace(attribute.value):
            return False
    return all(
        _is_steady_name(work, name, depth - 1, settled)
        for name in script.all_of(cst.Name, node)
        if not isinstance(script.parent(name), cst.Attribute)
        and not (isinstance(parent := script.parent(name), cst.Call) and parent.func is name)
    )


def _is_steady_name(
    work: Upgrading, name: cst.Name, depth: int, settled: Sequence[cst.BaseExpression]
) -> bool:
    script = work.script
    if name.value in ("True", "False", "None"):
        return True
    home = script.home(name)
    bindings = work.flow.bindings(name.value, home)
    function = script.function_at(name)
    if not bindings and function is not None and function.parameter(name.value) is None:
        bindings = work.flow.bindings(name.value, None)
    return all(_is_steady_binding(work, each, depth, settled) for each in bindings)


def _is_steady_binding(
    work: Upgrading, binding: Binding, depth: int, settled: Sequence[cst.BaseExpression]
) -> bool:
    if isinstance(binding.node, cst.For):
        return _is_counter(work, binding.node.iter, binding.place)
    for each in work.script.above(binding.node):
        if isinstance(each, cst.FunctionDef):
            break
        if (
            isinstance(each, cst.If)
            and each.test not in settled
            and not is_steady(work, each.test, depth, settled)
        ):
            return False
    value = binding.node.value if isinstance(binding.node, cst.AugAssign) else binding.value
    if isinstance(value, cst.Tuple) and binding.place is not None:
        value = value.elements[binding.place].value
    elif binding.place is not None:
        return False
    return value is not None and is_steady(work, value, depth, settled)


def _is_counter(work: Upgrading, source: cst.BaseExpression, place: int | None) -> bool:
    if not isinstance(source, cst.Call):
        return False
    name = work.script.callee(source)
    if name == "builtins.range" or work.script.code(source.func).endswith("trange"):
        return True
    if name == "builtins.enumerate":
        return place == 0
    return bool(source.args) and _is_counter(work, source.args[0].value, place)
