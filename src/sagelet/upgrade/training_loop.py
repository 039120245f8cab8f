"""The training loop of a script: epochs, batches, the loader that gives them, the model trained."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from sagelet.upgrade.dataflow import Dataflow, stripped
from sagelet.upgrade.nodes import argument
from sagelet.upgrade.shapes import Function, Script, arguments

LOADER = frozenset({"torch.utils.data.DataLoader", "torch.utils.data.dataloader.DataLoader"})
_TRAINER = re.compile(r"(?i)trainer|learn|fabric")
_DISTRIBUTION = (
    "torch.distributed",
    "torch.nn.parallel.DistributedDataParallel",
    "torch.multiprocessing",
)
_WRAPPERS = frozenset({"enumerate", "tqdm", "trange", "progress_bar", "track", "notebook_tqdm"})


class CannotTell(Exception):
    """Why a script's training loop is not distributed, and where that shows."""

    def __init__(self, node: cst.CSTNode, why: str) -> None:
        """Take the node and one sentence."""
        super().__init__(why)
        self.node = node
        self.why = why


@dataclass(frozen=True, eq=False)
class Training:
    """A training loop.

    `batches` is the loop over the loader; `epochs` the one around it, if there is one. `path` are
    the calls between them, from the inner to the outer, where they are in different functions.
    `model` is the expression that makes the model, `loader` the one that makes the loader.
    """

    backward: cst.Call
    batches: cst.For
    epochs: cst.For | None
    path: tuple[cst.Call, ...]
    loader: cst.Call
    model: cst.Call

    @property
    def outer(self) -> cst.For:
        """The outermost loop of the training."""
        return self.epochs or self.batches


def backward_calls(script: Script) -> list[cst.Call]:
    """Return the calls that compute gradients."""
    return [
        call
        for call in script.calls
        if isinstance(call.func, cst.Attribute) and call.func.attr.value == "backward"
    ]


def training_functions(script: Script) -> set[Function]:
    """Return the functions that train, or call one that does."""
    found: set[Function] = set()
    pending: list[cst.CSTNode] = [*backward_calls(script)]
    while pending:
        function = script.function_at(pending.pop())
        if function is not None and function not in found:
            found.add(function)
            pending.extend(script.calls_to(function))
    return found


def is_distributed(script: Script) -> bool:
    """Whether a script distributes its training already."""
    return any(is_distribution(script, call) for call in script.calls)


def is_distribution(script: Script, call: cst.Call) -> bool:
    """Whether a call is one by which ranks meet, or share."""
    name = script.callee(call)
    return name.startswith(_DISTRIBUTION) or name.endswith(".DistributedSampler")


def trains(script: Script) -> bool:
    """Whether a script trains: by a loop of its own, or by somebody's trainer."""
    return bool(backward_calls(script)) or any(
        isinstance(call.func, cst.Attribute)
        and call.func.attr.value in ("fit", "train")
        and bool(_TRAINER.search(script.code(call.func.value)))
        for call in script.calls
    )


def find_training(script: Script, flow: Dataflow) -> Training:
    """Return the script's one training loop.

    Raises:
        CannotTell: there is none, or more than one, or it is not seen through.
    """
    found: list[tuple[cst.Call, list[cst.For], tuple[cst.Call, ...]]] = []
    for backward in backward_calls(script):
        loops, path = _loops_around(script, backward)
        if not any(loops[0] is known[0] for _, known, _ in found):
            found.append((backward, loops, path))
    if len(found) > 1:
        raise CannotTell(found[1][0], "there is more than one training loop")
    ((backward, loops, path),) = found
    if len(loops) > 2:
        raise CannotTell(loops[2], "it trains in more loops than those of epochs and batches")
    loader = _loader(flow, loops[0])
    model = trained_model(script, flow)
    epochs = loops[1] if len(loops) > 1 else None
    return Training(backward, loops[0], epochs, path, loader, model)


def _loops_around(script: Script, node: cst.CSTNode) -> tuple[list[cst.For], tuple[cst.Call, ...]]:
    """Return the loops around a node, also those around the calls of its function."""
    loops: list[cst.For] = []
    path: list[cst.Call] = []
    seen: set[Function] = set()
    here: cst.CSTNode | None = node
    while here is not None:
        loops += _loops_in_function(script, here)
        function = script.function_at(here)
        if function is None and script.home(here) is not None:
            raise CannotTell(here, "it trains in a method or in a function inside a function")
        here = None if function is None or function in seen else _one_call(script, function)
        if function is not None:
            seen.add(function)
        if here is not None and len(loops) == 1:
            path.append(here)
    if not loops:
        raise CannotTell(node, "there is no loop over batches around `backward()`")
    return loops, tuple(path) if len(loops) > 1 else ()


def _loops_in_function(script: Script, node: cst.CSTNode) -> list[cst.For]:
    loops = []
    for each in script.above(node):
        if isinstance(each, cst.While):
            raise CannotTell(each, "it trains in a `while` loop")
        if isinstance(each, cst.For):
            loops.append(each)
        if isinstance(each, cst.FunctionDef):
            break
    return loops


