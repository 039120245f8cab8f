"""Which bytes of an object are asked for: by Range, or by the number of a part."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sagelet.artifacts.stored import StoredObject
from sagelet.buckets.exchange import Document
from sagelet.wire.faults import Fault

_RANGE = re.compile(r"\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*")
_DIGITS = 19


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bytes of an object; `is_whole` where all of it was asked for."""

    start: int
    length: int
    size: int
    is_whole: bool = False

    @property
    def content_range(self) -> str:
        """What the Content-Range header says."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.size}"


def stretch_of(document: Document, stored: StoredObject) -> Stretch:
    """Return what a request asks for; InvalidRange where there are no such bytes."""
    asked, part = document.get("Range"), document.get("PartNumber")
    if asked is not None and part is not None:
        raise Fault(
            "InvalidRequest",
            400,
            "Cannot specify both Range header and partNumber query parameter",
        )
    if part is not None:
        return _part(part, stored)
    if asked is not None:
        return _ranged(asked, stored.size_bytes)
    return Stretch(0, stored.size_bytes, stored.size_bytes, is_whole=True)


def copied_stretch(text: str, size: int) -> Stretch:
    """Return what `x-amz-copy-source-range` names; both ends must be in the object."""
    found = _RANGE.fullmatch(text)
    first, last = found.groups() if found else ("", "")
    if not first or not last or max(len(first), len(last)) > _DIGITS or int(first) > int(last):
        raise Fault(
            "InvalidArgument",
            400,
            "The x-amz-copy-source-range value must be of the form bytes=first-last where "
            "first and last are the zero-based offsets of the first and last bytes to copy",
            {"ArgumentName": "x-amz-copy-source-range", "ArgumentValue": text[:200]},
        )
    if int(last) >= size:
        raise Fault(
            "InvalidArgument",
            400,
            f"Range specified is not valid for source object of size: {size}",
            {"ArgumentName": "x-amz-copy-source-range", "ArgumentValue": text[:200]},
        )
    return Stretch(int(first), int(last) - int(first) + 1, size)


def _ranged(text: str, size: int) -> Stretch:
    found = _RANGE.fullmatch(text)
    first, last = found.groups() if found else ("", "")
    if max(len(first), len(last)) > _DIGITS or not (first or last):
        return Stretch(0, size, size, is_whole=True)  # not a range that S3 knows: it is ignored
    if not first:
        length = min(int(last), size)
        start = size - length
    else:
        start = int(first)
        end = min(int(last), size - 1) if last else size - 1
        if last and int(last) < start:
            return Stretch(0, size, size, is_whole=True)
        length = end - start + 1
    if length <= 0:
        raise Fault(
            "InvalidRange",
            416,
            "The requested range is not satisfiable",
            {"RangeRequested": text[:200], "ActualObjectSize": size},
        )
    return Stretch(start, length, size)


def _part(number: int, stored: StoredObject) -> Stretch:
    sizes = stored.version.part_sizes or (stored.size_bytes,)
    if not 1 <= number <= len(sizes):
        raise Fault(
            "InvalidPartNumber",
            416,
            "The requested partnumber is not satisfiable",
            {"PartNumberRequested": number, "ActualPartCount": len(sizes)},
        )
    start = sum(sizes[: number - 1])
    return Stretch(start, sizes[number - 1], stored.size_bytes, is_whole=stored.size_bytes == 0)
