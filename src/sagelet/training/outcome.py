"""How a job ended, in SageMaker's words: the status, and the FailureReason of Describe."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sagelet.artifacts.uris import S3Uri, parse_uri
from sagelet.domain.training import Channel, SecondaryStatus, ToolkitProgram
from sagelet.errors import ModelDataMissing, RequirementsFailed
from sagelet.training.order import JobOrder
from sagelet.training.reasons import (
    NO_SPACE,
    REASON_CHARACTERS,
    algorithm_error,
    called_process_error,
    client_error,
    in_words,
    internal_error,
)
from sagelet.training.requirements import JobPackages
from sagelet.training.tail_errors import NOTHING_LOGGED, LoggedError
from sagelet.worker.spec import HostExit

__all__ = [
    "MESSAGES",
    "REASON_CHARACTERS",
    "Outcome",
    "ScriptFacts",
    "algorithm_error",
    "checkpoints_failed",
    "client_error",
    "container_exit_code",
    "download_failed",
    "in_words",
    "internal_error",
    "missing_entry_point",
    "not_installed",
    "of_command",
    "of_script",
    "stopped",
    "upload_failed",
]

EXECUTE_USER_SCRIPT_ERROR = "ExecuteUserScriptError"
INSTALLER_EXIT_CODE = 1
MISSING_FILE_EXIT_CODE = 2
"""Python's own, for a script that does not exist."""

_KILLED = signal.SIGKILL + 128

