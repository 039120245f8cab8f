"""The variables that a job finds, and those that it does not."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator
from typing import NamedTuple

from sagelet.upgrade.calls import argument, text_of, words_in
from sagelet.upgrade.findings import Rule, Severity
from sagelet.upgrade.program import Program
from sagelet.upgrade.subjects import Check, Script, Spot

WITHOUT_DEFAULT = Rule(
    id="environ-without-default",
    title="A variable of SageMaker's without a default",
    severity=Severity.WARNING,
    why=(
        '`os.environ["SM_MODEL_DIR"]` raises KeyError wherever the variable is not set: on your '
        "own machine, in a test, in an endpoint that imports the script for its model_fn."
    ),
    fix="Use `os.environ.get` with what a plain run should use.",
    example=(
        'default=os.environ["SM_MODEL_DIR"]  # dies outside of SageMaker\n'
        'default=os.environ.get("SM_MODEL_DIR", "model")'
    ),
    is_upgraded=True,
)
MODEL_DIR = Rule(
    id="model-dir-variable",
    title="MODEL_DIR is none of SageMaker's variables",
    severity=Severity.ERROR,
    why=(
        "The folder whose content becomes model.tar.gz is in SM_MODEL_DIR. The article that this "
        "tool was made for calls it MODEL_DIR in its text; a script that reads that saves nowhere."
    ),
    fix="Read SM_MODEL_DIR.",
    example='os.environ["MODEL_DIR"]  # not set\nos.environ.get("SM_MODEL_DIR", "model")',
)
UNKNOWN = Rule(
    id="unknown-variable",
    title="A variable that SageMaker does not set",
    severity=Severity.WARNING,
    why="Names that begin with SM_ are SageMaker's, and this one is not among them.",
    fix="Look it up in docs/reference/training.md.",
    example='os.environ["SM_NUM_GPU"]  # not set\nos.environ["SM_NUM_GPUS"]',
)
UNKNOWN_CHANNEL = Rule(
    id="unknown-channel",
    title="A channel that the project does not have",
    severity=Severity.ERROR,
    why=(
        "SM_CHANNEL_TRAINING is set where the job has a channel `training`: the channel's name in "
        "capitals. The project gives its channels under `train: channels:`."
    ),
    fix="Give both the same name.",
    example=(
        "# sagelet.yml: train: channels: {train: data/}\n"
        'os.environ["SM_CHANNEL_TRAINING"]  # not set\nos.environ["SM_CHANNEL_TRAIN"]'
    ),
)
RANK = Rule(
    id="rank-without-launcher",
    title="RANK and WORLD_SIZE are set by torchrun only",
    severity=Severity.WARNING,
    why=(
        "Without a `distribution` each host of a job runs plain `python train.py`. MASTER_ADDR and "
        'MASTER_PORT are set then, RANK, LOCAL_RANK and WORLD_SIZE are not: `os.environ["RANK"]` '
        "raises KeyError, and `init_process_group()` without rank and world_size does, too."
    ),
    fix=(
        "Take both from SM_HOSTS and SM_CURRENT_HOST where RANK is not set, or have the job start "
        "torchrun (the hyperparameter `sagemaker_torch_distributed_enabled: true`)."
    ),
    example=(
        'rank = int(os.environ["RANK"])  # KeyError without torchrun\n\n'
        'hosts = json.loads(os.environ.get("SM_HOSTS", \'["algo-1"]\'))\n'
        'rank = int(os.environ.get("RANK", hosts.index(os.environ.get("SM_CURRENT_HOST", '
        "hosts[0]))))"
    ),
)

KNOWN = frozenset(
    {
        "SM_CHANNELS", "SM_CURRENT_HOST", "SM_CURRENT_HOST_RANK", "SM_CURRENT_INSTANCE_GROUP",
        "SM_CURRENT_INSTANCE_GROUP_HOSTS", "SM_CURRENT_INSTANCE_TYPE", "SM_DISTRIBUTED_CONFIG",
        "SM_DISTRIBUTED_DRIVER_DIR", "SM_DISTRIBUTION_INSTANCE_GROUPS", "SM_DLC_TORCH_VERSION",
        "SM_ENTRY_SCRIPT", "SM_FRAMEWORK_MODULE", "SM_FRAMEWORK_PARAMS", "SM_HOSTS",
        "SM_HOST_COUNT", "SM_HPS", "SM_INPUT_CONFIG_DIR", "SM_INPUT_DATA_CONFIG",
        "SM_INPUT_DATA_DIR", "SM_INPUT_DIR", "SM_INSTANCE_GROUPS", "SM_INSTANCE_GROUPS_DICT",
        "SM_IS_HETERO", "SM_LOG_LEVEL", "SM_MASTER_ADDR", "SM_MASTER_PORT", "SM_MODEL_DIR",
        "SM_MODULE_DIR", "SM_MODULE_NAME", "SM_NETWORK_INTERFACE_NAME", "SM_NUM_CPUS",
        "SM_NUM_GPUS", "SM_NUM_NEURONS", "SM_OUTPUT_DATA_DIR", "SM_OUTPUT_DIR", "SM_OUTPUT_FAILURE",
        "SM_OUTPUT_INTERMEDIATE_DIR", "SM_RESOURCE_CONFIG", "SM_SOURCE_DIR", "SM_TOPOLOGY",
        "SM_TRAINING_ENV", "SM_USER_ARGS", "SM_USER_ENTRY_POINT",
    }
)  # fmt: skip
_OPEN_PREFIXES = ("SM_CHANNEL_", "SM_HP_")
_PLATFORM = frozenset({"TRAINING_JOB_NAME", "TRAINING_JOB_ARN", "SAGEMAKER_JOB_NAME"})
_RANKS = frozenset({"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK"})
_READERS = ("os.getenv", "os.environ.get", "os.environ.pop")


class Read(NamedTuple):
    """A variable that is read: its name, where, and whether a missing one raises."""

    name: str
    node: ast.expr
    raises: bool


def reads(program: Program) -> Iterator[Read]:
    """Yield the variables that a program reads by a literal name."""
    for node in program.nodes(ast.Subscript):
        name = text_of(node.slice)
        if name and isinstance(node.ctx, ast.Load) and _is_environ(program, node.value):
            yield Read(name, node, raises=True)
    for call in program.calls_of(*_READERS):
        name = text_of(argument(call, 0, "key"))
        if name:
            yield Read(name, call, raises=False)


def written(program: Program) -> frozenset[str]:
    """Return the variables that a program sets itself."""
    found = {
        text_of(node.slice)
        for node in program.nodes(ast.Subscript)
        if not isinstance(node.ctx, ast.Load) and _is_environ(program, node.value)
    }
    found |= {
        text_of(argument(call, 0, "key"))
        for call in program.calls_of("os.environ.setdefault", "os.putenv")
    }
    for call in program.calls_of("os.environ.update"):
        found |= {each.arg for each in call.keywords}
        found |= {text_of(node) for node in ast.walk(call) if isinstance(node, ast.Constant)}
    return frozenset(name for name in found if name)


def without_default(script: Script) -> Iterator[Spot]:
    """Find SageMaker's variables that are read and may not be there."""
    set_here = written(script.program)
    for name, node, raises in reads(script.program):
        ours = name in KNOWN or name.startswith(_OPEN_PREFIXES) or name in _PLATFORM
        if (
            raises
            and ours
            and name not in set_here
            and not _is_asked_for(script.program, node, name)
        ):
            yield Spot(node, f"{name} is not set outside of SageMaker: this raises KeyError")


