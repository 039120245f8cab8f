"""Errors at the edge: one sentence, the next step, an exit code; `--json` gives the same as data.

0 ok · 1 the operation failed · 2 usage or configuration · 3 a check found problems
4 not found · 5 it exists, or is busy · 6 daemon unreachable · 7 credentials · 8 timed out
9 the remote API refused · 70 a bug of ours · 130 Ctrl-C · 143 SIGTERM
"""

from __future__ import annotations

import difflib
import os
import re
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from sagelet import __version__, errors
from sagelet.cli import model_errors
from sagelet.cli.model_errors import ModelFailure
from sagelet.cli.output import Output, safe

OK, FAILED, USAGE, DIFFERS, NOT_FOUND, CONFLICT, UNREACHABLE, CREDENTIALS = 0, 1, 2, 3, 4, 5, 6, 7
TIMED_OUT, REFUSED, BUG, INTERRUPTED = 8, 9, 70, 130

_CODES: tuple[tuple[type[errors.SageletError], int], ...] = (
    (errors.ConfigError, USAGE),
    (errors.InvalidRequest, USAGE),
    (errors.NotFound, NOT_FOUND),
    (errors.PathNotFound, NOT_FOUND),
    (errors.UnknownRule, NOT_FOUND),
    (errors.AlreadyExists, CONFLICT),
    (errors.Busy, CONFLICT),
    (errors.SourceChanged, CONFLICT),
    (errors.DaemonRunning, CONFLICT),
    (errors.PortTaken, CONFLICT),
    (errors.DaemonError, UNREACHABLE),
    (errors.WaitTimedOut, TIMED_OUT),
    (errors.OperationFailed, FAILED),
    (errors.NoCredentials, CREDENTIALS),
    (errors.WrongAccount, CREDENTIALS),
    (errors.RemoteUnreachable, REFUSED),
)

_CREDENTIAL_FAULTS = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)

# SageMaker has no code of its own for what is not there, and says it in three ways.
_MISSING = re.compile(
    r"Could not find |Requested resource not found|Endpoint \S+ of account \d+ not found"
)

_HINTS: tuple[tuple[type[errors.SageletError], str], ...] = (
    (errors.ConfigNotFound, "`sagelet init` writes a configuration"),
    (errors.DaemonRunning, "use it, or stop it with `sagelet down`"),
    (errors.PortTaken, "leave --port out to take the next free port"),
    (errors.WaitTimedOut, "it goes on; ask again with `sagelet describe`"),
)


def exit_code(error: BaseException) -> int:
    """Return the exit code that belongs to an error."""
    if isinstance(error, click.ClickException):
        return USAGE
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        return INTERRUPTED
    if isinstance(error, errors.RemoteRefused):
        return _code_of_refusal(error)
    if isinstance(error, errors.DaemonStartFailed) and error.exit_code == CONFLICT:
        return CONFLICT  # the daemon's port is taken, or its home is
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return FAILED if isinstance(error, errors.SageletError) else BUG


def _code_of_refusal(error: errors.RemoteRefused) -> int:
    if error.code in _CREDENTIAL_FAULTS:
        return CREDENTIALS
    if _MISSING.match(error.message) or error.code in (
        "ResourceNotFoundException",
        "404",
        "NoSuchKey",
        "NoSuchBucket",
    ):
        return NOT_FOUND
    if "already exist" in error.message or error.code == "ResourceInUse":
        return CONFLICT
    return FAILED if error.code in model_errors.CODES else REFUSED


def hint_of(error: BaseException) -> str:
    """Return the next step, where there is one to name."""
    if failure := _model_failure(error):
        return failure.hint
    return next((hint for kind, hint in _HINTS if isinstance(error, kind)), "")


def _model_failure(error: BaseException) -> ModelFailure | None:
    if isinstance(error, errors.RemoteRefused):
        return model_errors.failure_of(error)
    return None


def report(error: BaseException, output: Output) -> int:
    """Tell the user what went wrong and return the exit code."""
    code = exit_code(error)
    if code == INTERRUPTED:
        output.say("interrupted")
        return code
    message = message_of(error)
    hint = hint_of(error)
    if code == BUG:
        hint = f"this is a bug of sagelet's; its report is {_write_report(error)}"
    if output.json:
        output.document(
            {"error": {"code": _code_name(error), "message": message, "hint": hint} | _facts(error)}
            | ({"ExitCode": error.exit_code} if isinstance(error, errors.OperationFailed) else {})
        )
    _print(message, hint, _code_name(error), output)
    return code


def _code_name(error: BaseException) -> str:
    """Return the stable name of an error: the API's own code, or the class's name."""
    return error.code if isinstance(error, errors.RemoteRefused) else type(error).__name__


def _facts(error: BaseException) -> dict[str, Any]:
    """Return what a program may want to know of an error beside its message."""
    failure = _model_failure(error)
    return failure.facts() if failure else {}


def message_of(error: BaseException) -> str:
    """Return an error in words."""
    if isinstance(error, click.ClickException):
        return error.format_message()
    if failure := _model_failure(error):
        return failure.sentence()
    return str(error) or type(error).__name__


def _print(message: str, hint: str, kind: str, output: Output) -> None:
    label = click.style(f"error[{kind}]", fg="red", bold=True)
    click.echo(f"{label}: {safe(message)}", err=True, color=output.colour)
    if hint:
        click.echo(f"{click.style('hint', fg='cyan')}: {hint}", err=True, color=output.colour)


def _write_report(error: BaseException) -> Path:
    """Write the traceback where the user can find it; nothing is sent anywhere."""
    descriptor, name = tempfile.mkstemp(prefix="sagelet-report-", suffix=".txt")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"sagelet {__version__}, Python {sys.version}\nargv: {sys.argv}\n\n")
        traceback.print_exception(error, file=file)
    return Path(name)


def unknown_command(name: str, known: Sequence[str]) -> str:
    """Return what to say to a name that is no command."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"no command {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
