"""Files on many hosts: rank 0 alone writes them, and sends what it reads back to the others."""

from __future__ import annotations

import libcst as cst

from sagelet.upgrade.codemods.folders import Folders
from sagelet.upgrade.codemods.ranks import guard_save
from sagelet.upgrade.codemods.saves import loads_of
from sagelet.upgrade.file_calls import Role, file_calls
from sagelet.upgrade.nodes import Statement, only
from sagelet.upgrade.snippets import statements
from sagelet.upgrade.training_loop import CannotTell, Training
from sagelet.upgrade.upgrading import Upgrading


def save_on_rank_0(work: Upgrading, training: Training) -> None:
    """Let rank 0 alone write files."""
    script = work.script
    loop = training.outer
    done = False
    writes = [each for each in file_calls(script) if each.role in (Role.MODEL, Role.OUTPUT)]
    for each in sorted(writes, key=lambda write: len(list(script.above(write.call)))):
        line = script.statement_of(each.call)
        if any(above in work.edits.guarded for above in (line, *script.above(line))):
            continue
        if not _may_be_guarded(work, line):
            continue
        if loop in script.all_of(cst.For, line):
            work.leave(
                "every-rank-saves",
                line,
                "each rank writes this file: the training is inside",
                "write it where the training has ended",
            )
            continue
        guard_save(work, line, script.home(line))
        done = True
    if done:
        work.did("every-rank-saves", "rank 0 alone writes files")


def _may_be_guarded(work: Upgrading, line: Statement) -> bool:
    script = work.script
    if script.home(line) is None and not script.in_guard(line):
        return False
    if isinstance(line, cst.With):
        return True
    return isinstance(only(line), cst.Expr)


def broadcast_loaded(work: Upgrading, folders: Folders) -> None:
    """Send what rank 0 has read back to the others: the file is on its host alone."""
    for line, model in _loaded(work, folders):
        home = work.script.home(line)
        guard_save(work, line, home)
        work.number(home, "world_size")
        work.edits.after[line].extend(
            statements(
                f"if world_size > 1:\n    for tensor in {model}.state_dict().values():\n"
                "        dist.broadcast(tensor, src=0)"
            )
        )


def check_loads(work: Upgrading, training: Training, folders: Folders) -> None:
    """Check that what is read back can be sent to the other ranks.

    Raises:
        CannotTell: it is not read straight into the model, once the training has ended.
    """
    plain = [line for line, _ in _loaded(work, folders)]
    for load in loads_of(work, folders):
        line = work.script.statement_of(load)
        if line not in plain or training.outer in work.script.above(line):
            raise CannotTell(load, "it reads back what rank 0 alone has saved")


def _loaded(work: Upgrading, folders: Folders) -> list[tuple[Statement, str]]:
    """Return the statements that read weights straight into the model, and its names there."""
    found: list[tuple[Statement, str]] = []
    for load in loads_of(work, folders):
        line = work.script.statement_of(load)
        match only(line):
            case cst.Expr(
                value=cst.Call(
                    func=cst.Attribute(value=cst.Name() as model, attr=cst.Name("load_state_dict"))
                )
            ):
                found.append((line, model.value))
            case _:
                pass
    return found
