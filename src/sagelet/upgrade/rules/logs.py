"""What a script says, and whether anybody hears it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from sagelet.upgrade.calls import Function, argument, text_of
from sagelet.upgrade.findings import Rule, Severity
from sagelet.upgrade.program import Program
from sagelet.upgrade.subjects import Check, Script, Spot

PRINT = Rule(
    id="print-not-logger",
    title="`print` where a logger is meant",
    severity=Severity.HINT,
    why=(
        "The article says that on SageMaker nobody sees what `print` writes. That is wrong: "
        "standard output and standard error both go to the job's log (CloudWatch, and "
        "`sagelet logs` here), line by line, and metrics are matched in both. A logger adds the "
        "time, the level and the name, and can be turned down."
    ),
    fix="Use a logger that writes to standard output, if you want these.",
    example='print(f"loss: {loss}")\nlogger.info("loss: %s", loss)',
    is_upgraded=True,
)
PLACEHOLDER = Rule(
    id="log-without-placeholder",
    title="A logging call with arguments and no place for them",
    severity=Severity.ERROR,
    why=(
        "Logging puts its arguments into the message with `%`. Without a placeholder that fails: a "
        'traceback ("--- Logging error ---") goes to standard error in the message\'s place, and '
        "the program goes on. The first article's model_fn has one."
    ),
    fix="Write a placeholder for each argument.",
    example=(
        'log.info("DEPLOY_ENV=", os.environ.get("DEPLOY_ENV"))  # broken\n'
        'log.info("DEPLOY_ENV=%s", os.environ.get("DEPLOY_ENV"))'
    ),
)
UNCONFIGURED = Rule(
    id="unconfigured-logging",
    title="Messages that nothing writes",
    severity=Severity.WARNING,
    why=(
        "Until logging is configured, only warnings and errors are written: `logger.info(…)` goes "
        "nowhere, and so do the losses in it and the metrics that are matched from them. The "
        "article configures a logger of its own and then calls `logging.info`, which is another."
    ),
    fix="Call `logging.basicConfig(level=logging.INFO, stream=sys.stdout)` first.",
    example=(
        'logging.info("loss: %s", loss)  # never seen\n\n'
        "logging.basicConfig(level=logging.INFO, stream=sys.stdout)\n"
        'logging.info("loss: %s", loss)'
    ),
)

_LEVELS = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "fatal"})
_SILENT = frozenset({"debug", "info"})
_LOGGERS = re.compile(r"_?log(?:ger)?\Z", re.IGNORECASE)
_PLACE = re.compile(r"%(?:%|(?:\(\w+\))?[-#0 +]*(?:\d+|\*)?(?:\.(?:\d+|\*))?[hlL]?[a-zA-Z])")
_CONFIGURING = ("logging.basicConfig", "logging.config.dictConfig", "logging.config.fileConfig")
_CONFIGURING_METHODS = ("setLevel", "addHandler", "basicConfig", "dictConfig", "fileConfig")


def prints(script: Script) -> Iterator[Spot]:
    """Find the first print in a function that trains."""
    program = script.program
    training = {program.scope_of(call) for call in script.training_calls}
    for call in program.calls_of("print"):
        if program.scope_of(call) in training:
            yield Spot(call, "print reaches the log; a logger would add time and level")
            return


def placeholder(script: Script) -> Iterator[Spot]:
    """Find messages with arguments and no placeholder."""
    program = script.program
    if "logging" not in program.imported_modules:
        return
    for call, level in logging_calls(program):
        del level
        message = text_of(argument(call, 0, "msg"))
        if message is None or len(call.args) <= 1:
            continue
        if any(isinstance(each, ast.Starred) for each in call.args):
            continue
        if not any(found != "%%" for found in _PLACE.findall(message)):
            yield Spot(call, f"{message!r} has no place for its {len(call.args) - 1} argument(s)")


def unconfigured(script: Script) -> Iterator[Spot]:
    """Find messages below the level that is written where nothing is configured."""
    program = script.program
    if not script.is_job or script.local_imports or script.source.is_notebook:
        return
    if program.calls_of(*_CONFIGURING) or any(program.methods[m] for m in _CONFIGURING_METHODS):
        root = [
            call
            for call, level in logging_calls(program)
            if level in _SILENT and program.name_of(call.func) == f"logging.{level}"
        ]
        if _root_is_configured(program) or not root:
            return
        yield Spot(root[0], "this goes to the root logger, which nothing has configured")
        return
    for call, level in logging_calls(program):
        if level in _SILENT:
            yield Spot(call, f"nothing configures logging: {level} messages are not written")
            return


def logging_calls(program: Program) -> Iterator[tuple[ast.Call, str]]:
    """Yield the calls that log, with their level."""
    for level in _LEVELS:
        for call in program.methods[level]:
            assert isinstance(call.func, ast.Attribute)
            if _is_logger(program, call.func.value):
                yield call, level


def _is_logger(program: Program, node: ast.expr) -> bool:
    name = program.name_of(node)
    if name == "logging":
        return True
    if not isinstance(node, ast.Name | ast.Attribute):
        return False
    if isinstance(node, ast.Name):
        values = program.values_of(node.id, program.scope_of(node))
        if values:
            return any(
                isinstance(v, ast.Call) and program.name_of(v.func) == "logging.getLogger"
                for v in values
            )
        scope = program.scope_of(node)
        if isinstance(scope, Function) and node.id in program.imports:
            return False
    last = name.rpartition(".")[2]
    return _LOGGERS.match(last) is not None and not _is_foreign(program, node)


def _is_foreign(program: Program, node: ast.expr) -> bool:
    """Whether a logger comes from another library, whose calls may be other than logging's."""
    first = program.name_of(node).partition(".")[0]
    return first in ("loguru", "structlog", "numpy", "torch", "math") or bool(
        program.imported_modules & {"loguru", "structlog"}
    )


def _root_is_configured(program: Program) -> bool:
    if program.calls_of(*_CONFIGURING) or program.methods["basicConfig"]:
        return True
    if program.methods["dictConfig"] or program.methods["fileConfig"]:
        return True
    for call in [*program.methods["setLevel"], *program.methods["addHandler"]]:
        assert isinstance(call.func, ast.Attribute)
        receiver = call.func.value
        if isinstance(receiver, ast.Name):
            values = program.values_of(receiver.id, program.scope_of(receiver))
            if any(_is_root(program, value) for value in values):
                return True
        elif _is_root(program, receiver):
            return True
    return False


def _is_root(program: Program, node: ast.expr) -> bool:
    if program.name_of(node) in ("logging", "logging.root"):
        return True
    return (
        isinstance(node, ast.Call)
        and program.name_of(node.func) == "logging.getLogger"
        and not node.args
    )


CHECKS = (
    Check(PRINT, prints),
    Check(PLACEHOLDER, placeholder),
    Check(UNCONFIGURED, unconfigured),
)
