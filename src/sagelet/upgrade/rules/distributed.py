"""Several hosts and several processes: the process group, and who sees which data."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from sagelet.upgrade.calls import (
    argument,
    has_open_keywords,
    is_constant,
    keyword,
    words_in,
)
from sagelet.upgrade.findings import Rule, Severity
from sagelet.upgrade.program import Program
from sagelet.upgrade.subjects import Check, Script, Spot

NO_SAMPLER = Rule(
    id="no-distributed-sampler",
    title="Each rank trains on all of the data",
    severity=Severity.WARNING,
    why=(
        "DistributedDataParallel averages gradients; it does not share out the data. Without a "
        "DistributedSampler every rank goes through the whole data set: two hosts do twice the "
        "work, in the same time."
    ),
    fix="Give the loader a DistributedSampler where there is a process group.",
    example=(
        "loader = DataLoader(train_set, shuffle=True)  # each rank: everything\n\n"
        "sampler = DistributedSampler(train_set)\nloader = DataLoader(train_set, sampler=sampler)"
    ),
    is_upgraded=True,
)
SAMPLER_SHUFFLE = Rule(
    id="sampler-and-shuffle",
    title="A sampler and shuffle=True together",
    severity=Severity.ERROR,
    why=(
        "DataLoader refuses both with ValueError: the sampler decides the order. A "
        "DistributedSampler shuffles by itself."
    ),
    fix="Leave shuffle out, or write `shuffle=sampler is None`.",
    example=(
        "DataLoader(data, sampler=sampler, shuffle=True)  # ValueError\n"
        "DataLoader(data, sampler=sampler)"
    ),
)
NO_SET_EPOCH = Rule(
    id="no-set-epoch",
    title="A distributed sampler that is never told the epoch",
    severity=Severity.WARNING,
    why=(
        "A DistributedSampler shuffles by its seed and the epoch. Without `set_epoch` each epoch "
        "has the same order, and the same batches: the model learns less from them."
    ),
    fix="Call `sampler.set_epoch(epoch)` at the beginning of each epoch.",
    example=(
        "for epoch in range(epochs):\n    for batch in loader: ...  # the same order each time\n\n"
        "for epoch in range(epochs):\n    sampler.set_epoch(epoch)\n    for batch in loader: ..."
    ),
    is_upgraded=True,
)
NOT_DISTRIBUTED = Rule(
    id="not-distributed",
    title="On several hosts each would train a model of its own",
    severity=Severity.HINT,
    why=(
        "A job with an instance count of two starts the script twice. Without a process group the "
        "two know nothing of each other: both train on everything, and their models overwrite "
        "each other."
    ),
    fix="Make a process group where there is more than one host, and wrap the model in DDP.",
    example=(
        "model = Net()\n\n"
        "dist.init_process_group(backend, rank=rank, world_size=len(hosts))\nmodel = DDP(Net())"
    ),
    is_upgraded=True,
)

_NOT_TRAINING = re.compile(r"test|val|eval|dev|infer|predict", re.IGNORECASE)

_GROUPS = frozenset({"init_device_mesh", "fully_shard", "FullyShardedDataParallel"})


def no_sampler(script: Script) -> Iterator[Spot]:
    """Find training loaders without a sampler, where there is a process group."""
    if not script.process_groups or script.has_launcher:
        return
    program = script.program
    for call in program.torch_calls("DataLoader"):
        if has_open_keywords(call) or any(
            keyword(call, name) is not None for name in ("sampler", "batch_sampler")
        ):
            continue
        if len(call.args) <= 3 and _is_for_training(script, call):
            yield Spot(call, "without a DistributedSampler each rank goes through all of the data")


def sampler_and_shuffle(script: Script) -> Iterator[Spot]:
    """Find loaders that are given an order twice."""
    for call in script.program.torch_calls("DataLoader"):
        sampler, shuffle = keyword(call, "sampler"), argument(call, 2, "shuffle")
        if sampler is None or not is_constant(shuffle, value=True):
            continue
        if is_constant(sampler, value=None) or _may_be_none(script.program, sampler):
            continue
        assert shuffle is not None
        yield Spot(shuffle, "DataLoader refuses shuffle=True beside a sampler")


def no_set_epoch(script: Script) -> Iterator[Spot]:
    """Find samplers for training that are never told the epoch."""
    program = script.program
    if not script.trains or program.methods["set_epoch"] or script.has_launcher:
        return
    for call in program.torch_calls("DistributedSampler"):
        if is_constant(keyword(call, "shuffle"), value=False) or has_open_keywords(call):
            continue
        words = {*_targets(program, call), *(words_in(call.args[0]) if call.args else ())}
        if not any(_NOT_TRAINING.search(word) for word in words):
            yield Spot(call, "no set_epoch tells this sampler the epoch: each has the same order")


def not_distributed(script: Script) -> Iterator[Spot]:
    """Find training scripts in which nothing joins several hosts."""
    if not script.runs or not script.program.methods["backward"] or not script.trains:
        return
    if script.process_groups or script.has_launcher or script.program.torch_calls(*_GROUPS):
        return
    hosts = script.training.hosts if script.training else 1
    if script.local_imports and hosts == 1:
        return
    severity = Severity.WARNING if hosts > 1 and not script.local_imports else None
    shown = f"each of the {hosts} hosts" if hosts > 1 else "on several hosts each"
    call = next(call for call in script.training_calls)
    yield Spot(call, f"{shown} would train a model of its own", severity=severity)


def _is_for_training(script: Script, call: ast.Call) -> bool:
    program = script.program
    words = {*_targets(program, call), *(words_in(call.args[0]) if call.args else ())}
    scope = program.scope_of(call)
    words.add(getattr(scope, "name", ""))
    if any(_NOT_TRAINING.search(word) for word in words):
        return False
    return is_constant(argument(call, 2, "shuffle"), value=True) or any(
        "train" in word.lower() for word in words
    )


def _targets(program: Program, node: ast.AST) -> Iterator[str]:
    """Yield the names that a value is assigned to, and the keys and keywords that it goes by."""
    for above in program.ancestors(node):
        match above:
            case ast.Assign():
                for target in above.targets:
                    yield from words_in(target)
                return
            case ast.keyword(arg=str(name)):
                yield name
            case ast.stmt():
                return
            case _:
                continue


def _may_be_none(program: Program, node: ast.expr) -> bool:
    """Whether a sampler is None in some cases, in which to shuffle is right."""
    if isinstance(node, ast.IfExp):
        return True
    if isinstance(node, ast.Name):
        value = program.single_value(node)
        return value is None or isinstance(value, ast.IfExp) or is_constant(value, value=None)
    return not isinstance(node, ast.Call)


CHECKS = (
    Check(NO_SAMPLER, no_sampler),
    Check(SAMPLER_SHUFFLE, sampler_and_shuffle),
    Check(NO_SET_EPOCH, no_set_epoch),
    Check(NOT_DISTRIBUTED, not_distributed),
)
