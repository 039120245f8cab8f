"""The training loop on many ranks: each takes its share of every batch, and gradients are averaged.

The batch of all ranks together stays what the script says, so a run on two hosts takes the steps
that a run on one takes. Alone, the script does what it did before.
"""

from __future__ import annotations

import libcst as cst

from sagelet.upgrade.codemods.folders import Folders
from sagelet.upgrade.codemods.forward_calls import send_through
from sagelet.upgrade.codemods.rank_saves import check_loads
from sagelet.upgrade.codemods.ranks import OF_RANK_0
from sagelet.upgrade.codemods.samplers import PLACES, share
from sagelet.upgrade.codemods.steadiness import check_batches, decisions
from sagelet.upgrade.nodes import Statement, argument, only
from sagelet.upgrade.snippets import expression, led_by, statement, statements
from sagelet.upgrade.training_loop import (
    CannotTell,
    Training,
    at_loop,
    is_distributed,
    is_distribution,
    iterated,
)
from sagelet.upgrade.upgrading import Upgrading

RULE = "not-distributed"
_OWN = ("rank", "world_size", "join_ranks", "ddp_model", "DDP", "DistributedSampler", "of_rank_0")
_TRAINER = "Lightning's Trainer distributes by itself: give it `num_nodes` and `devices`"
_ELSEWHERE = {
    "accelerate": "Accelerate distributes by itself: start it with `torch_distributed`",
    "lightning": _TRAINER,
    "pytorch_lightning": _TRAINER,
    "transformers.Trainer": "the Trainer distributes by itself, under `torch_distributed`",
    "horovod": "Horovod distributes by itself, under `mpi`",
    "deepspeed": "DeepSpeed distributes by itself, under `torch_distributed`",
    "fastai": "fastai's learner distributes by itself, in `distrib_ctx`",
    "ignite": "Ignite distributes by itself: `ignite.distributed`",
}  # fmt: skip


def distribute(work: Upgrading, folders: Folders) -> bool:
    """Make the training loop one of many ranks; say whether that was done, or was not to be."""
    if _by_itself(work) or _by_framework(work):
        return False
    training = work.found_training
    if training is None:
        return False
    before = work.edits.copy()
    try:
        if isinstance(training, CannotTell):
            raise training
        _check(work, training)
        check_loads(work, training, folders)
        _distribute(work, training)
    except CannotTell as reason:
        work.edits = before
        work.ranked.clear()
        work.leave(
            RULE,
            reason.node,
            f"the training stays on one host: {reason.why}",
            "more hosts would train the same model again",
        )
        return False
    return True


def _by_itself(work: Upgrading) -> bool:
    if not is_distributed(work.script):
        return False
    if "join_ranks" not in work.script.functions:
        where = next(call for call in work.script.calls if is_distribution(work.script, call))
        work.leave(RULE, where, "it distributes its training already, which is left as it is")
    return True


def _by_framework(work: Upgrading) -> bool:
    for module, why in _ELSEWHERE.items():
        for call in work.script.calls:
            name = work.script.callee(call)
            if name == module or name.startswith(f"{module}."):
                work.leave(RULE, call, why)
                return True
    return False


def _check(work: Upgrading, training: Training) -> None:
    """Raise CannotTell where distribution would change what the training computes."""
    script = work.script
    _check_names(work)
    _check_loader(work, training.loader)
    for name in _bases(work):
        raise CannotTell(training.loader, f"its data set is {name}")
    check_batches(work, training)
    for call in script.all_of(cst.Call, training.batches):
        reduction = argument(call, None, "reduction")
        if reduction is not None and "sum" in script.code(reduction.value):
            raise CannotTell(call, "its loss is a sum, and DDP averages what ranks have")
    if work.entry.block is None:
        raise CannotTell(training.outer, "there is no main guard to join the ranks under")


def _check_names(work: Upgrading) -> None:
    taken = [each for each in (*_OWN, "dist") if each in work.script.bound]
    if taken:
        raise CannotTell(work.script.module, f"`{taken[0]}` means something else in the script")


def _check_loader(work: Upgrading, loader: cst.Call) -> None:
    script = work.script
    if script.home(loader) is None and not script.in_guard(loader):
        raise CannotTell(loader, "its loader is made at the module's own level")
    if any(arg.star for arg in loader.args):
        raise CannotTell(loader, "the loader's arguments are not seen")
    for name in ("sampler", "batch_sampler"):
        given = argument(loader, PLACES[name], name)
        if given is not None and script.code(given.value) != "None":
            raise CannotTell(loader, f"the loader has a {name} of its own")
    shuffle = argument(loader, PLACES["shuffle"], "shuffle")
    if shuffle is not None and script.code(shuffle.value) not in ("True", "False"):
        raise CannotTell(loader, "whether it shuffles is decided at run time")
    if argument(loader, PLACES["batch_size"], "batch_size") is None:
        raise CannotTell(loader, "the loader has batches of one row, which cannot be shared")
    if argument(loader, PLACES["dataset"], "dataset") is None:
        raise CannotTell(loader, "the loader's data set is not seen")
    if any(isinstance(each, cst.For | cst.While) for each in script.above(loader)):
        raise CannotTell(loader, "the loader is made anew in each epoch")