def _one_call(script: Script, function: Function) -> cst.Call | None:
    """Return the only call of a function; None where nobody calls it."""
    calls = script.calls_to(function)
    if len(calls) > 1 or script.is_handed_on(function):
        where = calls[-1] if calls else function.node
        raise CannotTell(where, f"`{function.name}` trains, and is called in more than one place")
    return calls[0] if calls else None


def iterated(loop: cst.For) -> cst.BaseExpression:
    """Return what a loop goes over, without `enumerate`, `tqdm` and the like."""
    return _unwrapped(loop.iter)


def _unwrapped(node: cst.BaseExpression) -> cst.BaseExpression:
    while isinstance(node, cst.Call) and node.args:
        func = node.func
        name = func.attr.value if isinstance(func, cst.Attribute) else None
        name = func.value if isinstance(func, cst.Name) else name
        if name not in _WRAPPERS:
            break
        node = node.args[0].value
    return node


def _loader(flow: Dataflow, loop: cst.For) -> cst.Call:
    found = list(loaders_of(flow, loop))
    if len(found) > 1:
        raise CannotTell(loop, "its loop goes over several loaders")
    if not found:
        raise CannotTell(loop, "its loop does not go over a DataLoader that the script makes")
    return found[0]


def loaders_of(flow: Dataflow, loop: cst.For) -> Iterator[cst.Call]:
    """Yield the DataLoader calls that a loop's batches may come from; none where one is unknown."""
    found = []
    for origin in flow.origins(iterated(loop)):
        made = origin
        if isinstance(made, cst.Call) and (inner := _unwrapped(made)) is not made:
            made = flow.origin(inner) or made
        if not (isinstance(made, cst.Call) and flow.script.callee(made) in LOADER):
            return
        found.append(made)
    yield from dict.fromkeys(found)


def trained_model(script: Script, flow: Dataflow) -> cst.Call:
    """Return the call that makes the model whose parameters the optimiser has.

    Raises:
        CannotTell: there is no optimiser, or it has several models, or one that is not seen.
    """
    optimisers = [call for call in script.calls if is_optimiser(script, call)]
    if not optimisers:
        raise CannotTell(script.module, "no optimiser of torch.optim is made")
    made: list[cst.Call] = []
    for optimiser in optimisers:
        for model in _models_of(script, flow, optimiser):
            if model not in made:
                made.append(model)
    if len(made) > 1:
        raise CannotTell(optimisers[-1], "it trains several models")
    if not made:
        raise CannotTell(optimisers[0], "it is not seen which model the optimiser trains")
    return made[0]


def is_optimiser(script: Script, call: cst.Call) -> bool:
    """Whether a call makes one of torch's optimisers."""
    name = script.callee(call)
    return name.startswith("torch.optim.") and "lr_scheduler" not in name


def _models_of(script: Script, flow: Dataflow, optimiser: cst.Call) -> Iterator[cst.Call]:
    given = argument(optimiser, 0, "params")
    if given is None:
        return
    sources: list[cst.CSTNode] = [given.value]
    if isinstance(given.value, cst.Name):
        sources = [each for each in flow.origins(given.value)]
    for call in (call for source in sources for call in script.all_of(cst.Call, source)):
        match call.func:
            case cst.Attribute(value=value, attr=attr) if attr.value in (
                "parameters",
                "named_parameters",
            ):
                made = model_of(flow, value)
                if made is None:
                    raise CannotTell(optimiser, "it is not seen how the model is made")
                yield made
            case _:
                pass


def model_of(flow: Dataflow, node: cst.BaseExpression) -> cst.Call | None:
    """Return the call that makes the model that an expression stands for, or is a part of."""
    base = node
    while isinstance(base, cst.Attribute):
        base = base.value
    made = maker(flow, base)
    return made if isinstance(made, cst.Call) else None


def maker(flow: Dataflow, node: cst.BaseExpression) -> cst.BaseExpression | None:
    """Return what makes a value, without `.to(device)` and the like."""
    for _ in range(6):
        found = flow.origin(node)
        if found is None:
            return None
        core = stripped(found)
        if core is found:
            return core
        node = core
    return None


def at_loop(flow: Dataflow, training: Training, node: cst.BaseExpression) -> cst.BaseExpression:
    """Return what a name inside the batch loop is called where the epochs' loop stands.

    Raises:
        CannotTell: it is made in between.
    """
    script = flow.script
    for call in training.path:
        function = script.target(call)
        assert function is not None
        given = arguments(call, function)
        name = node.value if isinstance(node, cst.Name) else ""
        if name and function.parameter(name) is None and not flow.bindings(name, function.node):
            return node  # it is everybody's
        if given is None or name not in given or flow.bindings(name, function.node):
            raise CannotTell(call, f"`{script.code(node)}` is made anew in each epoch")
        node = given[name].value
    return node
