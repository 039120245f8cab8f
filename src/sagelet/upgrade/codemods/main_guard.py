"""What a script does moves under `if __name__ == "__main__":`, so that importing it does nothing.

A training loop at the module's own level becomes a function first, whose parameters are the numbers
that stood above it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import libcst as cst

from sagelet.upgrade.codemods.module_level import (
    free_names,
    is_action,
    is_definition,
    is_marker,
)
from sagelet.upgrade.codemods.moving import Moved, inner_lines, shared_at_definition
from sagelet.upgrade.nodes import Statement
from sagelet.upgrade.notes import Notes
from sagelet.upgrade.shapes import Script
from sagelet.upgrade.snippets import led_by, statement
from sagelet.upgrade.training_loop import backward_calls, training_functions, trains

GUARD = 'if __name__ == "__main__":\n    pass'


def add_main_guard(script: Script, notes: Notes, *, is_notebook: bool) -> cst.Module:
    """Return a module that does nothing when it is imported, as far as that is safe."""
    if script.guard is not None or not trains(script):
        return script.module
    if not is_notebook and _trains_at_module_level(script):
        return _wrapped(script, notes)
    return _guarded(script, notes, is_notebook=is_notebook)


def _trains_at_module_level(script: Script) -> bool:
    """Whether a loop or a preparation of the training stands at the module's own level."""
    if any(script.home(call) is None for call in backward_calls(script)):
        return True
    training = training_functions(script)
    return any(
        script.home(call) is None
        and any(isinstance(each, cst.For | cst.While) for each in script.above(call))
        for function in training
        for call in script.calls_to(function)
    )


def _wrapped(script: Script, notes: Notes) -> cst.Module:
    """Move what the module does into a function, if nothing else needs to see it."""
    first = next(each for each in script.module.body if is_action(script, each))
    moved = Moved.of(script)
    name = next((each for each in ("train", "main") if each not in script.bound), None)
    shared = sorted(moved.names & free_names(script, moved.staying))
    if name is None or shared:
        which = ", ".join(f"`{each}`" for each in shared)
        notes.leave(
            "training-at-import",
            script.line(first),
            f"the functions read {which}, which the module's own level makes"
            if shared
            else "both `train` and `main` mean something else here",
            "pass them as arguments, then the training can move into a function",
        )
        if shared and not shared_at_definition(script, moved):
            notes.did("no-main-guard", "what the script does stands under a main guard")
            return script.module.with_changes(body=[*moved.staying, _guard_of(moved.going)])
        return _guarded(script, notes, is_notebook=False)
    notes.did("training-at-import", f"the training is a function, `{name}`")
    notes.did("no-main-guard", f"`{name}` is called under a main guard only")
    guard = statement(GUARD.replace("pass", f"{name}()"))
    blank = [cst.EmptyLine(indent=False)] * 2
    body = [*moved.staying, led_by(moved.function(name), blank), led_by(guard, blank)]
    return script.module.with_changes(body=body)


def _guarded(script: Script, notes: Notes, *, is_notebook: bool) -> cst.Module:
    body = list(script.module.body)
    moved = Moved.actions_of(script)
    if not is_notebook and moved.going and not shared_at_definition(script, moved):
        notes.did("no-main-guard", "what the script does stands under a main guard")
        return script.module.with_changes(body=[*moved.staying, _guard_of(moved.going)])
    start = _first_to_guard(script, body, is_notebook=is_notebook)
    if start is None:
        return script.module
    if any(is_definition(each) for each in body[start:]) and not is_notebook:
        notes.leave(
            "no-main-guard",
            script.line(body[start]),
            "definitions follow what the script does",
            "move them above it",
        )
        return script.module
    notes.did("no-main-guard", "what the script does stands under a main guard")
    return script.module.with_changes(body=[*body[:start], *_guards(body[start:])])


def _first_to_guard(script: Script, body: Sequence[Statement], *, is_notebook: bool) -> int | None:
    """Return the index of the first statement that only a main program should run."""
    if is_notebook:
        training = training_functions(script)
        calls = {call for function in training for call in script.calls_to(function)}
        calls |= {call for call in backward_calls(script) if script.home(call) is None}
        starts = [
            index
            for index, each in enumerate(body)
            if calls & set(script.all_of(cst.Call, each)) and not is_definition(each)
        ]
        return starts[0] if starts else None
    last = max((i for i, each in enumerate(body) if is_definition(each)), default=-1)
    for index in range(last + 1, len(body)):
        if is_action(script, body[index]):
            return index
    return None


def _guards(body: Iterable[Statement]) -> list[Statement]:
    """Put each run of what is done under a guard; definitions between them stay."""
    found: list[Statement] = []
    run: list[Statement] = []

    def close() -> None:
        if run:
            found.append(_guard_of(run))
            run.clear()

    for each in body:
        if is_definition(each) or is_marker(each):
            close()
            found.append(each)
        else:
            run.append(each)
    close()
    return found


def _guard_of(body: Sequence[Statement]) -> Statement:
    """Return a main guard over statements."""
    inner = [led_by(each, inner_lines(each, first=each is body[0])) for each in body]
    guard = statement(GUARD).with_changes(body=cst.IndentedBlock(inner))
    return led_by(guard, [cst.EmptyLine(indent=False)] * 2)
