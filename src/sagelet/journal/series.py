"""A metric's points in time, on disk: a line a sample, in a file of bounded size.

    1732240000123,0.25                       one value
    1732240000000,0.31,120,36.2,0.25,0.4     120 values: the last, their count, sum, least, greatest

A file that is full is folded: samples within the same second become one, or those within ten
seconds, a minute… What CloudWatch tells of a span of time stays exact, and only the grain is lost.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sagelet.journal.appending import append_lines

KEPT_BYTES = 2**20
"""How large a file may grow before it is folded: about 40 000 single values."""

SPANS_MS = (1_000, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000, 86_400_000)
_TAIL_BYTES = 16 * 1024
_DISORDER_MS = 10_000
_FOLDED = 4
"""A file is folded until it is at most so many times smaller than it may be."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One value, or what is known of several; `ms` is when it was, or when their span began."""

    ms: int
    last: float
    count: float
    total: float
    least: float
    greatest: float

    @classmethod
    def of(cls, ms: int, value: float) -> Sample:
        """Return the sample of one value."""
        return cls(ms, value, 1.0, value, value, value)

    @property
    def average(self) -> float:
        """The mean of the values."""
        return self.total / self.count if self.count else self.last

    def __add__(self, later: Sample) -> Sample:
        """Return both as one, at the time of the first."""
        return Sample(
            self.ms,
            later.last,
            self.count + later.count,
            self.total + later.total,
            min(self.least, later.least),
            max(self.greatest, later.greatest),
        )

    def moved(self, ms: int) -> Sample:
        """Return the same at another time."""
        return Sample(ms, self.last, self.count, self.total, self.least, self.greatest)

    def encode(self) -> str:
        """Return the sample as a line."""
        if self.count == 1.0:
            return f"{self.ms},{self.last!r}\n"
        parts = (self.last, self.count, self.total, self.least, self.greatest)
        return f"{self.ms},{','.join(repr(part) for part in parts)}\n"


def decode(line: bytes) -> Sample | None:
    """Read a line back; None for one that was not written whole."""
    try:
        ms, *numbers = line.split(b",")
        match [float(number) for number in numbers]:
            case [value]:
                return Sample.of(int(ms), value)
            case [last, count, total, least, greatest]:
                return Sample(int(ms), last, count, total, least, greatest)
            case _:
                return None
    except ValueError:
        return None


def folded(samples: Iterable[Sample], span_ms: int) -> list[Sample]:
    """Return samples with those of the same span as one, which has the time of the span's begin.

    What is alone in its span stays as it is.
    """
    spans: dict[int, Sample] = {}
    alone: set[int] = set()
    for sample in samples:
        begin = sample.ms - sample.ms % span_ms
        before = spans.get(begin)
        if before is None:
            alone.add(begin)
            spans[begin] = sample
        else:
            alone.discard(begin)
            spans[begin] = before + sample
    return [
        sample if begin in alone else sample.moved(begin) for begin, sample in sorted(spans.items())
    ]


def summed(points: Iterable[tuple[int, float]], span_ms: int) -> list[Sample]:
    """Return points, each a time in milliseconds and a value, as one sample for each span."""
    spans: defaultdict[int, list[float]] = defaultdict(list)
    for ms, value in points:
        spans[ms - ms % span_ms].append(value)
    return [
        Sample(begin, values[-1], float(len(values)), sum(values), min(values), max(values))
        for begin, values in sorted(spans.items())
    ]


class Series:
    """One file of samples. One process writes to it, any may read."""

    def __init__(
        self, path: Path, *, kept_bytes: int = KEPT_BYTES, is_ordered: bool = True
    ) -> None:
        """Name the file; the first sample makes it. `is_ordered` says that times hardly ever fall.

        `kept_bytes` is how large the file may grow before it has to be folded.
        """
        self.path = path
        self._kept_bytes = kept_bytes
        self._is_ordered = is_ordered

    @property
    def size_bytes(self) -> int:
        """How large the file is; 0 where there is none."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    @property
    def is_full(self) -> bool:
        """Whether the file is to be folded."""
        return self.size_bytes > self._kept_bytes

    def append(self, samples: Iterable[Sample]) -> None:
        """Add samples.

        Raises:
            DiskFull: no space is left; what was written of them readers pass over.
            StateError: the file cannot be written.
        """
        lines = "".join(sample.encode() for sample in samples)
        if lines:
            append_lines(self.path, lines.encode("ascii"))

    def cut(self, size_bytes: int) -> None:
        """Forget what stands behind the first `size_bytes`.

        Raises:
            OSError: the file cannot be written.
        """
        if self.size_bytes > size_bytes:
            with self.path.open("r+b") as file:
                file.truncate(size_bytes)

    def fold(self) -> None:
        """Make the file a fraction of its size, by the shortest span of time that does.

        Raises:
            OSError: the file cannot be written; it is as it was.
        """
        samples = list(self.samples())
        lines = b""
        for span_ms in SPANS_MS:
            samples = folded(samples, span_ms)
            lines = "".join(sample.encode() for sample in samples).encode("ascii")
            if len(lines) <= self._kept_bytes // _FOLDED:
                break
        temporary = self.path.with_suffix(".tmp")
        try:
            temporary.write_bytes(lines)
            temporary.replace(self.path)
        finally:
            temporary.unlink(missing_ok=True)

    def samples(self, start_ms: int = 0, end_ms: int | None = None) -> Iterator[Sample]:
        """Read the samples from `start_ms` on, before `end_ms`, as they were written."""
        for line in self._lines(start_ms):
            sample = decode(line)
            if (
                sample is not None
                and sample.ms >= start_ms
                and (end_ms is None or sample.ms < end_ms)
            ):
                yield sample

    def _lines(self, start_ms: int) -> list[bytes]:
        """Read whole lines: all, or where they are in order those that may be of a time on."""
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                wanted = _TAIL_BYTES if self._is_ordered and start_ms else size
                while True:
                    begin = max(0, size - wanted)
                    file.seek(begin)
                    raw = file.read(size - begin)
                    lines = raw[: raw.rfind(b"\n") + 1].split(b"\n")
                    # A line that is cut off may be read as another.
                    lines = lines if begin == 0 else lines[1:]
                    if begin == 0 or _begins_before(lines, start_ms - _DISORDER_MS):
                        return lines
                    wanted *= 4
        except FileNotFoundError:
            return []


def _begins_before(lines: Sequence[bytes], ms: int) -> bool:
    first = next((sample for line in lines if (sample := decode(line))), None)
    return first is not None and first.ms < ms
