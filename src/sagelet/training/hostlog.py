"""A host's log stream: the script's lines, and the runner's few words before and after them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from sagelet.errors import DiskFull
from sagelet.journal.streams import LogStreams
from sagelet.worker.loglines import Record, decode_record

GROUP = "/aws/sagemaker/TrainingJobs"
TAIL_BYTES = 65536


class HostLog:
    """One host's log stream."""

    def __init__(self, logs: LogStreams, stream: str) -> None:
        """Name the stream, which exists."""
        self._logs = logs
        self._stream = stream

    @property
    def path(self) -> Path:
        """The stream's file."""
        return self._logs.path_of(GROUP, self._stream)

    def say(self, *messages: str) -> None:
        """Write lines of our own; a job does not fail for want of them on a full disk."""
        now_ms = int(time.time() * 1000)
        with contextlib.suppress(DiskFull):
            self._logs.append(GROUP, self._stream, [(now_ms, _plain(text)) for text in messages])

    def size_bytes(self) -> int:
        """How much there is by now."""
        return self._logs.size_bytes(GROUP, self._stream)

    def records(self, offset: int) -> Iterator[Record]:
        """Yield what was written from a byte offset on."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(offset)
            for line in file:
                record = decode_record(line)
                if record is not None:
                    yield record

    def last_lines(self, offset: int) -> list[str]:
        """Return the last lines, of those from a byte offset on: some hundred at least."""
        begin = max(offset, self.size_bytes() - TAIL_BYTES)
        return [message for _, message in self.records(begin)]

    def last_line(self, offset: int) -> str:
        """Return the last line, of those from a byte offset on, that says something."""
        said = (line.strip() for line in reversed(self.last_lines(offset)))
        return next((line for line in said if line), "")


def _plain(text: str) -> str:
    """Replace what cannot be written: half a surrogate pair out of a hyperparameter, say."""
    return text.encode("utf-8", "replace").decode("utf-8")
