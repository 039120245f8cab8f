"""Every test starts from a clean environment and an empty home, and reaches loopback only."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

_CLEARED_PREFIXES = ("AWS_", "SAGELET_", "SAGEMAKER_", "SM_")
_CLEARED = ("DEPLOY_ENV", "NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE")


class OutsideCall(RuntimeError):
    """A test tried to leave the machine."""


def _is_loopback(host: object) -> bool:
    if not isinstance(host, str):
        return True
    name = host.partition("%")[0].strip("[]").lower()
    if name in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _is_local_name(host: object) -> bool:
    """Names without a dot (this machine's, algo-1) are resolved without asking the network."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    return not isinstance(host, str) or "." not in host or host == socket.gethostname()


def _refuse_outside(event: str, arguments: tuple[Any, ...]) -> None:
    # Loopback and Unix sockets only; a name would have to be looked up first.
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        if isinstance(address, tuple) and not _is_loopback(address[0]):
            raise OutsideCall(f"a test tried to reach {address}")
    elif event == "socket.getaddrinfo":
        host = arguments[0]
        if not (_is_loopback(host) or _is_local_name(host)):
            raise OutsideCall(f"a test tried to look up {host!r}")


sys.addaudithook(_refuse_outside)


@pytest.fixture(autouse=True)
def clean_environment(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Clear what a shell may have set, and give the test a home of its own.

    The AWS configuration files point nowhere: a developer's own profiles are not a test's business.
    """
    for name in list(os.environ):
        if name.startswith(_CLEARED_PREFIXES) or name in _CLEARED:
            monkeypatch.delenv(name)
    base = tmp_path_factory.mktemp("t")
    home = base / "home"
    monkeypatch.setenv("SAGELET_HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(base / "config"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(base / "no-aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(base / "no-aws-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return home


@pytest.fixture
def home_path(clean_environment: Path) -> Path:
    """The folder that SAGELET_HOME names in this test; nothing has made it yet."""
    return clean_environment
