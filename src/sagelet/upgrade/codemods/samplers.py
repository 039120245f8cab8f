"""The training's loader: a sampler that gives each rank its share, and a part of the batch."""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from sagelet.upgrade.nodes import argument
from sagelet.upgrade.passing import settled
from sagelet.upgrade.snippets import expression, statement
from sagelet.upgrade.training_loop import CannotTell
from sagelet.upgrade.upgrading import Upgrading

_SHARE = "# The ranks share each batch among them: together it is as large as asked for."
PLACES = {"dataset": 0, "batch_size": 1, "shuffle": 2, "sampler": 3, "batch_sampler": 4}
"""The places of a DataLoader's first arguments."""


def share(work: Upgrading, loader: cst.Call) -> str:
    """Give the loader a sampler, and the rank's part of the batch; return the sampler's name."""
    script, edits = work.script, work.edits
    home, line = script.home(loader), script.statement_of(loader)
    sampler = work.free_name("sampler", "train_sampler")
    if sampler is None:
        raise CannotTell(loader, "`sampler` and `train_sampler` mean something else")
    dataset = argument(loader, PLACES["dataset"], "dataset")
    batch_size = argument(loader, PLACES["batch_size"], "batch_size")
    assert dataset is not None
    assert batch_size is not None
    name = script.code(dataset.value)
    if not isinstance(dataset.value, cst.Name | cst.Attribute | cst.Subscript):
        held = work.free_name("train_set", "train_dataset", "training_set")
        if held is None:
            raise CannotTell(loader, "the data set has no name, and there is none to give it")
        edits.name(dataset.value, held, line)
        name = held
    options = "".join(f", {each}" for each in _sampling(work, loader))
    made = f"{sampler} = DistributedSampler({name}{options}) if world_size > 1 else None"
    edits.before[line].append(statement(f"{_SHARE}\n{made}"))
    edits.change(batch_size.value, _divided)
    edits.change(loader, _with_sampler(sampler))
    work.number(home, "world_size")
    return sampler


def _sampling(work: Upgrading, loader: cst.Call) -> list[str]:
    """Return the sampler's own options: how it shuffles, and by which seed."""
    script = work.script
    shuffle = argument(loader, PLACES["shuffle"], "shuffle")
    if shuffle is None or script.code(shuffle.value) == "False":
        return ["shuffle=False"]
    for call in script.all_of(cst.Call, script.home(loader) or work.entry.block):
        if script.callee(call) == "torch.manual_seed" and call.args:
            seed = call.args[0].value
            if isinstance(seed, cst.Name | cst.Attribute | cst.Integer) and script.line(
                call
            ) < script.line(loader):
                return [f"seed={script.code(seed)}"]
    return []


def _divided(size: cst.BaseExpression) -> cst.BaseExpression:
    simple = isinstance(size, cst.Name | cst.Attribute | cst.Integer | cst.Call | cst.Subscript)
    left = size if simple else size.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    shared = expression("x // world_size")
    return shared.with_changes(left=left)


def _with_sampler(sampler: str) -> Callable[[cst.Call], cst.Call]:
    def make(call: cst.Call) -> cst.Call:
        args = []
        for index, arg in enumerate(call.args):
            name = arg.keyword.value if arg.keyword is not None else None
            if name in ("sampler", "batch_sampler"):
                continue
            is_shuffle = name == "shuffle" or (name is None and index == PLACES["shuffle"])
            if is_shuffle and isinstance(arg.value, cst.Name) and arg.value.value == "True":
                args.append(arg.with_changes(value=expression(f"{sampler} is None")))
            else:
                args.append(arg)
        new = expression(f"f(sampler={sampler})")
        assert isinstance(new, cst.Call)
        at = next(
            (
                i
                for i, arg in enumerate(args)
                if arg.keyword is not None and arg.keyword.value == "shuffle"
            ),
            None,
        )
        if at is None:
            args.append(new.args[0])
        else:
            args.insert(at + 1, new.args[0])
        return call.with_changes(args=settled(args))

    return make
