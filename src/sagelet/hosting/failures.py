"""Words for what went wrong: FailureReason, error bodies, the short text of a header."""

from __future__ import annotations

import json
import re
import signal

from sagelet.domain.facts import EditProblem
from sagelet.errors import SageletError, WorkerStartFailed

REASON_LIMIT = 1024
"""DescribeEndpoint's FailureReason has at most so many characters."""
HEADER_LIMIT = 200

_PING = (
    "The primary container for production variant {} did not pass the ping health check. "
    "Please check CloudWatch logs for this endpoint."
)
TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the "
    "latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
)
_OUT_OF_MEMORY = 137
_CRASH = "Fatal Python error: "
_EXTENSIONS = "\nExtension modules: "
_NOT_THE_USERS = re.compile(r'File "(?:.*/sagelet/worker/|<frozen runpy>)')


def failure_reason(variant: str, error: SageletError) -> str:
    """Return the FailureReason of an endpoint: the user's error and traceback, then AWS's words."""
    if not isinstance(error, WorkerStartFailed):
        return str(error)[:REASON_LIMIT]
    what = error.error or _how_it_ended(error.exit_code)
    place = f" at {error.where}" if error.where else ""
    ping = f"\n{_PING.format(variant)}"
    advice = f"\nhint: {error.advice}" if error.advice else ""
    head = f"{what}{place}{advice}"[: REASON_LIMIT - len(ping)]
    rest = (error.traceback or _last_words(error.log_tail)).strip()
    room = REASON_LIMIT - len(head) - len("\n") - len(ping)
    if not rest or room < len("..."):
        return f"{head}{ping}"
    return f"{head}\n{rest if len(rest) <= room else '...' + rest[-(room - 3) :]}{ping}"


def header_text(error: SageletError) -> str:
    """Return an error as one short line of visible ASCII."""
    text = str(error)
    if isinstance(error, WorkerStartFailed):
        text = f"{error.error or _how_it_ended(error.exit_code)} ({error.where})"
    line = " ".join(text.split()).encode("ascii", "backslashreplace").decode()
    return line if len(line) <= HEADER_LIMIT else line[: HEADER_LIMIT - 3] + "..."


def edit_problem(error: SageletError) -> EditProblem:
    """Return why an edit is not served, as pages show it."""
    if not isinstance(error, WorkerStartFailed):
        return EditProblem(str(error))
    text = error.error or _how_it_ended(error.exit_code)
    return EditProblem(text, error.where, error.traceback or _last_words(error.log_tail))


def server_error(status: int, message: str, kind: str = "InternalServerException") -> bytes:
    """Return an error's body as the model server writes those that are its own."""
    body = {"code": status, "type": kind, "message": message}
    return (json.dumps(body, indent=2) + "\n").encode()


def not_loaded(name: str, error: SageletError) -> tuple[int, bytes]:
    """Return what the model server answers for a model that it could not load."""
    exit_code = error.exit_code if isinstance(error, WorkerStartFailed) else None
    status = 500 if exit_code is None else status_of_death(exit_code)
    message = f"Failed to start workers for model {name} version: 1.0\n{error}"
    return status, server_error(status, message)


def status_of_death(exit_code: int) -> int:
    """Return the status for a request whose worker died: 507 where memory may have run out."""
    return 507 if may_be_out_of_memory(exit_code) else 500


def may_be_out_of_memory(exit_code: int) -> bool:
    """Whether a process ended as one does that the kernel kills for want of memory."""
    return exit_code in (-signal.SIGKILL, _OUT_OF_MEMORY)


def cause_of_death(exit_code: int) -> str:
    """Say how a process ended."""
    if exit_code >= 0:
        return f"ended with exit code {exit_code}"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        name = f"signal {-exit_code}"
    hint = " (the system may have run out of memory)" if name == "SIGKILL" else ""
    return f"was killed by {name}{hint}"


def _last_words(tail: str) -> str:
    """Return the last lines of a log; of the stacks of a crash, the user's frames."""
    _, mark, dump = tail.partition(_CRASH)
    if not mark:
        return tail
    frames, _, _ = (mark + dump).partition(_EXTENSIONS)
    return "\n".join(
        line for line in frames.splitlines() if line and not _NOT_THE_USERS.search(line)
    )


def _how_it_ended(exit_code: int | None) -> str:
    if exit_code is None:
        return "the worker did not answer in time"
    return f"the worker {cause_of_death(exit_code)}"
