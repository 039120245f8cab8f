"""The second article's journey on handwritten digits, typed as examples/digits/README.md has it."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.local_aws import REPOSITORY, LocalAws

EXAMPLE = REPOSITORY / "examples" / "digits"
ACCURACY = re.compile(r"accuracy: ([0-9.]+)")


@pytest.fixture(scope="module")
def project(local: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example without what it makes, and with its data."""
    folder = tmp_path_factory.mktemp("digits") / "digits"
    folder.mkdir()
    for name in ("normal_script.py", "prepare_data.py", "sagelet.yml", "digit.json"):
        shutil.copy(EXAMPLE / name, folder)
    local.run(sys.executable, "prepare_data.py", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def script(local: LocalAws, project: Path) -> Path:
    """The script that our own command makes of the normal one."""
    told = local.sagelet("check", "normal_script.py", cwd=project, code=3).stdout
    for rule in ("hard-coded-data-path", "hard-coded-output-path", "no-main-guard"):
        assert f"[{rule}]" in told
    local.sagelet("upgrade", "normal_script.py", "--output", "train.py", cwd=project)
    return project / "train.py"


@pytest.fixture(scope="module")
def job(local: LocalAws, script: Path) -> dict[str, Any]:
    """What it trains on two hosts."""
    trained = local.sagelet("train", "--hosts", "2", "--json", cwd=script.parent)
    described: dict[str, Any] = json.loads(trained.stdout)
    return described


def accuracy_of(job: dict[str, Any]) -> float:
    (found,) = [
        each["Value"] for each in job["FinalMetricDataList"] if each["MetricName"] == "accuracy"
    ]
    return float(found)


def test_the_upgraded_script_is_the_one_that_is_checked_in_and_has_no_findings(
    local: LocalAws, script: Path
) -> None:
    assert script.read_bytes() == (EXAMPLE / "train.py").read_bytes()
    assert local.sagelet("check", "train.py", cwd=script.parent).stdout.startswith("nothing found")


def test_alone_it_saves_where_the_normal_one_did(local: LocalAws, script: Path) -> None:
    said = local.run(sys.executable, "train.py", "--epochs", "2", cwd=script.parent)
    assert float(ACCURACY.findall(said)[-1]) > 0.8
    assert (script.parent / "model.pth").is_file()


def test_one_host_and_two_learn_the_same(
    local: LocalAws, script: Path, job: dict[str, Any]
) -> None:
    alone = json.loads(local.sagelet("train", "--json", cwd=script.parent).stdout)
    assert job["ResourceConfig"]["InstanceCount"] == 2
    assert accuracy_of(alone) > 0.94
    assert accuracy_of(job) > 0.94


def test_what_two_hosts_have_learnt_is_deployed_and_knows_a_six(
    local: LocalAws, project: Path, job: dict[str, Any]
) -> None:
    model = job["TrainingJobName"]
    local.sagelet("deploy", "--model", model, cwd=project)
    answer = json.loads(local.sagelet("invoke", "-f", "digit.json", cwd=project).stdout)
    assert answer[0].index(max(answer[0])) == 6
