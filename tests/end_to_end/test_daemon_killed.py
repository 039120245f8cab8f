"""The daemon dies, or is asked to end, while a job trains and an endpoint serves."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from sagelet.domain.home import Home
from sagelet.environments import daemon
from tests.end_to_end.local_aws import LocalAws, eventually

LINES = 60
COUNTING = """
import os, pathlib, time
folder = pathlib.Path({folder!r})
for number in range({lines}):
    print(f"line {{number}}", flush=True)
    if number == 20:
        (folder / "begun").touch()
    if number == 40:
        while not (folder / "go").exists():
            time.sleep(0.01)
    time.sleep(0.005)
pathlib.Path(os.environ["SM_MODEL_DIR"], "model.pth").write_text("trained")
"""
HANDLERS = """
import torch

def model_fn(model_dir):
    return torch.nn.Linear(1, 1)

def transform_fn(model, data, content_type, accept):
    return data, accept
"""


@dataclass(frozen=True)
class AtWork:
    """A home whose daemon serves `echo` and runs the job `counting`, until `go` is there."""

    local: LocalAws
    folder: Path

    def go(self) -> None:
        """Let the job end."""
        (self.folder / "go").touch()


@pytest.fixture
def at_work(own_daemon: LocalAws, tmp_path: Path) -> AtWork:
    source, model = tmp_path / "source", tmp_path / "model"
    source.mkdir()
    model.mkdir()
    (source / "train.py").write_text(COUNTING.format(folder=str(tmp_path), lines=LINES))
    (model / "inference.py").write_text(HANDLERS)
    own_daemon.deploy("echo", model)
    own_daemon.train(
        "counting", source, OutputDataConfig={"S3OutputPath": (tmp_path / "out").as_uri()}
    )
    own_daemon.wait_in_service("echo")
    eventually((tmp_path / "begun").exists, "the job is at work")
    return AtWork(own_daemon, tmp_path)


def killed(local: LocalAws) -> int:
    """Kill the daemon, and return its number once it is gone."""
    process = psutil.Process(local.info.pid)
    os.kill(process.pid, signal.SIGKILL)
    eventually(lambda: daemon.read(local.home) is None, "the daemon is gone")
    return process.pid


def is_whole(database: Path) -> bool:
    with sqlite3.connect(database) as connection:
        said = connection.execute("PRAGMA integrity_check").fetchall()
    connection.close()
    return said == [("ok",)]


def test_the_next_command_brings_the_endpoint_and_the_job_back(at_work: AtWork) -> None:
    local = at_work.local
    before = local.sagemaker.describe_endpoint(EndpointName="echo")
    pid = killed(local)

    listed = local.sagelet("ls").stdout
    assert local.info.pid != pid
    assert "counting" in listed
    local.wait_in_service("echo")
    assert local.invoke("echo", "[1]", Accept="application/json") == "[1]"
    after = local.sagemaker.describe_endpoint(EndpointName="echo")
    assert after["EndpointConfigName"] == before["EndpointConfigName"]
    assert after["CreationTime"] == before["CreationTime"]

    at_work.go()
    job = local.wait_ended("counting")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    artifact = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert Path(artifact.removeprefix("file://")).is_file()
    lines = [line for line in local.job_log("counting") if line.startswith("line ")]
    assert lines == [f"line {number}" for number in range(LINES)]
    assert is_whole(local.home.database)


def test_a_job_that_ends_while_no_daemon_runs_is_found_completed(at_work: AtWork) -> None:
    local = at_work.local
    killed(local)
    at_work.go()
    eventually(lambda: list((at_work.folder / "out").rglob("model.tar.gz")), "the artifact")

    local.sagelet("status")  # which starts nothing
    assert daemon.read(local.home) is None
    local.sagelet("up", "--port", "0")
    assert local.wait_ended("counting")["TrainingJobStatus"] == "Completed"
    lines = [line for line in local.job_log("counting") if line.startswith("line ")]
    assert lines == [f"line {number}" for number in range(LINES)]


def test_the_workers_of_a_killed_daemon_end_and_nothing_else_stays(at_work: AtWork) -> None:
    local = at_work.local
    killed(local)
    at_work.go()
    eventually(lambda: not local.processes(), "every process has ended")


def test_killed_again_and_again_it_loses_nothing(at_work: AtWork) -> None:
    local = at_work.local
    for _ in range(4):
        killed(local)
        local.sagelet("up", "--port", "0")
    local.wait_in_service("echo")
    assert local.invoke("echo", "[1]", Accept="application/json") == "[1]"
    at_work.go()
    assert local.wait_ended("counting")["TrainingJobStatus"] == "Completed"
    names = [each["EndpointName"] for each in local.sagemaker.list_endpoints()["Endpoints"]]
    assert names == ["echo"]
    assert is_whole(local.home.database)
    local.sagelet("down")
    eventually(lambda: not local.processes(), "every process has ended")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[LocalAws]:
    """A home on which the test runs the daemon itself."""
    local = LocalAws(Home(tmp_path / "home"))
    yield local
    local.sagelet("down")


def test_a_second_daemon_on_the_same_home_refuses_and_names_the_first(home: LocalAws) -> None:
    with home.foreground("--no-zygote") as first:
        refused = home.sagelet("up", "--foreground", "--port", "0", code=5)
        assert f"a daemon (pid {first.pid}) already runs on {home.home.root}" in refused.stderr
        assert home.info.address in refused.stderr
        assert home.info.pid == first.pid


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_daemon_that_is_asked_to_end_leaves_nothing_behind(
    home: LocalAws, tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "inference.py").write_text(
        HANDLERS.replace("import torch", "import json").replace("torch.nn.Linear(1, 1)", "json")
    )
    with home.foreground() as process:
        home.deploy("echo", tmp_path)
        home.wait_in_service("echo")
        process.send_signal(number)
        assert process.wait(20) == 128 + number
        eventually(lambda: not home.processes(), "every process has ended")
        assert not home.home.daemon_file.exists()
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


def test_a_request_under_way_is_answered_before_the_daemon_ends(
    home: LocalAws, tmp_path: Path
) -> None:
    slow = HANDLERS.replace(
        "    return data, accept",
        f"    open({str(tmp_path / 'asked')!r}, 'w').close()\n"
        "    import time; time.sleep(1)\n    return data, accept",
    )
    (tmp_path / "inference.py").write_text(slow)
    with home.foreground("--no-zygote") as process, ThreadPoolExecutor() as threads:
        home.deploy("slow", tmp_path)
        home.wait_in_service("slow")
        answer = threads.submit(home.invoke, "slow", "[1]", Accept="application/json")
        eventually((tmp_path / "asked").exists, "the handler is at work")
        process.terminate()
        assert answer.result(10) == "[1]"
        assert process.wait(20) == 128 + signal.SIGTERM
