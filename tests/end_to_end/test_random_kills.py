"""The daemon is killed at any moment of any work, again and again."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from sagelet.environments import daemon
from tests.end_to_end.local_aws import LocalAws, eventually

pytestmark = pytest.mark.full

ROUNDS = 30
HANDLERS = "def model_fn(d): return 1\ndef transform_fn(m, d, c, a): return d\n"
SCRIPT = """
import os, pathlib
for number in range(50):
    print(f"line {number}", flush=True)
pathlib.Path(os.environ["SM_MODEL_DIR"], "model").touch()
"""


class Customer(threading.Thread):
    """Creates, updates, invokes, trains and deletes, until the daemon is gone."""

    def __init__(self, local: LocalAws, folder: Path, number: int) -> None:
        super().__init__()
        self._local = local
        self._folder = folder
        self._number = number
        self.acknowledged: set[str] = set()

    def run(self) -> None:
        steps: list[Callable[[], None]] = [self._deploy, self._train, self._update, self._invoke]
        with suppress(BotoCoreError, ClientError, AssertionError):  # it was killed meanwhile
            for step in random.sample(steps, len(steps)):
                step()

    def _deploy(self) -> None:
        name = f"made-{self._number}"
        self._local.deploy(name, self._folder)
        self.acknowledged.add(name)

    def _train(self) -> None:
        name = f"trained-{self._number}"
        self._local.train(name, self._folder)
        self.acknowledged.add(name)

    def _update(self) -> None:
        name = f"again-{self._number}"
        self._local.deploy_model(name, self._folder)
        self._local.sagemaker.update_endpoint(EndpointName="stays", EndpointConfigName=name)

    def _invoke(self) -> None:
        self._local.invoke("stays", "x")


def test_what_was_acknowledged_survives_and_everything_settles(
    own_daemon: LocalAws, tmp_path: Path
) -> None:
    local, folder = own_daemon, tmp_path / "project"
    folder.mkdir()
    (folder / "inference.py").write_text(HANDLERS)
    (folder / "train.py").write_text(SCRIPT)
    local.deploy("stays", folder)
    local.wait_in_service("stays")
    acknowledged: set[str] = set()
    for number in range(ROUNDS):
        customer = Customer(local, folder, number)
        customer.start()
        customer.join(random.uniform(0, 0.3))
        os.kill(local.info.pid, signal.SIGKILL)
        customer.join()
        eventually(lambda: daemon.read(local.home) is None, "the daemon is gone")
        local.sagelet("up", "--port", "0")
        assert local.wait_settled("stays")["EndpointStatus"] == "InService"
        assert local.invoke("stays", "x") == "x"
        acknowledged |= customer.acknowledged

    endpoints = [each.split()[0] for each in local.names("endpoints")]
    jobs = [each.split()[0] for each in local.names("jobs")]
    assert acknowledged <= {*endpoints, *jobs}
    assert len({*endpoints, *jobs}) == len(endpoints) + len(jobs)
    for name in endpoints:
        assert local.wait_settled(name)["EndpointStatus"] == "InService"
    for name in jobs:
        job = local.wait_ended(name)
        assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
        lines = [line for line in local.job_log(name) if line.startswith("line ")]
        assert lines == [f"line {number}" for number in range(50)]
    with closing(sqlite3.connect(local.home.database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    local.sagelet("down")
    eventually(lambda: not local.processes(), "every process has ended")
