"""What a process leaves of its error, and what torch's `@record` does."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from sagelet.worker.reporting import is_consequence, read_error_file, read_report, write_report


def test_a_report_is_read_once_and_removed(tmp_path: Path) -> None:
    path = str(tmp_path / "error")
    write_report(path, 3, "ValueError: x", "/a.py:2", "Traceback")

    report = read_report(path, os.getpid())
    assert report is not None
    assert (report.code, report.error, report.where) == (3, "ValueError: x", "/a.py:2")
    assert report.traceback == "Traceback"
    assert report.at > 0
    assert read_report(path, os.getpid()) is None


def test_what_a_fork_of_the_script_wrote_is_not_the_scripts(tmp_path: Path) -> None:
    path = str(tmp_path / "error")
    write_report(path, 1, "ValueError: x")

    assert read_report(path, os.getpid() + 1) is None
    assert not Path(path).exists()


def test_a_report_that_cannot_be_written_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_report(str(tmp_path / "nowhere" / "error"), 1, "ValueError: x")

    assert capsys.readouterr().err.startswith("the error could not be recorded: ")


def _recorded(path: Path, message: object) -> str:
    path.write_text(json.dumps({"message": message}))
    return str(path)


def test_what_record_wrote_has_its_place_from_the_innermost_frame(tmp_path: Path) -> None:
    text = (
        "Traceback (most recent call last):\n"
        '  File "/lib/errors.py", line 367, in wrapper\n    return f()\n'
        '  File "/code/train.py", line 12, in main\n    fit()\nValueError: bad\n'
    )
    more = {"py_callstack": text, "timestamp": "1700000000"}
    path = _recorded(tmp_path / "error.json", {"message": "ValueError: bad", "extraInfo": more})

    report = read_error_file(path, since=0.0)
    assert report is not None
    assert (report.error, report.where) == ("ValueError: bad", "/code/train.py:12")
    assert report.traceback == text


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("torn", "torn"),
        ({"message": "E"}, "E"),
        ({"message": "E", "extraInfo": None}, "E"),
        ({"errorCode": 1}, ""),
    ],
)
def test_an_error_file_may_say_less(tmp_path: Path, message: object, error: str) -> None:
    report = read_error_file(_recorded(tmp_path / "error.json", message), since=0.0)
    assert report is not None
    assert (report.error, report.where, report.traceback) == (error, "", "")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "3"])
def test_an_error_file_that_cannot_be_read_says_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "error.json"
    path.write_text(text)

    assert read_error_file(str(path), since=0.0) is None
    assert read_error_file(str(tmp_path / "nowhere"), since=0.0) is None


def test_an_error_file_of_an_earlier_start_says_nothing(tmp_path: Path) -> None:
    path = _recorded(tmp_path / "error.json", {"message": "E"})
    os.utime(path, (1000, 1000))

    assert read_error_file(path, since=1000.0) is None


CONSEQUENCES: list[Any] = [
    "RuntimeError: [../third_party/gloo/gloo/transport/tcp/pair.cc:553] Connection closed by peer "
    "[127.0.0.1]:29871",
    "RuntimeError: [enforce fail at pair.cc:449] . Connection reset by peer",
    "torch.distributed.DistNetworkError: Failed to recv, got 0 bytes. Connection was likely closed."
    " Did the remote server shutdown or crash?",
    "torch.distributed.DistBackendError: NCCL error in: x.cpp:94, remote process exited or there "
    "was a network error",
    "BrokenPipeError: [Errno 32] Broken pipe",
]


@pytest.mark.parametrize("error", CONSEQUENCES)
def test_a_lost_connection_is_the_consequence_of_another_failure(error: str) -> None:
    assert is_consequence(error)


@pytest.mark.parametrize("error", ["", "ValueError: x", "killed by SIGKILL (signal 9)"])
def test_other_errors_are_their_own(error: str) -> None:
    assert not is_consequence(error)
