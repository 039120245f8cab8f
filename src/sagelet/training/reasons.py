"""A FailureReason's text: whose failure it was, in the toolkit's form, and within its length.

`AlgorithmError` is the script's failure, `ClientError` one of what it was given (data, source,
disk), `InternalServerError` one of ours. A reason has at most 1024 characters, so what matters
most stands first in it.
"""

from __future__ import annotations

import errno
import os

from sagelet.errors import DiskFull

REASON_CHARACTERS = 1024
ERROR_CHARACTERS = 600
TOOLKIT_EXIT_CODE = 1
"""The toolkit's container ends with 1, whatever the script's own exit code was."""

NO_SPACE = os.strerror(errno.ENOSPC)


def called_process_error(
    name: str, exit_code: int, *, message: str, extra: str = "", command: str
) -> str:
    """Return the reason in the toolkit's form; ExtraInfo holds the place or the signal."""
    lines = [
        f"{name}:",
        f"ExitCode {exit_code}",
        f'ErrorMessage "{_shortened(message)}"',
        f'ExtraInfo "{extra}"' if extra else "",
        f'Command "{command}"',
    ]
    return algorithm_error("\n".join(line for line in lines if line))


def algorithm_error(text: str, exit_code: int = TOOLKIT_EXIT_CODE) -> str:
    """Return a script's failure as Describe shows it, with the container's exit code."""
    suffix = f", exit code: {exit_code}"
    return _plain(f"AlgorithmError: {text}")[: REASON_CHARACTERS - len(suffix)] + suffix


def without_frame(reason: str) -> str:
    """Return what the toolkit's failure file says of a reason."""
    return reason.removeprefix("AlgorithmError: ").removesuffix(f", exit code: {TOOLKIT_EXIT_CODE}")


def client_error(text: str) -> str:
    """Return a failure of what the job was given."""
    return _plain(f"ClientError: {text}")[:REASON_CHARACTERS]


def internal_error(text: str) -> str:
    """Return a failure of ours."""
    return _plain(f"InternalServerError: {text}")[:REASON_CHARACTERS]


def in_words(error: Exception) -> str:
    """Say what went wrong in a sentence; a full disk in the system's own words too."""
    if isinstance(error, DiskFull):
        return f"[Errno {errno.ENOSPC}] {NO_SPACE}: {error}"
    return str(error) or type(error).__name__


def _plain(text: str) -> str:
    """Replace what is no text (half a surrogate pair out of JSON, say) and cannot be written."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _shortened(message: str) -> str:
    """Leave room for the rest of the reason."""
    if len(message) <= ERROR_CHARACTERS:
        return message
    return message[: ERROR_CHARACTERS - 1] + "…"
