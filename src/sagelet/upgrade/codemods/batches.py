"""Where a script takes batches from its loaders, and how these get to the device."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import libcst as cst

from sagelet.upgrade.nodes import Statement, argument, only
from sagelet.upgrade.snippets import expression, statements
from sagelet.upgrade.training_loop import LOADER, iterated, loaders_of
from sagelet.upgrade.upgrading import Upgrading

Move = Callable[[], None]


def to_device(old: cst.BaseExpression) -> cst.BaseExpression:
    """Return `old.to(device)`."""
    moved = expression("x.to(device)")
    assert isinstance(moved, cst.Call)
    return moved.with_deep_changes(moved.func, value=old)


def moves_of_batches(work: Upgrading) -> list[Move] | None:
    """Return what moves each loop's batches; None where a batch is not seen, or there is none."""
    script = work.script
    planned: list[Move] = []
    covered: set[cst.CSTNode] = set()
    for loop in script.all_of(cst.For):
        loaders = list(loaders_of(work.flow, loop))
        if not loaders:
            continue
        if any(argument(each, None, "collate_fn") is not None for each in loaders):
            return None
        move = _move_batch(work, loop)
        if move is None:
            return None
        planned.append(move)
        covered.update(script.all_of(cst.Call, loop))
    for each in script.all_of(cst.CompFor):
        moved = _move_inside(work, each)
        if moved is not None:
            planned.append(moved)
            around = script.parent(each)
            assert around is not None
            covered.update(script.all_of(cst.Call, around))
    if not planned or not all(call in covered for call in _forwards(work)):
        return None
    return planned


def _move_inside(work: Upgrading, comprehension: cst.CompFor) -> Move | None:
    """Return what moves a batch where it is used, in a comprehension over a loader."""
    script = work.script
    origin = work.flow.origin(comprehension.iter)
    if not isinstance(origin, cst.Call) or script.callee(origin) not in LOADER:
        return None
    names = {each.value for each in script.all_of(cst.Name, comprehension.target)}
    around = script.parent(comprehension)
    assert around is not None
    uses = [
        each
        for each in script.all_of(cst.Name, around)
        if each.value in names and isinstance(script.parent(each), cst.Arg)
    ]

    def move() -> None:
        for each in uses:
            work.edits.wrap(each, to_device)

    return move


def _forwards(work: Upgrading) -> Iterator[cst.Call]:
    """Yield the calls of the model."""
    for call in work.script.calls:
        if isinstance(call.func, cst.Name) and work.is_model(call.func):
            yield call


def _move_batch(work: Upgrading, loop: cst.For) -> Move | None:
    """Return what moves a loop's batch to the device, as a thing to do."""
    target: cst.BaseExpression = loop.target
    if (
        iterated(loop) is not loop.iter
        and isinstance(target, cst.Tuple)
        and len(target.elements) == 2
    ):
        inner = target.elements[1].value
        target = inner if _is_enumerated(work, loop) else target
    if isinstance(target, cst.Tuple | cst.List):
        names = [each.value for each in target.elements]
        if not all(isinstance(each, cst.Name) for each in names):
            return None
        line = _moving([each.value for each in names if isinstance(each, cst.Name)])
        return lambda: work.edits.tops[loop].extend(statements(line))
    if isinstance(target, cst.Name):
        return _move_later(work, loop, target.value)
    return None


def _is_enumerated(work: Upgrading, loop: cst.For) -> bool:
    return any(
        work.script.callee(call) == "builtins.enumerate"
        for call in work.script.all_of(cst.Call, loop.iter)
    )


def _moving(names: list[str]) -> str:
    names = [each for each in names if each != "_"]
    return f"{', '.join(names)} = {', '.join(f'{each}.to(device)' for each in names)}"


def _move_later(work: Upgrading, loop: cst.For, batch: str) -> Move | None:
    """Return what moves the parts of a batch, where the loop's body takes it apart first."""
    script = work.script
    uses = [each for each in script.all_of(cst.Name, loop.body) if each.value == batch]
    first = loop.body.body[0] if loop.body.body else None
    if not isinstance(first, Statement):
        return None
    small = only(first)
    match small:
        case cst.Assign(
            targets=[cst.AssignTarget(target=cst.Tuple(elements=elements))],
            value=cst.Name(value=value),
        ) if value == batch and len(uses) == 1:
            names = [each.value.value for each in elements if isinstance(each.value, cst.Name)]
            if len(names) == len(elements):
                line = _moving(names)
                return lambda: work.edits.after[first].extend(statements(line))
        case _:
            pass
    picked = [script.parent(use) for use in uses]
    if picked and all(_is_number(each) for each in picked):

        def move() -> None:
            for each in picked:
                assert each is not None
                work.edits.change(each, to_device)

        return move
    return None


def _is_number(node: cst.CSTNode | None) -> bool:
    """Whether a node is `batch[0]`."""
    return isinstance(node, cst.Subscript) and all(
        isinstance(each.slice, cst.Index) and isinstance(each.slice.value, cst.Integer)
        for each in node.slice
    )
