"""How weights are loaded again."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sagelet.upgrade.calls import Function, argument, has_open_keywords, is_constant, keyword
from sagelet.upgrade.findings import Rule, Severity
from sagelet.upgrade.program import Program
from sagelet.upgrade.rules.saving import is_wrapper
from sagelet.upgrade.subjects import Check, Script, Spot

NO_MAP_LOCATION = Rule(
    id="no-map-location",
    title="Weights that load only on the device they came from",
    severity=Severity.WARNING,
    why=(
        "torch.load puts tensors back where they were. Weights of a GPU do not load on an instance "
        'without one ("Attempting to deserialize object on a CUDA device"), which is what many '
        "endpoints run on; and ranks that load a checkpoint all load it onto the first GPU."
    ),
    fix='Say where to: `torch.load(path, map_location="cpu")`.',
    example='torch.load(path)  # fails without a GPU\ntorch.load(path, map_location="cpu")',
    is_upgraded=True,
)
NO_WEIGHTS_ONLY = Rule(
    id="no-weights-only",
    title="torch.load may run code",
    severity=Severity.HINT,
    why=(
        "Before torch 2.6 torch.load unpickles whatever is in the file, which may run any code; "
        "from 2.6 on it takes tensors only, by default. Said outright, it is the same everywhere."
    ),
    fix="Add `weights_only=True`.",
    example="torch.load(path)\ntorch.load(path, weights_only=True)",
)
CLOSED_FILE = Rule(
    id="closed-file",
    title="A file is read after its `with` has closed it",
    severity=Severity.ERROR,
    why=(
        "The file is closed where the block of its `with` ends; what reads it afterwards fails "
        'with "I/O operation on closed file". It happens where a page lost the indentation.'
    ),
    fix="Indent the line, so that it stands inside of the block.",
    example=(
        'with open(path, "rb") as f:\n    pass\nweights = torch.load(f)  # closed\n\n'
        'with open(path, "rb") as f:\n    weights = torch.load(f)'
    ),
)
NO_EVAL = Rule(
    id="no-eval",
    title="A model that serves in training mode",
    severity=Severity.WARNING,
    why=(
        "A new model is in training mode: dropout drops, and batch norm takes the statistics of "
        "the request. The same request is answered differently each time, and worse. The "
        "toolkit's default predict_fn does not call eval() either."
    ),
    fix="Return `model.eval()` from model_fn.",
    example="return model.to(device)  # still in training mode\nreturn model.to(device).eval()",
    is_upgraded=True,
)
DATA_PARALLEL = Rule(
    id="data-parallel-for-keys",
    title="DataParallel only to match `module.` keys",
    severity=Severity.WARNING,
    why=(
        "The article wraps the model in DataParallel so that its keys begin with `module.` as "
        "those of the weights do. In an endpoint it copies the model to every GPU for each "
        "request, and without a GPU it only hides the reason."
    ),
    fix="Save the weights of the unwrapped model, and load them into a plain one.",
    example=(
        "model = torch.nn.DataParallel(Net())  # for the keys\n\n"
        "model = Net()  # and torch.save(model.module.state_dict(), …) in the training script"
    ),
    is_upgraded=True,
)

_LOADS = ("torch.load", "torch.jit.load")
_FILE_READERS = frozenset({"torch.load", "pickle.load", "json.load", "joblib.load", "numpy.load"})


def no_map_location(script: Script) -> Iterator[Spot]:
    """Find weights that are loaded without a place to load them to."""
    program = script.program
    for call in program.calls_of(*_LOADS):
        if argument(call, 1, "map_location") is not None or has_open_keywords(call):
            continue
        if program.is_in_memory(argument(call, 0, "f")):
            continue
        if _is_in_model_fn(script, call) or _becomes_weights(script, call):
            yield Spot(call, "these weights load only where there is the device they came from")


def no_weights_only(script: Script) -> Iterator[Spot]:
    """Find loads that leave it to torch's version what they take."""
    if not (script.is_job or script.serves):
        return
    for call in script.program.calls_of("torch.load"):
        if keyword(call, "weights_only") is None and not has_open_keywords(call):
            yield Spot(call, "before torch 2.6 this runs code that the file may hold")