MESSAGES = {
    SecondaryStatus.STARTING: "Starting the training job",
    SecondaryStatus.PENDING: "Preparing the instances for training",
    SecondaryStatus.DOWNLOADING: "Downloading input data",
    SecondaryStatus.TRAINING: "Training image download completed. Training in progress.",
    SecondaryStatus.INTERRUPTED: "Spot instances interrupted. The training job starts again.",
    SecondaryStatus.UPLOADING: "Uploading generated training model",
    SecondaryStatus.STOPPING: "Stopping the training job",
    SecondaryStatus.COMPLETED: "Training job completed",
    SecondaryStatus.STOPPED: "Training job stopped",
    SecondaryStatus.MAX_RUNTIME_EXCEEDED: (
        "Training job runtime exceeded MaxRuntimeInSeconds provided"
    ),
    SecondaryStatus.MAX_WAIT_TIME_EXCEEDED: (
        "Training job wait time exceeded MaxWaitTimeInSeconds provided"
    ),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A job's last status. `exit_code` is the script's own, where it ran."""

    status: SecondaryStatus
    failure_reason: str | None = None
    exit_code: int | None = None

    @property
    def message(self) -> str:
        """The StatusMessage of the last transition; a failure's is its reason."""
        return self.failure_reason or MESSAGES.get(self.status, "")


@dataclass(frozen=True, slots=True)
class ScriptFacts:
    """What is known of a script that ended, beside its exit.

    `failure` is the text of /opt/ml/output/failure, `last_line` the last that the script said,
    `code` the source's folder as the script saw it, and `logged` the last error of the user's in
    the log; `who` names the process where the job has several.
    """

    command: str
    code: Path
    failure: str = ""
    last_line: str = ""
    logged: LoggedError = NOTHING_LOGGED
    who: str = ""


def of_script(ended: HostExit, facts: ScriptFacts, *, out_of_time: bool) -> Outcome:
    """Return what the end of a script under the toolkit makes of its job."""
    return _judged(ended, facts, _script_failure, out_of_time=out_of_time)


def of_command(ended: HostExit, facts: ScriptFacts, *, out_of_time: bool) -> Outcome:
    """Return what the end of a literal command makes of its job."""
    return _judged(ended, facts, _command_failure, out_of_time=out_of_time)


def _judged(
    ended: HostExit,
    facts: ScriptFacts,
    failure: Callable[[HostExit, ScriptFacts], str],
    *,
    out_of_time: bool,
) -> Outcome:
    if ended.stopped:
        return stopped(out_of_time=out_of_time, exit_code=ended.exit_code)
    if ended.exit_code == 0:
        return Outcome(SecondaryStatus.COMPLETED, exit_code=0)
    reason = failure(ended, facts)
    return Outcome(SecondaryStatus.FAILED, reason, exit_code=ended.exit_code)


def stopped(*, out_of_time: bool, exit_code: int | None = None) -> Outcome:
    """Return the end of a job that was stopped, by a person or by its time."""
    status = SecondaryStatus.MAX_RUNTIME_EXCEEDED if out_of_time else SecondaryStatus.STOPPED
    return Outcome(status, exit_code=exit_code)


def _script_failure(ended: HostExit, facts: ScriptFacts) -> str:
    """The script's own failure file wins, then a full disk, then what the script said last."""
    if facts.failure.strip():
        return algorithm_error(facts.failure)
    place = _place(ended, facts)
    if NO_SPACE in ended.error:
        return client_error(" ".join(part for part in (ended.error, place) if part))
    return called_process_error(
        EXECUTE_USER_SCRIPT_ERROR,
        ended.exit_code,
        message=_message(ended, facts),
        extra="; ".join(part for part in (facts.who, _death(ended.exit_code), place) if part),
        command=facts.command,
    )


def _command_failure(ended: HostExit, facts: ScriptFacts) -> str:
    """The user's own error first, which the drivers leave out; then their failure file."""
    own = f"{facts.logged.error} ({_place(ended, facts)})" if facts.logged.error else ""
    told = facts.failure.strip()
    parts = [_death(ended.exit_code), own, told] if told else [
        _death(ended.exit_code), own or _message(ended, facts)
    ]  # fmt: skip
    text = "\n".join(part for part in (facts.who, *parts) if part)
    return algorithm_error(text, container_exit_code(ended.exit_code))


def _message(ended: HostExit, facts: ScriptFacts) -> str:
    """What went wrong, in the script's words: its last error, the last in its log, its last line.

    What a supervisor says of a signal is told beside it, and is not the script's.
    """
    said = "" if ended.error.startswith(("killed by ", "a command in it was ")) else ended.error
    return said or facts.logged.error or facts.last_line or ended.error


def container_exit_code(exit_code: int) -> int:
    """Return a container's exit code: its command's, or as a shell tells of a signal."""
    return exit_code if exit_code >= 0 else 128 - exit_code


def missing_entry_point(program: ToolkitProgram, command: str, code: Path) -> Outcome:
    """Return the failure of a job whose source does not have its script."""
    name = program.entry_point
    there = ", ".join(sorted(entry.name for entry in code.iterdir())[:20]) or "nothing"
    reason = called_process_error(
        EXECUTE_USER_SCRIPT_ERROR,
        MISSING_FILE_EXIT_CODE,
        message=f"can't open file '{name}': [Errno 2] No such file or directory",
        extra=f"the source at {program.source_uri} has: {there}",
        command=command,
    )
    return Outcome(SecondaryStatus.FAILED, reason, exit_code=MISSING_FILE_EXIT_CODE)


def not_installed(error: RequirementsFailed, packages: JobPackages, python: str) -> Outcome:
    """Return the failure of a job whose requirements cannot be installed."""
    reason = called_process_error(
        packages.error_name,
        INSTALLER_EXIT_CODE,
        message=error.said,
        command=f"{python} {packages.arguments}",
    )
    return Outcome(SecondaryStatus.FAILED, reason, exit_code=INSTALLER_EXIT_CODE)


def download_failed(
    error: Exception, order: JobOrder, uri: str, channel: Channel | None = None
) -> Outcome:
    """Return the failure of a job whose channel, or source where none is given, did not come."""
    missing = isinstance(error, ModelDataMissing)
    words = _nothing_there(uri, order) if missing else in_words(error)
    what = f"channel {channel.name}: " if channel else "source: "
    return Outcome(SecondaryStatus.FAILED, client_error(f"Data download failed: {what}{words}"))


def checkpoints_failed(error: Exception) -> Outcome:
    """Return the failure of a job whose checkpoints did not come."""
    reason = client_error(f"Data download failed: checkpoints: {in_words(error)}")
    return Outcome(SecondaryStatus.FAILED, reason)


def upload_failed(error: Exception, ended: Outcome) -> Outcome:
    """Return the failure of a job whose artifacts could not be stored."""
    reason = client_error(f"Artifact upload failed: {in_words(error)}")
    return Outcome(SecondaryStatus.FAILED, reason, exit_code=ended.exit_code)


def _nothing_there(uri: str, order: JobOrder) -> str:
    """SageMaker's own text for a prefix without objects."""
    parsed = parse_uri(uri)
    if not isinstance(parsed, S3Uri):
        return f"No files found at {uri}."
    return (
        f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that '
        f"the bucket exists in the selected region ({order.region}), that objects exist under "
        f'that S3 prefix, and that the role "{order.role}" has "s3:ListBucket" permissions on '
        f'bucket "{parsed.bucket}".'
    )


def _place(ended: HostExit, facts: ScriptFacts) -> str:
    """Say where the error was raised, relative to the source."""
    own = ended.where.removeprefix(f"{facts.code}/")
    where = own if own and ended.error else facts.logged.where or own
    return f"raised at {where}" if where else ""


def _death(exit_code: int) -> str:
    """Say which signal ended a script; a shell adds 128 to its child's."""
    if exit_code == _KILLED:
        return "OutOfMemory: Process killed by SIGKILL (signal 9)"
    if exit_code >= 0:
        return ""
    number = -exit_code
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = "a signal"
    hint = ": it may have run out of memory" if number == signal.SIGKILL else ""
    return f"Process killed by {name} (signal {number}){hint}"
