"""AWS's own training toolkit as its container runs it, in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks import environments
from benchmarks.servers import DidNotRun

NAME = "sagemaker-training"
TRAIN_S = 120
_INSTANCE = "ml.m5.xlarge"


def run(source: Path, script: str) -> tuple[float, str]:
    """Run a script under the toolkit; return when `train` was started, and what it printed.

    Raises:
        DidNotRun: it failed.
    """
    train = environments.python("toolkit").with_name("train")
    with tempfile.TemporaryDirectory(prefix="sagelet-bench-") as folder:
        _lay_out(Path(folder), source, script)
        began = time.time()
        done = subprocess.run(
            [str(train)],
            env=_environment(Path(folder), train.parent),
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=TRAIN_S,
            check=False,
        )
    if done.returncode:
        raise DidNotRun(f"{NAME} failed: {(done.stderr or done.stdout)[-500:]}")
    return began, done.stdout


def version() -> str:
    """Return the releases that are raced against."""
    return environments.versions("toolkit", [NAME, "sagemaker-pytorch-training", "torch"])


def _lay_out(base: Path, source: Path, script: str) -> None:
    """Write what the platform writes for a job of one host; the toolkit waits for its name."""
    group = {
        "instance_group_name": "homogeneousCluster",
        "instance_type": _INSTANCE,
        "hosts": ["localhost"],
    }
    resources = {
        "current_host": "localhost",
        "current_instance_type": _INSTANCE,
        "current_group_name": "homogeneousCluster",
        "hosts": ["localhost"],
        "instance_groups": [group],
        "network_interface_name": "lo",
    }
    hyperparameters = {
        "sagemaker_program": json.dumps(script),
        "sagemaker_submit_directory": json.dumps(str(source)),
    }
    config = base / "input" / "config"
    config.mkdir(parents=True)
    for name, document in (
        ("hyperparameters", hyperparameters),
        ("inputdataconfig", {}),
        ("resourceconfig", resources),
    ):
        (config / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    (base / "model").mkdir()


def _environment(base: Path, folder: Path) -> dict[str, str]:
    """Return the variables of AWS's PyTorch image."""
    return {
        "HOME": os.environ.get("HOME", "/"),
        "PATH": f"{folder}:{os.environ['PATH']}",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "SAGEMAKER_BASE_DIR": str(base),
        "SAGEMAKER_TRAINING_MODULE": "sagemaker_pytorch_container.training:main",
        "TRAINING_JOB_NAME": "bench",
    }
