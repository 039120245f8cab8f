"""A real daemon, real clients and real workers.

One daemon serves the whole suite; the tests that treat a daemon badly start their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sagelet.domain.home import Home
from tests.end_to_end.local_aws import LocalAws, eventually


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """The suite's daemon. It leaves nothing that runs, and met with nothing that nobody foresaw."""
    local = LocalAws(Home(tmp_path_factory.mktemp("e2e") / "home"))
    local.sagelet("up", "--port", "0")
    yield local
    local.sagelet("down")
    eventually(lambda: not local.processes(), "every process has ended")
    log = local.home.daemon_log.read_text()
    assert "Traceback" not in log, log


@pytest.fixture
def own_daemon(tmp_path: Path) -> Iterator[LocalAws]:
    """A daemon of the test's own, on a home with a space in its path."""
    local = LocalAws(Home(tmp_path / "own home"))
    local.sagelet("up", "--port", "0")
    yield local
    local.sagelet("down")


@pytest.fixture
def nothing_lost(local: LocalAws) -> Iterator[None]:
    """After the test there is what there was before it, under the same daemon."""
    before, daemon = local.state(), local.info
    yield
    assert local.state() == before
    assert local.info == daemon
