"""The functions that an endpoint calls."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from sagelet.errors import UnreadableSource
from sagelet.upgrade.calls import Function, parameters
from sagelet.upgrade.findings import Rule, Severity
from sagelet.upgrade.program import Program
from sagelet.upgrade.sources import read_bytes
from sagelet.upgrade.subjects import HANDLERS, Check, Script, Spot

MISSING_MODEL_FN = Rule(
    id="missing-model-fn",
    title="No model_fn",
    severity=Severity.WARNING,
    why=(
        "Without a model_fn the toolkit loads the one TorchScript file (`model.pt`) of the "
        "archive. Weights alone, a state dict, say nothing of the model that they are for: the "
        "endpoint fails after ten minutes on SageMaker, and at once here."
    ),
    fix="Define `model_fn(model_dir)`, which builds the model and loads its weights.",
    example=(
        "def model_fn(model_dir):\n    model = Net()\n"
        '    path = os.path.join(model_dir, "model.pth")\n'
        '    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))\n'
        "    return model.eval()"
    ),
    is_upgraded=True,
)
RETURNS_NONE = Rule(
    id="model-fn-returns-none",
    title="model_fn returns nothing",
    severity=Severity.ERROR,
    why=(
        "What model_fn returns is what predict_fn gets. None is allowed where your own predict_fn "
        "does without (the first article loads its model elsewhere, at each request); the default "
        "one calls it, and each request fails."
    ),
    fix="Return the model.",
    example=(
        "def model_fn(model_dir):\n    model = load(model_dir)  # and no return\n\n"
        "def model_fn(model_dir):\n    return load(model_dir)"
    ),
)
ARITY = Rule(
    id="handler-arity",
    title="A handler with the wrong number of parameters",
    severity=Severity.ERROR,
    why=(
        "The toolkit counts a handler's parameters: model_fn has 1, input_fn, predict_fn and "
        "output_fn have 2, transform_fn has 4, and each may have one more for the context. Any "
        "other number is refused, parameters with defaults and `*args` are counted like the rest."
    ),
    fix="Take the parameters that the handler is called with.",
    example=(
        "def input_fn(body):  # broken\ndef input_fn(body, content_type):\n"
        "def input_fn(body, content_type, context):"
    ),
)
ASYNC = Rule(
    id="async-handler",
    title="A handler that is async",
    severity=Severity.ERROR,
    why="The toolkit calls handlers as plain functions: a coroutine is never awaited.",
    fix="Write `def`, and use asyncio.run() inside of it.",
    example="async def predict_fn(data, model):  # broken\ndef predict_fn(data, model):",
)
CONFLICT = Rule(
    id="transform-fn-conflict",
    title="transform_fn beside the functions that it stands for",
    severity=Severity.ERROR,
    why=(
        "transform_fn does the work of input_fn, predict_fn and output_fn. The toolkit refuses a "
        "module that has it and any of the others, and the endpoint does not come up."
    ),
    fix="Keep one or the other.",
    example="def transform_fn(…): …\ndef predict_fn(…): …  # refused",
)

_REPLACED = ("input_fn", "predict_fn", "output_fn")
_OTHERS = (*_REPLACED, "transform_fn")
_DEFINITION = b"def model_fn("
_MOST_BESIDE = 100


def missing_model_fn(script: Script) -> Iterator[Spot]:
    """Find scripts that serve, or are to serve, and do not say how to load the model."""
    if "model_fn" in script.handlers or _has_by_name(script.program, "model_fn"):
        return
    handlers = [script.handlers[name] for name in _OTHERS if name in script.handlers]
    if handlers:
        yield Spot(handlers[0], "the model is loaded by the default model_fn: TorchScript only")
    elif script.is_serve_entry:
        yield Spot((1, 1), "this serves, and defines no model_fn")
    elif script.trains and script.runs and not _is_served_by_another(script):
        for call in script.program.calls_of("torch.save")[:1]:
            message = "these weights need a model_fn to be served with"
            yield Spot(call, message, severity=Severity.HINT)


def returns_none(script: Script) -> Iterator[Spot]:
    """Find model_fn without a value."""
    function = script.handlers.get("model_fn")
    if function is None or _returns_something(script.program, function):
        return
    takes_none = any(name in script.handlers for name in ("predict_fn", "transform_fn"))
    message = "model_fn returns None, which the default predict_fn would call"
    if takes_none:
        message = "model_fn returns None: whatever is loaded, is loaded at each request"
    yield Spot(function, message, severity=Severity.HINT if takes_none else None)


def arity(script: Script) -> Iterator[Spot]:
    """Find handlers that the toolkit would not call."""
    for name, function in script.handlers.items():
        count, wanted = len(parameters(function)), HANDLERS[name]
        if not function.decorator_list and count not in (wanted, wanted + 1):
            given = f"{wanted} {'argument' if wanted == 1 else 'arguments'}"
            yield Spot(function, f"{name} takes {count}, and is called with {given}")


def async_handler(script: Script) -> Iterator[Spot]:
    """Find handlers that would have to be awaited."""
    for name, function in script.handlers.items():
        if isinstance(function, ast.AsyncFunctionDef):
            yield Spot(function, f"{name} is async, and nothing awaits it")


def conflict(script: Script) -> Iterator[Spot]:
    """Find transform_fn in bad company."""
    others = [name for name in _REPLACED if name in script.handlers]
    if "transform_fn" in script.handlers and others:
        message = f"transform_fn stands beside {', '.join(others)}"
        yield Spot(script.handlers["transform_fn"], message)


def _has_by_name(program: Program, name: str) -> bool:
    """Whether a name is imported, assigned, or may come with a star."""
    return (
        name in program.imports
        or "*" in program.imports
        or bool(program.values_of(name, program.tree))
        or any(function.name == name for function in program.nodes(ast.FunctionDef))
    )


def _is_served_by_another(script: Script) -> bool:
    """Whether the project says what serves, or a script beside this one defines model_fn."""
    if script.project is not None and script.project.serve is not None:
        return True
    beside = sorted(script.source.path.parent.glob("*.py"))[:_MOST_BESIDE]
    return any(_DEFINITION in _content(file) for file in beside)


def _content(file: Path) -> bytes:
    try:
        return read_bytes(file)
    except UnreadableSource:
        return b""  # whoever checks it is told


def _returns_something(program: Program, function: Function) -> bool:
    if isinstance(function.body[-1], ast.Raise):
        return True
    own: list[ast.AST] = [
        *(node for node in program.nodes(ast.Return) if node.value is not None),
        *program.nodes(ast.Yield),
        *program.nodes(ast.YieldFrom),
    ]
    return any(program.scope_of(node) is function for node in own)


CHECKS = (
    Check(MISSING_MODEL_FN, missing_model_fn),
    Check(RETURNS_NONE, returns_none),
    Check(ARITY, arity),
    Check(ASYNC, async_handler),
    Check(CONFLICT, conflict),
)
