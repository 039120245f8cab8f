"""A person watches a job: on a terminal, through a pipe, and afterwards, host by host."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.documents import a_training_job
from tests.end_to_end.local_aws import LocalAws
from tests.end_to_end.terminals import Terminal

TRAIN = r"""
import pathlib, sys, time

def wait_for(name):
    while not (pathlib.Path({folder!r}) / name).exists():
        time.sleep(0.01)

print("  indented loss=0.5;", flush=True)
for percent in range(100):
    sys.stderr.write(f"\r{{percent}}% done")
    sys.stderr.flush()
    time.sleep(0.01)
wait_for("bar")
sys.stderr.write("\r100% done\n")
print("no newline at the end", end="", flush=True)
wait_for("end")
"""
CONFIG = """
environments: {{local: {{model_name: watched}}}}
train: {{source: ., entry_point: train.py, metrics: {{loss: "loss=(.*);"}}}}
"""
TALKING = """
import os, sys, time
host = os.environ["SM_CURRENT_HOST"]
for number in range(20):
    print(f"{host} says {number}", flush=True)
    time.sleep(0.02)
print("\\twarned", file=sys.stderr)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text(TRAIN.format(folder=str(tmp_path)))
    (tmp_path / "sagelet.yml").write_text(CONFIG.format())
    return tmp_path


def test_a_terminal_shows_the_log_a_progress_bar_and_the_latest_metrics(
    local: LocalAws, project: Path
) -> None:
    command = ("-m", "sagelet", "train", "--name", "on-a-terminal")
    with Terminal(*command, cwd=project, environment=local.environment) as terminal:
        terminal.shows(r"algo-1 \|   indented loss=0.5;\n")
        terminal.shows(r"algo-1 \| \d+% done\nTraining \d+ s")
        terminal.shows(r"Training \d+ s · loss 0.5")
        (project / "bar").touch()
        terminal.shows(r"algo-1 \| 100% done\n")
        (project / "end").touch()
        terminal.shows(r"algo-1 \| no newline at the end\n")
        terminal.shows(r"job +on-a-terminal Completed")
        assert terminal.ends() == 0


def test_a_pipe_gets_the_log_and_a_line_a_phase(local: LocalAws, project: Path) -> None:
    for name in ("bar", "end"):
        (project / name).touch()
    done = local.sagelet("train", "--name", "through-a-pipe", cwd=project)
    log = [line for line in done.stdout.splitlines() if line.startswith("algo-1 | ")]
    assert "algo-1 |   indented loss=0.5;" in log
    assert log.count("algo-1 | 100% done") == 1
    assert not [line for line in log if re.search(r"\| [1-9]?\d% done", line)]
    phases = re.findall(r"^\d\d:\d\d:\d\d (\w+)", done.stderr, re.MULTILINE)
    assert phases == ["Starting", "Downloading", "Training", "Uploading", "Completed"]


@pytest.fixture(scope="module")
def pair(local: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A job of two hosts that has ended."""
    source = tmp_path_factory.mktemp("pair") / "source"
    source.mkdir()
    (source / "train.py").write_text(TALKING)
    parameters = a_training_job("pair", source)
    parameters["ResourceConfig"]["InstanceCount"] = 2
    local.sagemaker.create_training_job(**parameters)
    ended = local.wait_ended("pair")
    assert ended["TrainingJobStatus"] == "Completed", ended.get("FailureReason")
    return "pair"


def said(text: str, pattern: str) -> list[str]:
    return [match[1] for match in re.finditer(pattern, text, re.MULTILINE)]


def test_two_hosts_lines_are_told_apart_and_in_the_order_of_their_times(
    local: LocalAws, pair: str
) -> None:
    shown = local.sagelet("logs", pair, "--timestamps", "--no-prefix").stdout
    moments = [line.split()[0] for line in shown.splitlines()]
    assert moments == sorted(moments)
    prefixed = local.sagelet("logs", pair).stdout
    for host in ("algo-1", "algo-2"):
        numbers = said(prefixed, rf"^{host} \| {host} says (\d+)$")
        assert numbers == [str(number) for number in range(20)]
        assert f"{host} | \twarned\n" in prefixed
    followed = local.sagelet("logs", pair, "--follow").stdout
    assert followed == prefixed


def test_one_host_is_shown_alone(local: LocalAws, pair: str) -> None:
    alone = local.sagelet("logs", pair, "--host", "algo-2").stdout
    assert said(alone, r"^algo-2 says (\d+)$") == [str(number) for number in range(20)]
    assert "algo-1 says" not in alone
    refused = local.sagelet("logs", pair, "--host", "algo-3", code=2)
    assert "no algo-3; there are algo-1, algo-2" in refused.stderr


def test_lines_are_searched_and_told_as_data(local: LocalAws, pair: str) -> None:
    for more in ((), ("--follow",)):
        found = local.sagelet("logs", pair, "--search", "says 7", "--jsonl", *more).stdout
        documents: list[dict[str, Any]] = [json.loads(line) for line in found.splitlines()]
        assert sorted(one["message"] for one in documents) == [
            "algo-1 says 7",
            "algo-2 says 7",
        ]
        assert all(one["logStreamName"].startswith("pair/algo-") for one in documents)
    assert local.sagelet("logs", pair, "--since", "2020-01-01", "--search", "says 7").stdout
    assert local.sagelet("logs", pair, "--since", "0s").stdout == ""


def test_a_notebook_follows_a_job_and_shows_it(local: LocalAws, pair: str, tmp_path: Path) -> None:
    script = tmp_path / "cell.py"
    script.write_text(f"import sagelet\njob = sagelet.follow({pair!r})\nprint([job])\n")
    printed = local.run(sys.executable, script, cwd=tmp_path)
    assert "algo-2 | algo-2 says 19\n" in printed
    assert f"[training job {pair}: Completed\n" in printed
