"""Where a job reads and writes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from sagelet.upgrade.calls import is_constant, keyword
from sagelet.upgrade.findings import Rule, Severity
from sagelet.upgrade.pathflow import OPT_ML, Literal, Use
from sagelet.upgrade.subjects import Check, Script, Spot

DATA = Rule(
    id="hard-coded-data-path",
    title="Data is read from a path of one's own",
    severity=Severity.WARNING,
    why=(
        "A job finds its data in the folders of its channels, SM_CHANNEL_TRAINING and so on. A "
        "path of your machine is not there: the job ends with FileNotFoundError, or trains on "
        "what happens to lie beside the script."
    ),
    fix="Take the folder from the channel's variable, with the path of a plain run as default.",
    example=(
        'np.loadtxt("data/train.csv")  # not there in a job\n\n'
        'data_dir = os.environ.get("SM_CHANNEL_TRAINING", "data")\n'
        'np.loadtxt(os.path.join(data_dir, "train.csv"))'
    ),
    is_upgraded=True,
)
OUTPUT = Rule(
    id="hard-coded-output-path",
    title="A result is saved where nobody collects it",
    severity=Severity.ERROR,
    why=(
        "Of all that a job writes, SageMaker keeps what is in SM_MODEL_DIR (model.tar.gz), in "
        "SM_OUTPUT_DATA_DIR (output.tar.gz) and in /opt/ml/checkpoints. Everything else is lost "
        "when the job ends, and the job is Completed all the same, with an empty model."
    ),
    fix="Save below SM_MODEL_DIR, and what is no model below SM_OUTPUT_DATA_DIR.",
    example=(
        'torch.save(model.state_dict(), "model.pth")  # lost\n\n'
        'model_dir = os.environ.get("SM_MODEL_DIR", ".")\n'
        'torch.save(model.state_dict(), os.path.join(model_dir, "model.pth"))'
    ),
    is_upgraded=True,
)
FIXED_OPT_ML = Rule(
    id="opt-ml-path",
    title="A path below /opt/ml is written out",
    severity=Severity.HINT,
    why=(
        "On SageMaker the path is right. Alone on your machine there is no /opt/ml, and where the "
        "kernel allows no private mount (macOS, some containers) a job's folders are elsewhere "
        "here, too. The SM_* variables are right everywhere."
    ),
    fix="Read the variable, with this path or a plain run's as default.",
    example=(
        'open("/opt/ml/input/data/training/train.csv")\n'
        'open(os.path.join(os.environ.get("SM_CHANNEL_TRAINING", "data"), "train.csv"))'
    ),
)
DOWNLOAD = Rule(
    id="download-in-job",
    title="The job downloads its data",
    severity=Severity.HINT,
    why=(
        "`download=True` fetches the data set again in each job and on each of its hosts, and "
        "fails where the network is isolated, as it is in many a company's VPC."
    ),
    fix="Download it once, and give it to the job as a channel.",
    example="MNIST(root, download=True)\nMNIST(channel_dir, download=False)",
)


def data(script: Script) -> Iterator[Spot]:
    """Find literal paths that are read."""
    for literal in _literals(script, Use.READ):
        severity = Severity.ERROR if literal.is_absolute else None
        what = "is read, and no channel of a job has it"
        yield Spot(literal.node, _shown(script, literal, what), severity=severity)


def output(script: Script) -> Iterator[Spot]:
    """Find literal paths that are written."""
    for literal in _literals(script, Use.WRITE):
        yield Spot(literal.node, _shown(script, literal, "is lost when the job ends"))


def fixed_opt_ml(script: Script) -> Iterator[Spot]:
    """Find literal paths of a job's own tree."""
    if script.is_job or script.serves:
        for literal in script.paths:
            if literal.text.startswith(OPT_ML):
                yield Spot(literal.node, f"{literal.text!r} is there in a job only")


def download(script: Script) -> Iterator[Spot]:
    """Find data sets that are downloaded."""
    if not script.is_job:
        return
    for call in script.program.calls:
        given = keyword(call, "download")
        name = script.program.name_of(call.func)
        if is_constant(given, value=True) and name.startswith(("torchvision.", "torchaudio.")):
            assert given is not None
            yield Spot(given, f"{name.rpartition('.')[2]} is downloaded by each host of each job")


def _literals(script: Script, use: Use) -> Iterator[Literal]:
    if not script.is_job:
        return
    for literal in script.paths:
        if literal.use is not use or literal.text.startswith(OPT_ML):
            continue
        if literal.option and _is_given(script, literal.option):
            continue
        if not _is_in_handler(script, literal.node):
            yield literal


def _is_given(script: Script, attribute: str) -> bool:
    """Whether the project's hyperparameters give an option its value."""
    option = script.options.by_dest(attribute)
    given = script.hyperparameters or {}
    return option is not None and any(script.options.taking(name) is option for name in given)


def _is_in_handler(script: Script, node: ast.AST) -> bool:
    return any(script.program.is_inside(node, each) for each in script.handlers.values())


def _shown(script: Script, literal: Literal, what: str) -> str:
    option = script.options.by_dest(literal.option) if literal.option else None
    where = f", the default of {option.shown}," if option else ""
    return f"{literal.text!r}{where} {what}"


CHECKS = (
    Check(DATA, data),
    Check(OUTPUT, output),
    Check(FIXED_OPT_ML, fixed_opt_ml),
    Check(DOWNLOAD, download),
)
