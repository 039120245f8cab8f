"""From an answer's bytes to what can be looked at: by its type, and by how it begins."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from sagelet.domain.media import CSV, JSON, essence
from sagelet.web.results import npy, pictures, scalars, table
from sagelet.web.results.chain import view_of
from sagelet.web.results.context import View
from sagelet.web.results.inputs import NOTHING_SENT, InputRows
from sagelet.web.results.output import AS_IT_COMES, Output
from sagelet.web.results.values import Document, read_json

NOT_JSON = (
    "This is not JSON: it has NaN or Infinity, which Python reads and most other clients refuse. "
    "A model does well to answer null instead."
)
TOO_LARGE = "The answer is too large to be looked at here: its beginning is shown as text."
_MOST_READ = 12 * 2**20
_LINES = ("application/jsonlines", "application/jsonl", "application/x-ndjson")
_NPY = "application/x-npy"
_SHOWN_BYTES = 256
_A_LINE = 16


@dataclass(frozen=True, slots=True)
class Nothing:
    """An empty answer."""

    template: ClassVar[str] = "results/nothing.html.j2"


@dataclass(frozen=True, slots=True)
class Octets:
    """Bytes that are no text: how many, and how they begin."""

    template: ClassVar[str] = "results/octets.html.j2"
    size: int
    first: str


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer as it is shown, what is to be said about it, and its value where it has one."""

    view: View
    notes: tuple[str, ...] = ()
    document: Document | None = None


def shown(
    body: bytes,
    content_type: str | None,
    sent: InputRows = NOTHING_SENT,
    output: Output = AS_IT_COMES,
) -> Shown:
    """Return how an answer is shown; `sent` is what it is the answer to."""
    if not body:
        return Shown(Nothing())
    kind = essence(content_type)
    if not kind.startswith("text/"):
        seen = pictures.media(body, kind)
        if seen is not None:
            return Shown(seen)
    if len(body) > _MOST_READ:
        return Shown(_as_text(body) or _octets(body), (TOO_LARGE,))
    try:
        document, notes = _read(body, kind)
    except (ValueError, csv.Error) as error:
        return _unread(body, kind, error)
    if document is None:
        return Shown(_as_text(body) or _octets(body))
    if isinstance(document, table.Table):
        return Shown(document)
    notes = notes if document.is_json else (*notes, NOT_JSON)
    return Shown(view_of(document.value, sent, output), notes, document)


def read_document(body: bytes, content_type: str | None) -> Document | None:
    """Return the value of an answer; None where it has none that could be read."""
    try:
        document, _ = _read(body, essence(content_type))
    except (ValueError, csv.Error):
        return None
    return document if isinstance(document, Document) else None


_Read = tuple[Document | table.Table | None, tuple[str, ...]]


def _read(body: bytes, kind: str) -> _Read:
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(body)
    if kind.endswith("+json"):
        return _json(body)
    if kind.startswith("text/") or kind in ("", "application/octet-stream"):
        return _perhaps_json(body)
    return None, ()


def _json(body: bytes) -> _Read:
    return read_json(body.decode("utf-8-sig")), ()


def _perhaps_json(body: bytes) -> _Read:
    """Read JSON that is called something else, if it is an object or a list."""
    if body.lstrip()[:1] not in (b"{", b"["):
        return None, ()
    try:
        return read_json(body.decode()), ()
    except ValueError:
        return None, ()


def _json_lines(body: bytes) -> _Read:
    found = [read_json(line) for line in body.decode().splitlines() if line.strip()]
    return Document([each.value for each in found], all(each.is_json for each in found)), ()


def _csv(body: bytes) -> _Read:
    rows = [row for row in csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")) if row]
    numbers = _all_numbers(rows)
    if numbers:
        flat = len(rows) == 1 or all(len(row) == 1 for row in rows)
        value = [n for row in numbers for n in row] if flat else numbers
        return Document(value[0] if len(rows) == len(rows[0]) == 1 else value), ()
    names = rows[0] if _has_names(rows) or _is_head(rows) else []
    return table.table_of_texts(rows[1:] if names else rows, names), ()


def _all_numbers(rows: list[list[str]]) -> list[list[float]]:
    """Return all lines as numbers; none where one is not of numbers alone."""
    found: list[list[float]] = []
    for row in rows:
        numbers = _numbers(row)
        if numbers is None:
            return []
        found.append(numbers)
    return found


def _has_names(rows: list[list[str]]) -> bool:
    """Say whether the first line is not of numbers, but one below is."""
    if len(rows) < 2 or _numbers(rows[0]) is not None:
        return False
    return any(_numbers(row) is not None for row in rows[1 : table.MOST_ROWS])


def _is_head(rows: list[list[str]]) -> bool:
    """Say whether the first line names columns: no cell of it is a number, but one below is."""
    if len(rows) < 2 or any(_numbers([cell]) is not None for cell in rows[0]):
        return False
    return any(_numbers([cell]) is not None for cell in rows[1])


def _numbers(row: list[str]) -> list[float] | None:
    try:
        return [float(cell) for cell in row]
    except ValueError:
        return None


def _npy(body: bytes) -> _Read:
    array = npy.read(body)
    size = " x ".join(map(str, array.shape)) or "a single number"
    return Document(array.value), (f"An array of NumPy's, {array.kind}, {size}.",)


_READERS: Mapping[str, Callable[[bytes], _Read]] = {
    JSON: _json,
    CSV: _csv,
    _NPY: _npy,
    **dict.fromkeys(_LINES, _json_lines),
}


def _unread(body: bytes, kind: str, error: Exception) -> Shown:
    note = f"It says that it is {kind or 'of no type'}, but cannot be read as that: {error}."
    return Shown(_as_text(body) or _octets(body), (note[:400],))


def _as_text(body: bytes) -> scalars.Text | None:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text[:1000] else scalars.text_of(text)


def _octets(body: bytes) -> Octets:
    lines = [body[at : at + _A_LINE] for at in range(0, min(len(body), _SHOWN_BYTES), _A_LINE)]
    return Octets(len(body), "\n".join(map(_line, lines)))


def _line(part: bytes) -> str:
    letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
    return f"{part.hex(' '):<{3 * _A_LINE}} {letters}"