def closed_file(script: Script) -> Iterator[Spot]:
    """Find files that are read after their block."""
    program = script.program
    for call in program.calls_of(*_FILE_READERS):
        given = call.args[0] if call.args else None
        if not isinstance(given, ast.Name):
            continue
        values = program.values_of(given.id, program.scope_of(call))
        last = _end_of_block(program, values[0]) if len(values) == 1 else None
        if last is not None and call.lineno > last and not _is_elsewhere(program, call, values[0]):
            yield Spot(call, f"{given.id} was closed in line {last}")


def no_eval(script: Script) -> Iterator[Spot]:
    """Find model_fn that loads weights where nothing calls eval()."""
    model_fn = script.handlers.get("model_fn")
    program = script.program
    loads = [
        call
        for call in [*program.methods["load_state_dict"], *program.calls_of(*_LOADS)]
        if model_fn is not None and program.is_inside(call, model_fn)
    ]
    if not loads or program.methods["eval"] or _trains_off(script):
        return
    assert model_fn is not None
    yield Spot(model_fn, "the model that model_fn returns is in training mode")


def data_parallel(script: Script) -> Iterator[Spot]:
    """Find wrappers in what loads the model of an endpoint."""
    for call in script.program.calls:
        if is_wrapper(script.program, call) and _is_in_model_fn(script, call):
            yield Spot(call, "the model is wrapped where nothing is trained")


def _end_of_block(program: Program, opened: ast.expr) -> int | None:
    """Return the last line of the `with` that opens a file."""
    item = program.parent(opened)
    is_open = isinstance(opened, ast.Call) and program.name_of(opened.func) == "open"
    block = program.parent(item) if isinstance(item, ast.withitem) and is_open else None
    return block.end_lineno if isinstance(block, ast.With) else None


def _is_elsewhere(program: Program, call: ast.Call, opened: ast.expr) -> bool:
    """Whether reading and opening are of different functions, of which nobody knows the order."""
    return program.scope_of(call) is not program.scope_of(opened)


def _is_in_model_fn(script: Script, node: ast.AST) -> bool:
    """Whether a node stands in model_fn, or in a function that model_fn calls."""
    model_fn = script.handlers.get("model_fn")
    if model_fn is None:
        return False
    program = script.program
    if program.is_inside(node, model_fn):
        return True
    scope = program.scope_of(node)
    return isinstance(scope, Function) and any(
        program.is_inside(call, model_fn) for call in program.callers(scope)
    )


def _becomes_weights(script: Script, call: ast.Call) -> bool:
    """Whether what is loaded goes into a model: at once, or by a name."""
    program = script.program
    loading = program.methods["load_state_dict"]
    if any(program.is_inside(call, each) for each in loading):
        return True
    assigned = program.parent(call)
    if not isinstance(assigned, ast.Assign):
        return False
    names = {target.id for target in assigned.targets if isinstance(target, ast.Name)}
    scope = program.scope_of(call)
    return any(
        program.scope_of(each) is scope
        and any(isinstance(n, ast.Name) and n.id in names for n in ast.walk(each))
        for each in loading
    )


def _trains_off(script: Script) -> bool:
    """Whether `model.train(False)` says the same."""
    return any(
        is_constant(argument(call, 0, "mode"), value=False)
        for call in script.program.methods["train"]
    )


CHECKS = (
    Check(NO_MAP_LOCATION, no_map_location),
    Check(NO_WEIGHTS_ONLY, no_weights_only),
    Check(CLOSED_FILE, closed_file),
    Check(NO_EVAL, no_eval),
    Check(DATA_PARALLEL, data_parallel),
)
