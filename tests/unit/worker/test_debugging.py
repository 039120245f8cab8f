from __future__ import annotations

import socket
import sys
from types import ModuleType

import pytest

from sagelet.worker import debugging


class StandIn(ModuleType):
    """What a worker asks of debugpy: it refuses ports that are taken, and notes the waiting."""

    def __init__(self) -> None:
        super().__init__("debugpy")
        self.waited = 0

    def listen(self, address: tuple[str, int]) -> tuple[str, int]:
        with socket.socket() as sock:
            try:
                sock.bind(address)
            except OSError as error:
                raise RuntimeError("Can't listen for client connections") from error
        return address

    def wait_for_client(self) -> None:
        self.waited += 1


@pytest.fixture
def debugpy(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    stand_in = StandIn()
    monkeypatch.setitem(sys.modules, "debugpy", stand_in)
    return stand_in


def test_a_worker_lets_a_debugger_in_and_waits_for_it_if_told_to(
    debugpy: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    debugging._listen(port, wait=False)
    assert debugpy.waited == 0
    debugging._listen(port, wait=True)
    assert debugpy.waited == 1
    assert f"debugpy listens at 127.0.0.1:{port}\nwaiting" in capsys.readouterr().err


def test_a_port_that_the_worker_before_still_has_is_left_to_it(
    debugpy: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as older:
        older.bind(("127.0.0.1", 0))
        taken = older.getsockname()[1]
        debugging._listen(taken, wait=False)
    said = capsys.readouterr().err
    assert f"127.0.0.1:{taken}\n" not in said
    assert "debugpy listens at 127.0.0.1:" in said
