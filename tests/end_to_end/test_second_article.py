"""The second article's journey, as the README has it typed: a script from home to two hosts."""

from __future__ import annotations

import json
import re
import shutil
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.local_aws import REPOSITORY, LocalAws

EXAMPLE = REPOSITORY / "examples" / "digits"
SIX = 6
SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def project(local: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The example as it is cloned, with its data made."""
    project = tmp_path_factory.mktemp("digits")
    for name in ("normal_script.py", "prepare_data.py", "sagelet.yml", "digit.json"):
        shutil.copy(EXAMPLE / name, project)
    local.run(sys.executable, "prepare_data.py", cwd=project)
    local.sagelet("upgrade", "normal_script.py", "--output", "train.py", cwd=project)
    yield project
    for job in local.names("jobs"):
        if job.startswith("digits-"):
            local.sagemaker.delete_training_job(TrainingJobName=job.split()[0])


def accuracy_of(printed: str) -> float:
    """The last accuracy that a run told."""
    return float(re.findall(r"accuracy: ([0-9.]+)", printed)[-1])


def trained(local: LocalAws, project: Path, hosts: int, seed: int) -> float:
    """Train as a job, and return the accuracy that it told."""
    options = ("--hosts", str(hosts), "-p", f"seed={seed}", "--json", "-q")
    described = json.loads(local.sagelet("train", *options, cwd=project).stdout)
    assert described["TrainingJobStatus"] == "Completed"
    assert described["ResourceConfig"]["InstanceCount"] == hosts
    (accuracy,) = (
        float(metric["Value"])
        for metric in described["FinalMetricDataList"]
        if metric["MetricName"] == "accuracy"
    )
    return accuracy


def test_the_check_lists_what_is_missing(local: LocalAws, project: Path) -> None:
    asked = local.sagelet("check", "--json", "normal_script.py", cwd=project, code=3)
    found = {finding["rule"] for finding in json.loads(asked.stdout)["findings"]}
    assert found >= {
        "hard-coded-data-path",
        "hard-coded-output-path",
        "no-main-guard",
        "not-distributed",
        "print-not-logger",
    }


def test_what_the_upgrade_makes_is_the_example_and_needs_nothing_more(
    local: LocalAws, project: Path
) -> None:
    assert (project / "train.py").read_text() == (EXAMPLE / "train.py").read_text()
    local.sagelet("upgrade", "--check", "train.py", cwd=project)
    told = local.sagelet("check", "train.py", cwd=project).stdout
    assert told.startswith("nothing found")


def test_alone_it_trains_as_it_did_before(local: LocalAws, project: Path) -> None:
    before = accuracy_of(local.run(sys.executable, "normal_script.py", cwd=project))
    (project / "model.pth").unlink()
    after = accuracy_of(local.run(sys.executable, "train.py", cwd=project))
    assert after == pytest.approx(before, abs=0.01)
    assert (project / "model.pth").is_file()
    (project / "model.pth").unlink()


def test_two_hosts_learn_what_one_does_and_their_model_serves(
    local: LocalAws, project: Path
) -> None:
    one = [trained(local, project, 1, seed) for seed in SEEDS]
    two = [trained(local, project, 2, seed) for seed in SEEDS]
    assert statistics.mean(one) > 0.93
    assert abs(statistics.mean(one) - statistics.mean(two)) < 0.01, (one, two)
    local.sagelet("deploy", "--model", "latest", "-y", cwd=project)
    try:
        answer = json.loads(local.sagelet("invoke", "-f", "digit.json", cwd=project).stdout)
    finally:
        local.sagelet("rm", "digits", "-y", cwd=project)
    (scores,) = answer
    assert scores.index(max(scores)) == SIX
