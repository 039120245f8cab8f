"""Records what the real training toolkit does with each case: `make oracle`.

Each case runs in a fork of its own, of an interpreter that has imported torch and computed nothing;
there the toolkit's `train` runs in a mount namespace with the case's tree at /opt/ml. What is
recorded has no date, so that a second run changes nothing.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import boto3  # noqa: F401 - imported here once, for all forks
import torch  # noqa: F401 - imported here once, for all forks

from sagelet.worker import namespace
from sagelet.worker.spec import Mounts
from tests.oracle.training.job_case import PROBE, JobCase
from tests.oracle.training.job_cases import CASES
from tests.oracle.training.told import Told, compact

RECORDINGS = Path(__file__).with_name("recordings.json")
COMMAND = "make oracle"
_PACKAGES = ("sagemaker-training", "sagemaker-pytorch-training", "torch")
_IMAGE = {
    "DLC_CONTAINER_TYPE": "training",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONIOENCODING": "UTF-8",
    "PYTHONUNBUFFERED": "1",
}


def main() -> int:
    """Run every case and write the recordings."""
    recorded = {}
    for case in CASES:
        told = _recorded(case)
        recorded[case.name] = {"case": case.digest, **told.as_json()}
        sys.stderr.write(f"{case.name}: exit {told.exit_code}\n")
    document = {
        "command": COMMAND,
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in _PACKAGES},
        },
        "cases": compact(recorded),
    }
    RECORDINGS.write_text(_lines(document), encoding="ascii")
    sys.stdout.write(f"{len(recorded)} cases\n")
    return 0


def _lines(document: Mapping[str, Any]) -> str:
    """Return the recordings, a line for each case."""
    head = json.dumps({key: document[key] for key in ("command", "versions")}, indent=1)
    cases = [
        f"  {json.dumps(name)}: {json.dumps(entry, sort_keys=True, separators=(',', ':'))}"
        for name, entry in document["cases"].items()
    ]
    return head[:-2] + ',\n "cases": {\n' + ",\n".join(cases) + "\n }\n}\n"


def _recorded(case: JobCase) -> Told:
    root = Path(tempfile.mkdtemp(prefix="oracle-")).resolve()
    try:
        _lay_out(case, root)
        with (root / "log").open("wb") as log:
            code = _forked(case, root, log.fileno())
        return Told.read(root / "ml", code, str(Path(sys.executable)))
    finally:
        for name in case.wheels:
            _pip("uninstall", "--yes", name)
        if "setup.py" in case.files:
            _pip("uninstall", "--yes", "oracle-package")
        if "-v" in sys.argv:
            sys.stderr.write((root / "log").read_text(errors="replace"))
        shutil.rmtree(root)


def _pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "-q", *arguments], check=True)


def _lay_out(case: JobCase, root: Path) -> None:
    ml = root / "ml"
    for folder in ("code", "input/config", "input/data", "model", "output/data"):
        (ml / folder).mkdir(parents=True)
    config = ml / "input" / "config"
    documents = {
        "hyperparameters": case.all_hyperparameters,
        "inputdataconfig": case.channels,
        "resourceconfig": case.resource_config(),
    }
    for name, document in documents.items():
        (config / f"{name}.json").write_text(json.dumps(document))
    for channel in case.channels:
        (ml / "input" / "data" / channel).mkdir()
    (ml / "input" / "probe.py").write_text(PROBE.replace("sys.argv", "sys.argv[1:]"))
    for name, text in case.files.items():
        path = ml / "code" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for name, number in case.wheels.items():
        _wheel(ml / "code" / "wheels", name, number)
    commands = root / "bin"
    commands.mkdir()
    for name, text in case.programs.items():
        (commands / name).write_text(text)
        (commands / name).chmod(0o755)
    names = "".join(f"127.0.0.{n}\t{host}\n" for n, host in enumerate(case.hosts, start=1))
    (root / "hosts").write_text(f"{names}127.0.0.1\tlocalhost\n")


def _wheel(folder: Path, name: str, number: str) -> None:
    """Write a wheel of one module."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{number}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{number}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}.py", f"VERSION = {number!r}\n")
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")


def _forked(case: JobCase, root: Path, log: int) -> int:
    child = os.fork()
    if child == 0:
        _train(case, root, log)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _train(case: JobCase, root: Path, log: int) -> None:
    """Become the container, and run `train`."""
    code = 120
    try:
        os.dup2(log, 1)
        os.dup2(log, 2)
        why = namespace.attempt(
            Mounts(opt_ml=str(root / "ml"), hosts_file=str(root / "hosts"), hostname=case.host)
        )
        if why:
            raise OSError(why)
        os.environ.clear()
        os.environ.update(_container(case, root))
        os.chdir("/")
        sys.argv = ["train"]
        sys.path[:] = [path for path in sys.path if "site-packages" in path or "/lib/" in path]
        from sagemaker_training.cli.train import main as train

        train()
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    finally:
        sys.stdout.flush()
        os._exit(code)


def _container(case: JobCase, root: Path) -> dict[str, str]:
    path = os.pathsep.join((str(root / "bin"), str(Path(sys.executable).parent), "/usr/bin:/bin"))
    module = {"SAGEMAKER_TRAINING_MODULE": case.module} if case.module else {}
    return {
        "PATH": path,
        "HOME": str(root),
        "PWD": "/",
        "TRAINING_JOB_NAME": "oracle-job",
        "TRAINING_JOB_ARN": "arn:aws:sagemaker:us-east-1:000000000000:training-job/oracle-job",
        "AWS_REGION": "us-east-1",
        **_IMAGE,
        **module,
        **case.environment,
    }


if __name__ == "__main__":
    sys.exit(main())
