"""What a worker says in its log, whatever its handlers do to sys.stderr."""

from __future__ import annotations

import io
import os
import sys

import pytest

from sagelet.worker.serving.telling import tell


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("stream", [closed(), None, io.BytesIO()], ids=["closed", "none", "bytes"])
def test_where_sys_stderr_takes_nothing_the_log_does(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, stream: object
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    tell("what went wr\udcffng\n")
    assert capfd.readouterr().err == "what went wr\\udcffng\n"


def test_where_sys_stderr_was_replaced_it_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    tell("what went wrong\n")
    assert stream.getvalue() == "what went wrong\n"


def test_where_there_is_no_log_at_all_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    saved = os.dup(2)
    monkeypatch.setattr(sys, "stderr", None)
    os.close(2)
    try:
        tell("what went wrong\n")
    finally:
        os.dup2(saved, 2)
        os.close(saved)