def model_dir(script: Script) -> Iterator[Spot]:
    """Find the article's MODEL_DIR."""
    if not script.is_job or "MODEL_DIR" in written(script.program):
        return
    others = {name for name, _, _ in reads(script.program)}
    if "SM_MODEL_DIR" in others:
        return
    for name, node, _ in reads(script.program):
        if name == "MODEL_DIR":
            yield Spot(node, "SageMaker sets SM_MODEL_DIR, not MODEL_DIR")


def unknown(script: Script) -> Iterator[Spot]:
    """Find names that look like SageMaker's and are not."""
    set_here = written(script.program)
    for name, node, _ in reads(script.program):
        if not name.startswith("SM_") or name.startswith(_OPEN_PREFIXES):
            continue
        if name in KNOWN or name in set_here:
            continue
        near = difflib.get_close_matches(name, KNOWN, n=1, cutoff=0.8)
        if near:
            yield Spot(node, f"SageMaker sets no {name}", hint=f"did you mean {near[0]}?")


def unknown_channel(script: Script) -> Iterator[Spot]:
    """Find channels that the project does not give."""
    channels = script.training.channels if script.training else None
    if not channels:
        return
    known = {f"SM_CHANNEL_{name.upper()}" for name in channels}
    for name, node, raises in reads(script.program):
        if not name.startswith("SM_CHANNEL_") or name in known:
            continue
        if raises and not _is_asked_for(script.program, node, name):
            hint = f"the project's channels are: {', '.join(channels)}"
            yield Spot(node, f"{name} is not set: the project has no such channel", hint)


def rank(script: Script) -> Iterator[Spot]:
    """Find what only torchrun sets, where the script does not ask whether it is there."""
    program = script.program
    set_here = written(program)
    asked = any(word in _RANKS for word in _asked_words(program))
    if asked or set_here & _RANKS or script.has_launcher:
        return
    if not (script.is_job or script.runs or script.process_groups):
        return
    if script.training is not None and script.training.has_launcher:
        return
    for name, node, raises in reads(program):
        if raises and name in _RANKS:
            yield Spot(node, f"{name} is not set where no torchrun starts the script")
            return
    for call in script.process_groups:
        if not call.keywords and len(call.args) < 2:
            yield Spot(call, "this reads RANK and WORLD_SIZE, which only torchrun sets")


def _asked_words(program: Program) -> Iterator[str]:
    """Yield the names of variables that are looked for before they are used."""
    for name, _, raises in reads(program):
        if not raises:
            yield name
    for compare in program.nodes(ast.Compare):
        if isinstance(compare.ops[0], ast.In | ast.NotIn):
            yield from words_in(compare.left)
    if any("torchelastic" in name.lower() for name in program.called):
        yield "RANK"


def _is_environ(program: Program, node: ast.expr) -> bool:
    return program.name_of(node) == "os.environ"


def _is_asked_for(program: Program, node: ast.AST, name: str) -> bool:
    """Whether a test, or a handler of KeyError, stands around what is read."""
    for test in program.tests_around(node):
        if any(word == name or word.startswith("SM_") for word in words_in(test)):
            return True
    below = node
    for above in program.ancestors(node):
        if isinstance(above, ast.Try) and below in above.body and above.handlers:
            return True
        below = above
    return False


CHECKS = (
    Check(WITHOUT_DEFAULT, without_default),
    Check(MODEL_DIR, model_dir),
    Check(UNKNOWN, unknown),
    Check(UNKNOWN_CHANNEL, unknown_channel),
    Check(RANK, rank),
)
