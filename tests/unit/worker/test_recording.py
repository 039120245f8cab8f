"""The journal and the exit file of a host."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagelet.worker.loglines import decode_record
from sagelet.worker.recording import Journal, signal_of, write_exit
from sagelet.worker.spec import HostExit, exit_from_json


def test_lines_are_appended_as_records(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "algo-1"
    for line in ("one", "naïve"):
        journal = Journal(str(path))
        journal.append([line])
        journal.close()

    records = [decode_record(line) for line in path.read_bytes().splitlines()]
    assert [record and record[1] for record in records] == ["one", "naïve"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_full_disk_is_noted_and_not_raised() -> None:
    journal = Journal("/dev/full")
    journal.append(["lost"])
    journal.append(["lost too"])
    journal.close()
    assert journal.problem == "log lines were lost: No space left on device"


def test_the_exit_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "exit.json"
    ended = HostExit(1, 12.5, stopped=True, error="E: \ud800", notes=("a", "b"))

    assert write_exit(str(path), HostExit(0, 1.0))
    assert write_exit(str(path), ended)

    assert exit_from_json(path.read_text()) == ended
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-9, "killed by SIGKILL (signal 9)"),
        (-11, "killed by SIGSEGV (signal 11)"),
        (-40, "killed by signal 40"),
        (137, "a command in it was killed by SIGKILL (signal 9)"),
        (3, ""),
        (127, ""),
        (255, ""),
    ],
)
def test_exit_codes_name_their_signals(code: int, words: str) -> None:
    assert signal_of(code) == words
