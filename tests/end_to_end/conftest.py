"""A real daemon, real clients and real workers. One daemon serves the whole suite; the tests that
kill one start their own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from sagelet.domain.home import Home
from sagelet.environments import credentials, daemon

REPOSITORY = Path(__file__).parents[2]
REGION = "us-east-1"
ROLE = "AmazonSageMakerFullAccess"


@dataclass(frozen=True)
class LocalAws:
    """A home and whatever daemon runs on it."""

    home: Home

    @property
    def environment(self) -> dict[str, str]:
        """A clean environment for a program that is to find this home."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "SAGELET_", "SM_")) and name != "DEPLOY_ENV"
        }
        return kept | {"SAGELET_HOME": str(self.home.root), "AWS_EC2_METADATA_DISABLED": "true"}

    def sagelet(
        self, *arguments: str, cwd: Path | None = None, code: int | None = 0, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run our own program; a `code` of None accepts any."""
        done = subprocess.run(
            [sys.executable, "-m", "sagelet", *arguments],
            cwd=cwd or self.home.root,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if code is not None:
            assert done.returncode == code, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done

    def run(self, *argv: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run another program with this home in its environment."""
        done = subprocess.run(
            argv,
            cwd=cwd,
            env=self.environment | variables,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == 0, f"{argv}\n{done.stdout}\n{done.stderr}"
        return done

    @property
    def info(self) -> daemon.DaemonInfo:
        """The daemon; it must run."""
        info = daemon.read(self.home)
        assert info is not None
        return info

    def client(self, service: str, **config: Any) -> Any:  # noqa: ANN401  any of boto3's clients
        """A boto3 client, made as a user would make it."""
        key = credentials.load_or_create(self.home)
        make: Any = boto3.client
        return make(
            service,
            endpoint_url=self.info.address,
            aws_access_key_id=key.access_key_id,
            aws_secret_access_key=key.secret_access_key,
            region_name=REGION,
            config=Config(**{"retries": {"total_max_attempts": 1}, **config}),
        )


def start_daemon(root: Path, *arguments: str) -> LocalAws:
    """Start a daemon on a new home."""
    local = LocalAws(Home(root))
    root.mkdir(parents=True)
    local.sagelet("up", *arguments)
    return local


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """The suite's daemon."""
    local = start_daemon(tmp_path_factory.mktemp("e2e") / "home", "--port", "0")
    yield local
    local.sagelet("down")


@pytest.fixture
def own_daemon(tmp_path: Path) -> Iterator[LocalAws]:
    """A daemon of the test's own, to be treated badly."""
    local = start_daemon(tmp_path / "own home", "--port", "0")
    yield local
    local.sagelet("down")


def eventually(condition: Callable[[], Any], *, within_s: float = 20.0) -> Any:  # noqa: ANN401
    """Return what the condition returns once that is true."""
    deadline = time.monotonic() + within_s
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)
