"""Scripts that deploy, as the first article's: what the SageMaker SDK and a shell make of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from sagelet.upgrade.calls import keyword, text_of
from sagelet.upgrade.findings import Rule, Severity
from sagelet.upgrade.program import Program
from sagelet.upgrade.subjects import Check, Script, Spot

UPDATE_ENDPOINT = Rule(
    id="update-endpoint",
    title="`update_endpoint=` does nothing",
    severity=Severity.WARNING,
    why=(
        "Version 2 of the SageMaker SDK took `update_endpoint` away from `deploy()`: it is "
        "ignored, and deploying to an endpoint that exists fails (sagemaker-python-sdk#101)."
    ),
    fix=(
        "Use `Predictor(name).update_endpoint(…)`, or `sagelet deploy`, which updates without a "
        "gap."
    ),
    example=(
        "model.deploy(update_endpoint=True)  # ignored\n"
        "Predictor(name).update_endpoint(model_name=model.name, initial_instance_count=1, "
        'instance_type="ml.m5.large")'
    ),
)
SDK_CLASSES = Rule(
    id="sdk-classes",
    title="Classes that version 3 of the SageMaker SDK does not have",
    severity=Severity.HINT,
    why=(
        "Version 3 has neither `PyTorch` nor `PyTorchModel`: only ModelTrainer and ModelBuilder. "
        "`pip install sagemaker` brings version 3."
    ),
    fix="Write `sagemaker<3` into the requirements, or use boto3 or `sagelet`, which need neither.",
    example=(
        "from sagemaker.pytorch import PyTorchModel  # version 2 only\n\n"
        "from sagemaker.serve import ModelBuilder  # version 3"
    ),
)
BUCKET_PATTERN = Rule(
    id="bucket-pattern",
    title="A pattern that breaks names of buckets",
    severity=Severity.ERROR,
    why=(
        "`\\w` matches neither `-` nor `.`, which most buckets have in their names: of "
        "`s3://my-bucket/key` the pattern finds `my`. The first article's deploy.py has it."
    ),
    fix="Use `urllib.parse.urlsplit(url).netloc`.",
    example=(
        "re.search(r'//(\\w+)', url)[1]  # my, of s3://my-bucket/key\n"
        "urlsplit(url).netloc  # my-bucket"
    ),
)
UNCHECKED_TAR = Rule(
    id="unchecked-tar",
    title="A command whose failure nobody notices",
    severity=Severity.WARNING,
    why=(
        "os.system returns the command's exit code and raises nothing. Where tar fails, the old "
        "archive, or half of a new one, is deployed. Spaces and quotes in paths go to a shell."
    ),
    fix="Use the tarfile module, or `subprocess.run([…], check=True)`.",
    example=(
        'os.system("tar -czf model.tar.gz model")  # may fail in silence\n'
        'subprocess.run(["tar", "-czf", "model.tar.gz", "model"], check=True)'
    ),
)
DELETE_FIRST = Rule(
    id="delete-before-create",
    title="An endpoint is deleted before the new one is there",
    severity=Severity.WARNING,
    why=(
        "Between the two nobody answers: minutes on SageMaker, and for good if the new one fails. "
        "UpdateEndpoint starts the new fleet beside the old one, and keeps the old one where the "
        "new one does not come up."
    ),
    fix="Create an endpoint configuration and call update_endpoint, or use `sagelet deploy`.",
    example=(
        "client.delete_endpoint(EndpointName=name)\n"
        "client.create_endpoint(EndpointName=name, …)\n\n"
        "client.update_endpoint(EndpointName=name, EndpointConfigName=new)"
    ),
)

_BUCKET = re.compile(r"//\(\\w[+*]\)|s3[an]?://\(?\\w\+")
_COMMAND = re.compile(r"\s*(?:sudo\s+)?(?:tar|gzip|zip|unzip|aws)\b")
_PINNED = re.compile(r"^\s*sagemaker(?:\[[^\]]*\])?\s*(?:==\s*[012]\.|~=\s*[012]\.|.*<\s*3)", re.M)
_V2_MODULES = ("sagemaker.pytorch.", "sagemaker.huggingface.", "sagemaker.estimator.")


def update_endpoint(script: Script) -> Iterator[Spot]:
    """Find the argument that is gone."""
    for call in script.program.methods["deploy"]:
        given = keyword(call, "update_endpoint")
        if given is not None:
            yield Spot(given, "deploy() ignores update_endpoint since version 2 of the SDK")


def sdk_classes(script: Script) -> Iterator[Spot]:
    """Find imports that version 3 does not have, where nothing pins version 2."""
    for node in script.program.nodes(ast.ImportFrom):
        for alias in node.names:
            full = f"{node.module}.{alias.name}"
            if node.level == 0 and full.startswith(_V2_MODULES) and not _is_pinned(script):
                yield Spot(node, f"version 3 of the SDK has no {full}")


def bucket_pattern(script: Script) -> Iterator[Spot]:
    """Find patterns for buckets that take letters only."""
    for call in script.program.calls:
        if script.program.name_of(call.func).startswith("re.") and call.args:
            pattern = text_of(call.args[0])
            if pattern and _BUCKET.search(pattern):
                yield Spot(call.args[0], "of s3://my-bucket this finds `my`")


def unchecked_tar(script: Script) -> Iterator[Spot]:
    """Find commands that are run for their effect, and whose result is dropped."""
    for call in script.program.calls_of("os.system"):
        command = call.args[0] if call.args else None
        if isinstance(command, ast.JoinedStr) and command.values:
            command = command.values[0]
        while isinstance(command, ast.BinOp):
            command = command.left
        if isinstance(command, ast.Call) and isinstance(command.func, ast.Attribute):
            command = command.func.value  # "…".format(…)
        is_dropped = isinstance(script.program.parent(call), ast.Expr)
        if is_dropped and _COMMAND.match(text_of(command) or ""):
            yield Spot(call, "if this command fails, the script goes on as if it had not")


def delete_first(script: Script) -> Iterator[Spot]:
    """Find an endpoint's end before its beginning, in one function."""
    program = script.program
    for deleting in program.methods["delete_endpoint"]:
        scope = program.scope_of(deleting)
        for creating in program.methods["create_endpoint"]:
            if program.scope_of(creating) is not scope or creating.lineno < deleting.lineno:
                continue
            if _name_of(deleting) == _name_of(creating) and _follows(program, creating, deleting):
                yield Spot(deleting, f"nobody answers until line {creating.lineno} is through")
                break


def _follows(program: Program, later: ast.Call, earlier: ast.Call) -> bool:
    """Whether both calls may be made in one go: they are in no two branches of one statement."""
    branches = program.branches_of(earlier)
    return all(
        branches.get(node, branch) == branch for node, branch in program.branches_of(later).items()
    )


def _name_of(call: ast.Call) -> str:
    name = keyword(call, "EndpointName")
    return ast.dump(name) if name is not None else ""


def _is_pinned(script: Script) -> bool:
    folders = [script.source.path.parent, *([script.project.folder] if script.project else [])]
    return any(_pins(file) for folder in folders for file in folder.glob("requirements*.txt"))


def _pins(file: Path) -> bool:
    try:
        return _PINNED.search(file.read_text(encoding="utf-8", errors="replace")) is not None
    except OSError:
        return False


CHECKS = (
    Check(UPDATE_ENDPOINT, update_endpoint),
    Check(SDK_CLASSES, sdk_classes),
    Check(BUCKET_PATTERN, bucket_pattern),
    Check(UNCHECKED_TAR, unchecked_tar),
    Check(DELETE_FIRST, delete_first),
)
