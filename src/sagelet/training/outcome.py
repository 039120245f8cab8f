"""How a job ended, in SageMaker's words: the status, and the FailureReason of Describe.

`AlgorithmError` is the script's failure, `ClientError` one of what it was given (data, source,
disk), `InternalServerError` one of ours. A reason has at most 1024 characters, so what matters
most stands first in it.
"""

from __future__ import annotations

import errno
import os
import signal
from dataclasses import dataclass
from pathlib import Path

from sagelet.artifacts.uris import S3Uri, parse_uri
from sagelet.domain.training import Channel, SecondaryStatus, ToolkitProgram
from sagelet.errors import DiskFull, ModelDataMissing
from sagelet.training.order import JobOrder
from sagelet.worker.spec import HostExit

REASON_CHARACTERS = 1024
ERROR_CHARACTERS = 600
TOOLKIT_EXIT_CODE = 1
"""The toolkit's container ends with 1, whatever the script's own exit code was."""

MISSING_FILE_EXIT_CODE = 2
"""Python's own, for a script that does not exist."""

_NO_SPACE = os.strerror(errno.ENOSPC)
_KILLED = signal.SIGKILL + 128

MESSAGES = {
    SecondaryStatus.STARTING: "Starting the training job",
    SecondaryStatus.DOWNLOADING: "Downloading input data",
    SecondaryStatus.TRAINING: "Training image download completed. Training in progress.",
    SecondaryStatus.UPLOADING: "Uploading generated training model",
    SecondaryStatus.COMPLETED: "Training job completed",
    SecondaryStatus.STOPPED: "Training job stopped",
    SecondaryStatus.MAX_RUNTIME_EXCEEDED: (
        "Training job runtime exceeded MaxRuntimeInSeconds provided"
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
    `code` the source's folder as the script saw it.
    """

    command: str
    code: Path
    failure: str = ""
    last_line: str = ""


def of_script(ended: HostExit, facts: ScriptFacts, *, out_of_time: bool) -> Outcome:
    """Return what a script's end makes of its job."""
    if ended.stopped:
        return stopped(out_of_time=out_of_time, exit_code=ended.exit_code)
    if ended.exit_code == 0:
        return Outcome(SecondaryStatus.COMPLETED, exit_code=0)
    reason = _script_failure(ended, facts)
    return Outcome(SecondaryStatus.FAILED, reason, exit_code=ended.exit_code)


def stopped(*, out_of_time: bool, exit_code: int | None = None) -> Outcome:
    """Return the end of a job that was stopped, by a person or by its time."""
    status = SecondaryStatus.MAX_RUNTIME_EXCEEDED if out_of_time else SecondaryStatus.STOPPED
    return Outcome(status, exit_code=exit_code)


def _script_failure(ended: HostExit, facts: ScriptFacts) -> str:
    """The script's own failure file wins, then a full disk, then what the script said last."""
    if facts.failure.strip():
        return algorithm_error(facts.failure)
    if _NO_SPACE in ended.error:
        place = _place(ended, facts.code)
        return client_error(" ".join(part for part in (ended.error, place) if part))
    return execute_user_script_error(
        ended.exit_code,
        message=ended.error or facts.last_line,
        extra="; ".join(
            part for part in (_death(ended.exit_code), _place(ended, facts.code)) if part
        ),
        command=facts.command,
    )


def execute_user_script_error(exit_code: int, *, message: str, extra: str, command: str) -> str:
    """Return the reason in the toolkit's form; ExtraInfo holds the place or the signal."""
    lines = [
        "ExecuteUserScriptError:",
        f"ExitCode {exit_code}",
        f'ErrorMessage "{_shortened(message)}"',
        f'ExtraInfo "{extra}"' if extra else "",
        f'Command "{command}"',
    ]
    return algorithm_error("\n".join(line for line in lines if line))


def algorithm_error(text: str) -> str:
    """Return a script's failure as Describe shows it, with the container's exit code."""
    suffix = f", exit code: {TOOLKIT_EXIT_CODE}"
    return _plain(f"AlgorithmError: {text}")[: REASON_CHARACTERS - len(suffix)] + suffix


def client_error(text: str) -> str:
    """Return a failure of what the job was given."""
    return _plain(f"ClientError: {text}")[:REASON_CHARACTERS]


def internal_error(text: str) -> str:
    """Return a failure of ours."""
    return _plain(f"InternalServerError: {text}")[:REASON_CHARACTERS]


def missing_entry_point(program: ToolkitProgram, command: str, code: Path) -> Outcome:
    """Return the failure of a job whose source does not have its script."""
    name = program.entry_point
    there = ", ".join(sorted(entry.name for entry in code.iterdir())[:20]) or "nothing"
    reason = execute_user_script_error(
        MISSING_FILE_EXIT_CODE,
        message=f"can't open file '{name}': [Errno 2] No such file or directory",
        extra=f"the source at {program.source_uri} has: {there}",
        command=command,
    )
    return Outcome(SecondaryStatus.FAILED, reason, exit_code=MISSING_FILE_EXIT_CODE)


def download_failed(
    error: Exception, order: JobOrder, uri: str, channel: Channel | None = None
) -> Outcome:
    """Return the failure of a job whose channel, or source where none is given, did not come."""
    missing = isinstance(error, ModelDataMissing)
    words = _nothing_there(uri, order) if missing else in_words(error)
    what = f"channel {channel.name}: " if channel else "source: "
    return Outcome(SecondaryStatus.FAILED, client_error(f"Data download failed: {what}{words}"))


def upload_failed(error: Exception, ended: Outcome) -> Outcome:
    """Return the failure of a job whose artifacts could not be stored."""
    reason = client_error(f"Artifact upload failed: {in_words(error)}")
    return Outcome(SecondaryStatus.FAILED, reason, exit_code=ended.exit_code)


def in_words(error: Exception) -> str:
    """Say what went wrong in a sentence; a full disk in the system's own words too."""
    if isinstance(error, DiskFull):
        return f"[Errno {errno.ENOSPC}] {_NO_SPACE}: {error}"
    return str(error) or type(error).__name__


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


def _place(ended: HostExit, code: Path) -> str:
    """Say where the error was raised, relative to the source."""
    return f"raised at {ended.where.removeprefix(f'{code}/')}" if ended.where else ""


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


def _plain(text: str) -> str:
    """Replace what is no text (half a surrogate pair out of JSON, say) and cannot be written."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _shortened(message: str) -> str:
    """Leave room for the rest of the reason."""
    if len(message) <= ERROR_CHARACTERS:
        return message
    return message[: ERROR_CHARACTERS - 1] + "…"
