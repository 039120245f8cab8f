"""From what is typed into one input to the JSON that is sent for it."""

from __future__ import annotations

import base64
import datetime
import json
import re
from collections.abc import Callable, Mapping, Sequence

from sagelet.domain.media import OCTETS
from sagelet.web.forms.fields import Field, Kind, Upload
from sagelet.web.forms.json_text import NOT_A_NUMBER, NotJson, loads, parse

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
_SEPARATORS = re.compile(r"[,;\t ]+")
_SHOWN = 40


class Unfit(ValueError):
    """What is typed does not fit its input; the text says why, for whoever typed it."""


def token_of(field: Field, typed: str, *, is_ascii: bool = False) -> str:
    """Return the JSON for what one input holds.

    Raises:
        Unfit: it does not fit.
    """
    read = _READERS.get(field.kind)
    return text(typed, is_ascii=is_ascii) if read is None else read(field, typed, is_ascii)


def chosen(field: Field, typed: Sequence[str]) -> str:
    """Return the JSON for the boxes that are ticked, in the order of the options.

    Raises:
        Unfit: something else than an option is among them.
    """
    known = {option.value for option in field.options}
    for each in typed:
        if each not in known:
            raise Unfit(f"{_short(each)} is not among the choices")
    return _array([option.token for option in field.options if option.value in typed], field)


def base64_of(field: Field, upload: Upload) -> str:
    """Return the JSON for a file in base64, as a data URL where the example was one."""
    encoded = base64.b64encode(upload.body).decode()
    prefix = f"data:{upload.content_type or OCTETS};base64," if field.is_data_url else ""
    return text(prefix + encoded)


def text(typed: str, *, is_ascii: bool = False) -> str:
    """Return a text as JSON.

    Raises:
        Unfit: it holds half of a character, which no UTF-8 has.
    """
    try:
        typed.encode()
    except UnicodeEncodeError as error:
        raise Unfit("it holds a broken character, which cannot be sent as UTF-8") from error
    return json.dumps(typed, ensure_ascii=is_ascii)


def number(typed: str, field: Field | None = None, *, is_whole: bool = False) -> str:
    """Return a number as it was typed, digit by digit.

    Raises:
        Unfit: it is none, or out of the field's range.
    """
    written = typed.strip()
    if not written:
        raise Unfit("a number is needed here")
    if _NO_NUMBER.fullmatch(written):
        raise Unfit(NOT_A_NUMBER)
    written = _normal(written)
    if is_whole and not _INTEGER.fullmatch(written):
        raise Unfit(f"{_short(typed)} is not a whole number")
    if not _DECIMAL.fullmatch(written):
        raise Unfit(f"{_short(typed)} is not a number")
    if abs(float(written)) == float("inf"):
        raise Unfit(f"{_short(typed)} is too large: {NOT_A_NUMBER}")
    if field is not None:
        _check_range(field, written)
    return written


def unix(typed: str) -> str:
    """Return a text with its lines ended as a browser's own inputs hold them."""
    return typed.replace("\r\n", "\n").replace("\r", "\n")


def lines(typed: str) -> list[str]:
    """Return the lines that hold something."""
    return [line for line in typed.split("\n") if line.strip()]


def cells(typed: str) -> list[str]:
    """Return the numbers of a text, however they are separated."""
    return [each for each in _SEPARATORS.split(typed.replace("\n", ",").strip()) if each]


def grid(typed: str) -> list[list[str]]:
    """Return the cells of a table of numbers: a line a row; commas, tabs or blanks between cells.

    Raises:
        Unfit: there are none, or the rows differ in length.
    """
    rows = [cells(line) for line in lines(typed)]
    if not rows:
        raise Unfit("there are no numbers")
    for at, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            raise Unfit(f"row {at} has {len(row)} cells, row 1 has {len(rows[0])}")
    return rows


def _normal(written: str) -> str:
    """Return a number as JSON has it: people write +5 and .5 and 5., too."""
    sign, digits = (
        ("-", written[1:]) if written.startswith("-") else ("", written.removeprefix("+"))
    )
    if digits.startswith("."):
        digits = f"0{digits}"
    return sign + (digits[:-1] if digits.endswith(".") and digits[:-1].isdigit() else digits)


def _check_range(field: Field, written: str) -> None:
    value = float(written)
    if field.minimum and value < float(field.minimum):
        raise Unfit(f"{_short(written)} is less than {field.minimum}")
    if field.maximum and value > float(field.maximum):
        raise Unfit(f"{_short(written)} is more than {field.maximum}")


def _number(field: Field, typed: str, _is_ascii: bool) -> str:  # noqa: FBT001  see _READERS
    return number(typed, field, is_whole=field.kind is Kind.INTEGER)


def _switch(_field: Field, typed: str, _is_ascii: bool) -> str:  # noqa: FBT001
    if typed not in ("true", "false"):
        raise Unfit("choose true or false")
    return typed


def _option(field: Field, typed: str, _is_ascii: bool) -> str:  # noqa: FBT001
    for option in field.options:
        if option.value == typed:
            return option.token
    raise Unfit(f"{_short(typed)} is not among the choices" if typed else "choose one")


def _tags(field: Field, typed: str, is_ascii: bool) -> str:  # noqa: FBT001
    return _array([text(line, is_ascii=is_ascii) for line in lines(typed)], field)


def _numbers(field: Field, typed: str, _is_ascii: bool) -> str:  # noqa: FBT001
    return _array([number(each) for each in cells(typed)], field)


def _grid(field: Field, typed: str, _is_ascii: bool) -> str:  # noqa: FBT001
    rows = [[number(each) for each in row] for row in grid(typed)]
    return _array([_array(row, field) for row in rows], field)


def _json(_field: Field, typed: str, _is_ascii: bool) -> str:  # noqa: FBT001
    try:
        loads(typed)
        typed.encode()
    except NotJson:
        # Our own reader is slower, and has the words that the page's script has.
        problem = _problem(typed)
        raise Unfit(f"this is not JSON: {problem}") from None
    except UnicodeEncodeError as error:
        raise Unfit("it holds a broken character, which cannot be sent as UTF-8") from error
    return typed.strip()


def _problem(typed: str) -> str:
    try:
        parse(typed)
    except NotJson as error:
        return str(error)
    return "a number in it is too long"


def _date(_field: Field, typed: str, _is_ascii: bool) -> str:  # noqa: FBT001
    try:
        return text(datetime.date.fromisoformat(typed).isoformat())
    except ValueError as error:
        raise Unfit("a date is needed, such as 2026-03-14") from error


def _array(tokens: Sequence[str], field: Field) -> str:
    original = field.original[0] if field.original else ""
    return f"[{(', ' if ', ' in original else ',').join(tokens)}]"


def _short(typed: str) -> str:
    return repr(typed if len(typed) <= _SHOWN else f"{typed[:_SHOWN]}…")


_READERS: Mapping[Kind, Callable[[Field, str, bool], str]] = {
    Kind.NUMBER: _number,
    Kind.INTEGER: _number,
    Kind.SLIDER: _number,
    Kind.SWITCH: _switch,
    Kind.SELECT: _option,
    Kind.RADIO: _option,
    Kind.JSON: _json,
    Kind.TAGS: _tags,
    Kind.NUMBERS: _numbers,
    Kind.GRID: _grid,
    Kind.DATE: _date,
}
"""Each takes the field, what is typed, and whether other characters than ASCII are escaped."""
