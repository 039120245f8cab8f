"""What a training script saves, and who saves it."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

from sagelet.upgrade.calls import Function, argument, parameters, words_in
from sagelet.upgrade.findings import Rule, Severity
from sagelet.upgrade.pathflow import WRITERS
from sagelet.upgrade.program import Program, Scope, asks_for_main
from sagelet.upgrade.subjects import Check, Script, Spot

EVERY_RANK = Rule(
    id="every-rank-saves",
    title="Every rank saves the model",
    severity=Severity.WARNING,
    why=(
        "All ranks hold the same weights. Where each saves them, processes of one host write one "
        "file at the same time, and what several hosts wrote under the same name meets in one "
        "model.tar.gz: the last one wins, also if its file is half written."
    ),
    fix="Save on rank 0 only.",
    example=(
        "torch.save(model.module.state_dict(), path)  # on each rank\n\n"
        "if dist.get_rank() == 0:\n    torch.save(model.module.state_dict(), path)"
    ),
    is_upgraded=True,
)
MODULE_PREFIX = Rule(
    id="module-prefix",
    title="A state dict whose keys begin with `module.`",
    severity=Severity.WARNING,
    why=(
        "DistributedDataParallel and DataParallel hold the model as their `module`, and so do "
        "their state dicts: `module.fc1.weight`. A plain model refuses such weights when an "
        'endpoint loads them ("Missing key(s) in state_dict").'
    ),
    fix="Save `model.module.state_dict()`.",
    example=(
        "model = DDP(Net())\ntorch.save(model.state_dict(), path)  # module.fc1.weight\n"
        "torch.save(model.module.state_dict(), path)  # fc1.weight"
    ),
    is_upgraded=True,
)
WHOLE_MODEL = Rule(
    id="whole-model-saved",
    title="The model is saved as a whole",
    severity=Severity.WARNING,
    why=(
        "`torch.save(model, …)` pickles the object: it loads only where the same class can be "
        "imported from the same module, so that a class of the training script (`__main__.Net`) is "
        "missing in an endpoint; and since torch 2.6 torch.load refuses it by default."
    ),
    fix="Save the state dict, and what the model was built with; build it anew to load.",
    example=(
        "torch.save(model, path)  # needs __main__.Net to load\n"
        'torch.save({"hyperparameters": {"hidden": 64}, "weights": model.state_dict()}, path)'
    ),
)

_RANK = re.compile(
    r"rank|(?:^|_)(?:is_)?(?:main|master|primary|chief|leader)(?:_|$)|main_process|current_host|hosts",
    re.IGNORECASE,
)
_WRAPPED = re.compile(r"module|DDP|DataParallel|distributed|world_size|parallel", re.IGNORECASE)
_WRAPPERS = ("DistributedDataParallel", "DataParallel")
_PASSED_THROUGH = frozenset({"cpu", "cuda", "to", "eval", "float", "half", "train"})
_MODEL_NAMES = frozenset({"model", "net", "network"})
_CALLERS = 3


def every_rank(script: Script) -> Iterator[Spot]:
    """Find saves that no test of the rank guards."""
    if not script.process_groups or script.has_launcher:
        return
    program = script.program
    for call in _saves(program):
        if program.is_in_memory(argument(call, 1, "f")):
            continue
        if not is_for_one_rank(program, call):
            yield Spot(call, "every rank writes this file, at the same time")


def module_prefix(script: Script) -> Iterator[Spot]:
    """Find state dicts of wrapped models that are saved."""
    program = script.program
    saved = _Saved(program)
    for call in program.methods["state_dict"] if saved.calls else ():
        assert isinstance(call.func, ast.Attribute)
        name = _bare(call.func.value)
        scope = program.scope_of(call)
        if name is None or call not in saved or _asks_for_wrapper(program, call):
            continue
        if _is_wrapped(program, name, scope):
            yield Spot(call, f"the keys of {name}'s state dict begin with `module.`")


def whole_model(script: Script) -> Iterator[Spot]:
    """Find models that are pickled."""
    program = script.program
    for call in program.calls_of("torch.save"):
        saved = argument(call, 0, "obj")
        if isinstance(saved, ast.Name) and _is_model(program, saved):
            yield Spot(call, f"this pickles {saved.id} itself, with the name of its class")


def is_for_one_rank(program: Program, node: ast.AST, depth: int = _CALLERS) -> bool:
    """Whether only one rank comes to a node: by a test around it, before it, or at each call."""
    if any(_RANK.search(word) for word in words_in(node)) or _is_tested(program, node):
        return True
    scope = program.scope_of(node)
    if not isinstance(scope, Function):
        return False
    if any(_RANK.search(word) for each in scope.decorator_list for word in words_in(each)):
        return True
    if _has_left(scope, node):
        return True
    callers = program.callers(scope) if depth else []
    return bool(callers) and all(is_for_one_rank(program, call, depth - 1) for call in callers)


def _is_tested(program: Program, node: ast.AST) -> bool:
    tests = (test for test in program.tests_around(node) if not asks_for_main(test))
    return any(_RANK.search(word) for test in tests for word in words_in(test))


def _has_left(scope: Function, node: ast.AST) -> bool:
    """Whether the other ranks have returned before: `if rank != 0: return`."""
    line = getattr(node, "lineno", 0)
    return any(
        isinstance(each, ast.If)
        and each.lineno < line
        and isinstance(each.body[-1], ast.Return | ast.Continue | ast.Raise)
        and any(_RANK.search(word) for word in words_in(each.test))
        for each in scope.body
    )


def _saves(program: Program) -> Iterator[ast.Call]:
    names = ("torch.save", "torch.jit.save", *(n for n in WRITERS if n.startswith("safetensors.")))
    yield from program.calls_of(*names)
    yield from program.methods["save_pretrained"]


def _bare(node: ast.expr) -> str | None:
    """Return the name of a model through `.cpu()` and its like."""
    while (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _PASSED_THROUGH
    ):
        node = node.func.value
    return node.id if isinstance(node, ast.Name) else None


class _Saved:
    """What ends up in `torch.save` and its like: what stands inside, and what goes by a name."""

    def __init__(self, program: Program) -> None:
        self.calls = set(_saves(program))
        self._program = program
        self._words: dict[Scope, set[str]] = defaultdict(set)
        for call in self.calls:
            self._words[program.scope_of(call)].update(words_in(call))

    def __contains__(self, call: ast.Call) -> bool:
        for above in self._program.ancestors(call):
            if above in self.calls:
                return True
            if isinstance(above, ast.Assign):
                names = {word for target in above.targets for word in words_in(target)}
                return bool(names & self._words[self._program.scope_of(call)])
            if isinstance(above, ast.stmt):
                return False
        return False


def _is_wrapped(program: Program, name: str, scope: Scope) -> bool:
    values = program.values_of(name, scope)
    if isinstance(scope, Function) and name in parameters(scope):
        place = parameters(scope).index(name)
        given = [argument(call, place, name) for call in program.callers(scope)]
        return any(
            isinstance(each, ast.Name)
            and _has_wrapper(program, program.values_of(each.id, program.scope_of(each)))
            for each in given
        )
    return _has_wrapper(program, values)


def _has_wrapper(program: Program, values: list[ast.expr]) -> bool:
    if any(isinstance(value, ast.Attribute) and value.attr == "module" for value in values):
        return False
    return any(
        isinstance(inner, ast.Call) and is_wrapper(program, inner)
        for value in values
        for inner in (value, *_receivers(value))
    )


def _receivers(node: ast.expr) -> Iterator[ast.expr]:
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        node = node.func.value
        yield node


def is_wrapper(program: Program, call: ast.Call) -> bool:
    """Whether a call wraps a model in DistributedDataParallel or DataParallel."""
    return program.is_torch(call.func, *_WRAPPERS)


def _asks_for_wrapper(program: Program, call: ast.Call) -> bool:
    return any(
        _WRAPPED.search(word) for test in program.tests_around(call) for word in words_in(test)
    )


def _is_model(program: Program, node: ast.Name) -> bool:
    scope = program.scope_of(node)
    if isinstance(scope, Function) and node.id in parameters(scope):
        return node.id in _MODEL_NAMES
    return any(
        isinstance(inner, ast.Call) and (is_wrapper(program, inner) or _is_class(program, inner))
        for value in program.values_of(node.id, scope)
        for inner in (value, *_receivers(value))
    )


def _is_class(program: Program, call: ast.Call) -> bool:
    """Whether a call makes an instance of the script's own subclass of Module."""
    own = program.classes.get(call.func.id) if isinstance(call.func, ast.Name) else None
    return own is not None and any(program.is_torch(base, "Module") for base in own.bases)


CHECKS = (
    Check(EVERY_RANK, every_rank),
    Check(MODULE_PREFIX, module_prefix),
    Check(WHOLE_MODEL, whole_model),
)
