"""Lines out of bytes, as a log wants them: exact, whole, and progress bars told briefly."""

from __future__ import annotations

UPDATE_EVERY_S = 0.5
LONGEST_LINE_BYTES = 2**20


class LineSplitter:
    """Cuts what one stream of a process writes into lines.

    Indentation and empty lines are kept. Text that is overwritten with carriage returns counts as
    its last state when its line ends. Before that it is told every half second as it stands, with
    a carriage return before it; the line's end is then told with one after it. Whoever shows a log
    can so leave out what was overwritten, or show it in one place.
    """

    def __init__(self) -> None:
        """Begin at the start of a line."""
        self._line = bytearray()
        self._updated_since: float | None = None
        self._told = b""

    @property
    def is_updating(self) -> bool:
        """Whether the present line is being overwritten, so that `updates` may have news."""
        return self._updated_since is not None

    def feed(self, data: bytes, now: float) -> list[str]:
        """Take what was read (at a monotonic time), and return the lines that it ends."""
        lines: list[str] = []
        if not self._line and b"\r" not in data and len(data) <= LONGEST_LINE_BYTES:
            whole, _, rest = data.rpartition(b"\n")  # the common case, and ten times faster
            if len(rest) < len(data):
                lines = _text(whole).split("\n")
        else:
            *ended, rest = data.split(b"\n")
            for piece in ended:
                self._line += piece
                lines += self._end_line()
        self._line += rest
        if b"\r" in rest:
            self._keep_last_state(now)
        while len(self._line) > LONGEST_LINE_BYTES:
            lines.append(self._cut())
        return lines

    def updates(self, now: float) -> list[str]:
        """Return the present line where it is overwritten and has not been told for a while."""
        if self._updated_since is None or now - self._updated_since < UPDATE_EVERY_S:
            return []
        self._updated_since = now
        state = _last_state(self._line)
        if not state or state == self._told:
            return []
        self._told = state
        return ["\r" + _text(state)]

    def finish(self) -> list[str]:
        """Return the last line where nothing ended it."""
        return self._end_line() if self._line else []

    def _end_line(self) -> list[str]:
        lines = []
        while len(self._line) > LONGEST_LINE_BYTES:
            lines.append(self._cut())
        lines.append(_text(_last_state(self._line)) + ("\r" if self._told else ""))
        self._line.clear()
        self._updated_since, self._told = None, b""
        return lines

    def _keep_last_state(self, now: float) -> None:
        self._line[:] = _last_state(self._line) + (b"\r" if self._line.endswith(b"\r") else b"")
        if self._updated_since is None:
            self._updated_since = now

    def _cut(self) -> str:
        """Take a first part of a line that is too long, without breaking a character."""
        end = LONGEST_LINE_BYTES
        while end > LONGEST_LINE_BYTES - 4 and self._line[end] & 0xC0 == 0x80:
            end -= 1
        part = bytes(self._line[:end])
        del self._line[:end]
        return _text(part)


def _last_state(line: bytes | bytearray) -> bytes:
    """Return what a terminal would show of a line: what follows the last carriage return."""
    return bytes(line).rstrip(b"\r").rpartition(b"\r")[2]


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
