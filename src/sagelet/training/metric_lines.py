"""Reading on in a host's log, a little at a time, also where it goes on in another file.

A log may rotate (`journal.rotating`): `algo-1-1732240000` is followed by `algo-1-1732240000.2`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from sagelet.worker.loglines import Record, decode_record

BATCH_BYTES = 64 * 1024
LINE_CHARACTERS = 4096
"""How much of a line is looked at."""

_LONGEST_BYTES = 16 * 2**20
_PLAIN = re.compile(rb'\[(\d{1,15}),"([^"\\]*)"\]')
"""A line without anything escaped, which is read without the JSON parser, ten times faster."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a log a reader is: in which of its files, and how many bytes into it."""

    part: int = 1
    offset: int = 0


class LogReader:
    """Reads one log, from a place on."""

    def __init__(self, path: Path, place: Place) -> None:
        """Name the log's first file, which need not be there yet, and where to go on."""
        self._path = path
        self.place = place
        self._states: dict[str, str] = {}
        """How the lines stand that are being overwritten, by what is written before them."""

    def batch(self) -> list[Record]:
        """Return the next lines, about `BATCH_BYTES` of them; none when there are no more yet."""
        while True:
            later = self._later()
            # Looked at first: whatever made a later file does not write to this one any more.
            lines = self._read_on()
            if lines:
                records = (_record(line) for line in lines)
                return [plain for one in records if one and (plain := self._plain(*one))]
            if later is None:
                return []
            self.place = Place(later, 0)

    def backlog_bytes(self) -> int:
        """How much there is still to read."""
        sizes = (_size_bytes(self._file(part)) for part in self._parts())
        return max(0, sum(sizes) - self.place.offset)

    def skip(self, kept_bytes: int) -> int:
        """Go on with the last `kept_bytes` of the log's last file; return what that leaves out."""
        before = self.backlog_bytes()
        last = self._parts()[-1]
        offset = max(0, _size_bytes(self._file(last)) - kept_bytes)
        if (last, offset) > (self.place.part, self.place.offset):
            self.place = Place(last, offset)
        return before - self.backlog_bytes()

    def _read_on(self) -> list[bytes]:
        """Read whole lines of the present file, and move behind them."""
        offset = self.place.offset
        try:
            with self._file(self.place.part).open("rb") as file:
                if offset > file.seek(0, 2):  # another file than the one that was read so far
                    offset = 0
                file.seek(offset)
                raw = file.read(BATCH_BYTES)
                while b"\n" not in raw and len(raw) < _LONGEST_BYTES:
                    more = file.read(len(raw) or BATCH_BYTES)
                    if not more:
                        break
                    raw += more
        except FileNotFoundError:
            return []
        end = raw.rfind(b"\n") + 1
        if not end and len(raw) >= _LONGEST_BYTES:  # no line of ours: pass it over
            end = len(raw)
        self.place = Place(self.place.part, offset + end)
        return raw[: end - 1].split(b"\n") if end else []

    def _plain(self, ms: int, message: str) -> Record | None:
        """Return a line without its carriage returns; None for a state that was told before.

        A line that is overwritten is told as it stands, and again when it ends (`worker.lines`).
        """
        if "\r" not in message:
            return ms, message
        begin, _, state = message.partition("\r")
        if state:
            self._states[begin] = state
            return ms, begin + state
        ended = {before + told for before, told in self._states.items()}
        return None if begin in ended else (ms, begin)

    def _later(self) -> int | None:
        """The number of the file in which the log goes on after the present one, if it does."""
        present = self.place.part
        if self._file(present + 1).exists():
            return present + 1
        if self._file(present).exists():
            return None
        # What is old is removed, and we were too slow for it.
        numbers = (file.suffix[1:] for file in self._path.parent.glob(f"{self._path.name}.*"))
        later = [int(number) for number in numbers if number.isdecimal() and int(number) > present]
        return min(later, default=None)

    def _parts(self) -> list[int]:
        """The numbers of the present file and of those after it."""
        parts = [self.place.part]
        while self._file(parts[-1] + 1).exists():
            parts.append(parts[-1] + 1)
        return parts

    def _file(self, part: int) -> Path:
        return self._path if part == 1 else self._path.with_name(f"{self._path.name}.{part}")


def _record(line: bytes) -> Record | None:
    plain = _PLAIN.fullmatch(line)
    if plain is None:
        record = decode_record(line)
        return None if record is None else (record[0], record[1][:LINE_CHARACTERS])
    return int(plain[1]), plain[2].decode("utf-8", "replace")[:LINE_CHARACTERS]


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