def _bases(work: Upgrading) -> list[str]:
    return [
        "iterable: each rank has to take its own part of it"
        for each in work.script.classes.values()
        for base in each.bases
        if work.script.meaning(base.value).endswith("IterableDataset")
    ]


def _distribute(work: Upgrading, training: Training) -> None:
    edits, script = work.edits, work.script
    loop_home = script.home(training.outer)
    at_home = at_loop(work.flow, training, iterated(training.batches))
    wrapping = send_through(work, training)
    sampler = share(work, training.loader)
    _tell_epoch(
        work, training, sampler if script.home(training.loader) is loop_home else None, at_home
    )
    _wrap(work, training, wrapping)
    for node in decisions(work, training):
        edits.change(node, lambda old: expression("of_rank_0(x)").with_changes(args=[cst.Arg(old)]))
        edits.define(statement(OF_RANK_0))
    edits.need(
        "import json", "import os", "import torch", "import torch.distributed as dist",
        "from torch.nn.parallel import DistributedDataParallel as DDP",
        "from torch.utils.data import DistributedSampler",
    )  # fmt: skip
    work.did(RULE, "the gradients of all ranks are averaged (DDP); alone, it runs as before")
    work.did("no-distributed-sampler", "each rank trains on its share of every batch")
    if training.epochs is not None:
        work.did("no-set-epoch", "the sampler is told the epoch, so that each has its own order")


def _tell_epoch(
    work: Upgrading, training: Training, sampler: str | None, loader: cst.BaseExpression
) -> None:
    loop = training.epochs
    if loop is None:
        return
    script, edits = work.script, work.edits
    target = loop.target
    if isinstance(target, cst.Tuple) and isinstance(target.elements[0].value, cst.Name):
        target = target.elements[0].value  # of enumerate
    if not isinstance(target, cst.Name):
        raise CannotTell(loop, "its epochs are not counted by a plain variable")
    epoch = target.value
    if epoch == "_":
        epoch = work.free_name("epoch") or "_"
        edits.replace(target, cst.Name(epoch))
    elif not _counts(work, loop):
        raise CannotTell(loop, "its epochs are not counted by `range`")
    if not (sampler or isinstance(loader, cst.Name | cst.Attribute)):
        raise CannotTell(loop, "the loader is made anew in each epoch")
    told = sampler or f"{script.code(loader)}.sampler"
    edits.tops[loop].extend(statements(f"if world_size > 1:\n    {told}.set_epoch({epoch})"))
    work.number(script.home(loop), "world_size")


def _counts(work: Upgrading, loop: cst.For) -> bool:
    calls = [
        loop.iter,
        *(arg.value for call in [loop.iter] if isinstance(call, cst.Call) for arg in call.args),
    ]
    return any(
        isinstance(each, cst.Call)
        and (
            work.script.callee(each) == "builtins.range"
            or work.script.code(each.func).endswith("trange")
        )
        for each in calls
    )


def _wrap(work: Upgrading, training: Training, model: cst.Name) -> None:
    """Make the wrapped model, behind what makes the model or before the loop."""
    script, edits = work.script, work.edits
    home = script.home(training.outer)
    wrapped = f"ddp_model = DDP({model.value}) if world_size > 1 else {model.value}"
    anchor = _last_of_model(work, training, model)
    work.number(home, "world_size")
    if anchor is not None:
        edits.after[anchor].append(statement(wrapped))
        return
    line = statement(wrapped)
    edits.before[training.outer].append(led_by(line, []))


def _last_of_model(work: Upgrading, training: Training, model: cst.Name) -> Statement | None:
    """Return the last statement before the loop, in its own block, that makes the model."""
    script = work.script
    block = script.parent(training.outer)
    found = None
    for each in block.children if block is not None else ():
        if each is training.outer:
            break
        if isinstance(each, Statement) and _makes_model(work, each, model):
            found = each
    return found


def _makes_model(work: Upgrading, node: Statement, model: cst.Name) -> bool:
    match only(node):
        case cst.AnnAssign(target=cst.Name(value=name)):
            return name == model.value
        case cst.Assign(targets=targets):
            return any(
                name.value == model.value
                for target in targets
                for name in work.script.all_of(cst.Name, target)
            )
        case cst.Expr(value=cst.Call(func=cst.Attribute(value=cst.Name(value=name), attr=attr))):
            return name == model.value and attr.value in ("to", "cuda")
        case _:
            return False
