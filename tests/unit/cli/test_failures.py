from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from sagelet import errors
from sagelet.cli import failures
from sagelet.cli.output import Output


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (click.UsageError("no"), 2),
        (errors.ConfigNotFound(searched=("a",)), 2),
        (errors.EndpointNotFound(name="x"), 4),
        (errors.RemoteRefused("X", "ValidationException", 'Could not find endpoint "x".'), 4),
        (errors.RemoteRefused("X", "ValidationError", "Endpoint x of account 1 not found."), 4),
        (errors.RemoteRefused("X", "ValidationException", "Cannot create already existing x."), 5),
        (errors.DaemonRunning(pid=1, address="http://127.0.0.1:1", home="/h"), 5),
        (errors.DaemonStartFailed(log="/h/daemon.log"), 6),
        (errors.DaemonStartFailed(log="/h/daemon.log", exit_code=1), 6),
        (errors.DaemonStartFailed(log="/h/daemon.log", exit_code=5), 5),
        (errors.VersionSkew(daemon="1", ours="2"), 6),
        (errors.RemoteRefused("ListEndpoints", "InvalidSignatureException", "no"), 7),
        (errors.NoCredentials(environment="production", reason="none"), 7),
        (errors.WaitTimedOut(what="x", waited_s=1, status="Creating"), 8),
        (errors.RemoteRefused("CreateModel", "ThrottlingException", "Rate exceeded"), 9),
        (errors.RemoteRefused("InvokeEndpoint", "ModelError", "Received server error"), 1),
        (errors.OperationFailed(what="x", reason="y"), 1),
        (ZeroDivisionError(), 70),
        (KeyboardInterrupt(), 130),
    ],
)
def test_an_error_has_its_exit_code(error: BaseException, code: int) -> None:
    assert failures.exit_code(error) == code


def test_an_error_is_one_sentence_and_the_next_step(capsys: pytest.CaptureFixture[str]) -> None:
    failures.report(errors.PortTaken(port=7543, owner="pid 1 (nginx)"), Output())
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "error[PortTaken]: port 7543 is used by pid 1 (nginx)\n"
        "hint: leave --port out to take the next free port\n"
    )


def test_an_error_is_data_with_json(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output()
    output.json = True
    failures.report(errors.OperationFailed(what="job x", reason="no", exit_code=3), output)
    assert json.loads(capsys.readouterr().out) == {
        "error": {"code": "OperationFailed", "message": "job x failed: no", "hint": ""},
        "ExitCode": 3,
    }


def test_a_bug_leaves_a_report_with_the_traceback(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert failures.report(ZeroDivisionError("division by zero"), Output()) == 70
    report = next(tmp_path.glob("sagelet-report-*.txt"))
    assert str(report) in capsys.readouterr().err
    assert "ZeroDivisionError: division by zero" in report.read_text()


def test_what_a_model_said_is_shown_without_the_wrapping(
    capsys: pytest.CaptureFixture[str],
) -> None:
    message = (
        'Received server error (500) from primary with message "no\nTraceback: serve.py". See '
        "https://x for more information."
    )
    error = errors.RemoteRefused("InvokeEndpoint", "ModelError", message)
    assert failures.report(error, Output()) == 1
    assert capsys.readouterr().err == (
        "error[ModelError]: the model answered 500: no\nTraceback: serve.py\n"
        "hint: the endpoint's log has more: `sagelet logs NAME`\n"
    )


def test_a_models_failure_is_data_with_json(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output()
    output.json = True
    error = errors.RemoteRefused(
        "InvokeEndpoint",
        "ModelError",
        "Received server error",
        headers={"x-sagelet-handler": "input_fn", "x-sagelet-where": "/p/serve.py:17"},
        members={"OriginalStatusCode": 500, "OriginalMessage": "no"},
    )
    failures.report(error, output)
    said = json.loads(capsys.readouterr().out)["error"]
    assert said["code"] == "ModelError"
    assert said["message"] == "input_fn failed at /p/serve.py:17 (status 500): no"
    assert (said["handler"], said["file"], said["line"]) == ("input_fn", "/p/serve.py", 17)


def test_an_error_cannot_drive_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    failures.report(errors.InvalidRequest("a\x1b]0;owned\x07b\x1b[2Jc"), Output())
    assert "error[InvalidRequest]: abc\n" in capsys.readouterr().err
