"""How a training script is built: what runs when it is imported, and what it can be told."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

from sagelet.upgrade.calls import Function, text_of
from sagelet.upgrade.findings import Rule, Severity
from sagelet.upgrade.program import Program
from sagelet.upgrade.subjects import Check, Script, Spot

NO_MAIN_GUARD = Rule(
    id="no-main-guard",
    title="The script's work runs when it is imported",
    severity=Severity.WARNING,
    why=(
        "An endpoint imports the script for its model_fn, and processes that are spawned (data "
        "loaders on macOS and Windows, torch.multiprocessing) import it once more each. Without a "
        'guard each import trains again. Below `if __name__ == "__main__":` stands what runs '
        "only when the file is run."
    ),
    fix='Put the call below `if __name__ == "__main__":`.',
    example='train()  # broken\n\nif __name__ == "__main__":\n    train()',
    is_upgraded=True,
)
TRAINING_AT_IMPORT = Rule(
    id="training-at-import",
    title="Training stands at the module's own level",
    severity=Severity.WARNING,
    why=(
        "Whatever imports the module trains: an endpoint that loads its model_fn, a test, a "
        "spawned process. In an endpoint it ends with a time-out instead of a model."
    ),
    fix='Move the training into a function, and call it below `if __name__ == "__main__":`.',
    example=(
        "for data, target in loader:  # broken\n    loss(model(data), target).backward()\n\n"
        "def train():\n    for data, target in loader:\n"
        "        loss(model(data), target).backward()"
    ),
)
MAIN_GUARD_TYPO = Rule(
    id="main-guard-typo",
    title="A main guard that is never true",
    severity=Severity.ERROR,
    why=(
        '`__name__` is "__main__" when a file is run. Compared with anything else the block never '
        "runs: the job completes in a second, and its model is empty."
    ),
    fix='Write `if __name__ == "__main__":`.',
    example='if __name__ == "main":  # broken\nif __name__ == "__main__":',
)
NO_ARGUMENTS = Rule(
    id="no-arguments",
    title="The script takes no hyperparameters",
    severity=Severity.HINT,
    why=(
        "A job hands its hyperparameters to the script as options (`--epochs 10`) and in SM_HPS. "
        "A script that reads neither cannot be tuned or told anything without an edit."
    ),
    fix="Read them with argparse, with today's values as defaults.",
    example=(
        "train(epochs=10)  # cannot be told\n\n"
        'parser.add_argument("--epochs", type=int, default=10)'
    ),
    is_upgraded=True,
)
NO_DEVICE = Rule(
    id="no-device",
    title="The model never goes to a GPU",
    severity=Severity.HINT,
    why=(
        "A model and its data are on the CPU until they are sent elsewhere: on an instance with "
        "GPUs, which costs by the hour, nothing would use them."
    ),
    fix='Send both to `torch.device("cuda" if torch.cuda.is_available() else "cpu")`.',
    example="model = Net()  # CPU for ever\nmodel = Net().to(device)",
    is_upgraded=True,
)

_PARSERS = frozenset(
    {"absl", "argparse", "cappa", "click", "cyclopts", "docopt", "fire", "getopt", "hydra",
     "jsonargparse", "omegaconf", "plac", "simple_parsing", "tap", "transformers", "typer", "tyro"}
)  # fmt: skip


def no_main_guard(script: Script) -> Iterator[Spot]:
    """Find calls at the module's level that do a script's work."""
    program = script.program
    if not script.is_job or program.main_guards or script.source.is_notebook:
        return
    working = working_functions(script)
    for call in _calls_at_import(program):
        if isinstance(call.func, ast.Name) and call.func.id in working:
            severity = Severity.ERROR if script.handlers else None
            message = f"{call.func.id}() runs whenever this file is imported"
            yield Spot(call, message, severity=severity)


def training_at_import(script: Script) -> Iterator[Spot]:
    """Find training in no function, and calls of training functions outside of the guard."""
    program = script.program
    severity = Severity.ERROR if script.handlers else None
    for call in script.training_calls:
        if program.runs_at_import(call) and not script.source.is_notebook:
            yield Spot(call, "this trains whenever the file is imported", severity=severity)
            return
    if not program.main_guards:
        return
    working = working_functions(script)
    for call in _calls_at_import(program):
        if isinstance(call.func, ast.Name) and call.func.id in working:
            message = f"{call.func.id}() trains, and stands outside of the main guard"
            yield Spot(call, message, severity=severity)


def main_guard_typo(script: Script) -> Iterator[Spot]:
    """Find comparisons of `__name__` with what it never is."""
    for compare in script.program.nodes(ast.Compare):
        left, right = compare.left, compare.comparators[0]
        if isinstance(right, ast.Name):
            left, right = right, left
        said = text_of(right)
        if (
            script.program.name_of(left) == "__name__"
            and isinstance(compare.ops[0], ast.Eq)
            and said is not None
            and said != "__main__"
            and "main" in said.lower()
        ):
            yield Spot(compare, f"`__name__` is never {said!r}")


def no_arguments(script: Script) -> Iterator[Spot]:
    """Find training scripts that read no hyperparameters anywhere."""
    if not (script.trains and script.runs) or _can_be_told(script):
        return
    given = script.hyperparameters or {}
    severity = Severity.WARNING if given else None
    shown = f" ({', '.join(given)})" if given else ""
    first = script.training_calls[0]
    at = _outermost(script.program, first) or first
    name = f"{at.name}()" if isinstance(at, Function) else "the training here"
    yield Spot(at, f"no hyperparameter{shown} reaches {name}", severity=severity)


def no_device(script: Script) -> Iterator[Spot]:
    """Find training scripts in which nothing is ever sent to a device."""
    program = script.program
    sent = program.methods["to"] or program.methods["cuda"] or program.methods["prepare"]
    steps = [call for call in program.methods["backward"] if call in script.training_calls]
    if not steps or sent or not script.runs or script.has_launcher or _names_device(program):
        return
    yield Spot(steps[0], "this trains on the CPU, whatever the instance has")


def working_functions(script: Script) -> frozenset[str]:
    """Return the names of functions that train, or read options, themselves or by others."""
    program = script.program
    working = {
        scope.name
        for call in [*script.training_calls, *program.methods["parse_args"]]
        if isinstance(scope := _outermost(program, call), Function)
    }
    callers: dict[str, set[str]] = defaultdict(set)
    for name, function in program.functions.items():
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
                callers[call.func.id].add(name)
    waiting = list(working)
    while waiting:
        more = callers[waiting.pop()] - working
        working |= more
        waiting += more
    return frozenset(working)


def _outermost(program: Program, node: ast.AST) -> ast.AST | None:
    found = None
    for above in program.ancestors(node):
        if isinstance(above, Function):
            found = above
    return found


def _calls_at_import(program: Program) -> Iterator[ast.Call]:
    for call in program.calls:
        if isinstance(program.parent(call), ast.Expr | ast.Assign) and program.runs_at_import(call):
            yield call


def _can_be_told(script: Script) -> bool:
    program = script.program
    if program.imported_modules & _PARSERS or script.local_imports:
        return True
    if any(program.name_of(node) == "sys.argv" for node in program.nodes(ast.Attribute)):
        return True
    said = (text_of(node) or "" for node in program.nodes(ast.Constant))
    return any(text.startswith("SM_HP") or "hyperparameters" in text for text in said)


def _names_device(program: Program) -> bool:
    """Whether anything is made on a device, or moved by its name."""
    return any(each.arg == "device" for each in program.nodes(ast.keyword)) or any(
        text_of(node) in ("cuda", "cpu", "mps") for node in program.nodes(ast.Constant)
    )


CHECKS = (
    Check(NO_MAIN_GUARD, no_main_guard),
    Check(TRAINING_AT_IMPORT, training_at_import),
    Check(MAIN_GUARD_TYPO, main_guard_typo),
    Check(NO_ARGUMENTS, no_arguments),
    Check(NO_DEVICE, no_device),
)
