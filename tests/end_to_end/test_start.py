"""A person starts the daemon, or any command does; one daemon a home, on a port that is free."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from sagelet.domain.home import Home
from sagelet.environments import daemon
from sagelet.server.settings import DEFAULT_PORT
from tests.end_to_end.local_aws import LocalAws


@pytest.fixture
def home(tmp_path: Path) -> Iterator[LocalAws]:
    """A home on which nothing runs yet."""
    local = LocalAws(Home(tmp_path / "home"))
    yield local
    local.sagelet("down")


@contextmanager
def listening(port: int) -> Iterator[int]:
    """Take a port; one that somebody else has is taken as well."""
    with closing(socket.socket()) as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # past closed connections
        with suppress(OSError):
            taken.bind(("127.0.0.1", port))
            taken.listen()
            port = taken.getsockname()[1]
        yield port


@pytest.mark.parametrize("where", [[], ["--foreground"]])
def test_a_port_that_was_asked_for_and_is_taken_is_refused(
    home: LocalAws, where: list[str]
) -> None:
    with listening(0) as port:
        refused = home.sagelet("up", "--port", str(port), *where, code=5)
    assert f"port {port} is used by pid " in refused.stderr
    assert "leave --port out to take the next free port" in refused.stderr
    assert daemon.read(home.home) is None


def test_the_default_port_gives_way_to_the_next(home: LocalAws) -> None:
    with listening(DEFAULT_PORT):
        home.sagelet("up", "--no-zygote")
        _, port = home.place
    assert DEFAULT_PORT < port < DEFAULT_PORT + 100


def test_the_largest_body_is_an_option(home: LocalAws) -> None:
    home.sagelet("up", "--port", "0", "--no-zygote", "--max-body", "1")
    with pytest.raises(ClientError) as caught:
        home.invoke("any", bytes(2**20 + 1))
    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert response["Error"]["Message"] == "HTTP content length exceeded 1048576 bytes."


def test_commands_that_start_it_at_the_same_time_share_one(home: LocalAws) -> None:
    argv = [sys.executable, "-m", "sagelet", "env", "--format", "json"]
    commands = [
        subprocess.Popen(argv, env=home.environment, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    said = [json.loads(command.communicate(timeout=60)[0]) for command in commands]
    assert {each["AWS_ENDPOINT_URL"] for each in said} == {home.info.address}
    assert len({each["AWS_SECRET_ACCESS_KEY"] for each in said}) == 1
    log = home.home.daemon_log.read_text()
    assert log.count("listening at") == 1


def test_up_twice_is_once_and_status_tells(home: LocalAws) -> None:
    assert json.loads(home.sagelet("status", "--json").stdout)["daemon"] == "not running"
    first = json.loads(home.sagelet("up", "--json").stdout)
    assert json.loads(home.sagelet("up", "--json").stdout) == first
    told = json.loads(home.sagelet("status", "--json").stdout)
    assert (told["daemon"], told["address"], told["pid"]) == (
        "running",
        first["address"],
        first["pid"],
    )
    assert json.loads(home.sagelet("down", "--json").stdout)["stopped"] is True
    assert json.loads(home.sagelet("status", "--json").stdout)["daemon"] == "not running"


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    local = LocalAws(Home(file / "home"))
    refused = local.sagelet("up", cwd=tmp_path, code=1)
    assert f"{file}/home: Not a directory" in refused.stderr
