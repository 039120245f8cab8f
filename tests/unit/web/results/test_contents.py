"""Answers as bytes of some type, right or wrong."""

from __future__ import annotations

import json
import math
import struct

import pytest

from sagelet.web.results import npy
from sagelet.web.results.bars import Bars
from sagelet.web.results.contents import NOT_JSON, Nothing, Octets, shown
from sagelet.web.results.matrix import Matrix, Summary
from sagelet.web.results.pictures import Picture, Recording
from sagelet.web.results.scalars import Figure, Text
from sagelet.web.results.table import Table

GIF = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00"


@pytest.mark.parametrize(
    ("body", "kind", "view"),
    [
        (b"", "application/json", Nothing),
        (b'{"a": 0.5, "b": 0.5}', "application/json", Bars),
        (b'{"a": 0.5, "b": 0.5}', "application/problem+json; charset=utf-8", Bars),
        (b'{"a": 0.5, "b": 0.5}', "text/plain", Bars),
        (b'{"a": 0.5, "b": 0.5}', None, Bars),
        (b"\xef\xbb\xbf3", "application/json", Figure),
        (b"3", "text/plain", Text),
        (b"{not json", "application/json", Text),
        (b"\xff\xfe\x00", "application/json", Octets),
        (b"<script>alert(1)</script>", "text/html", Text),
        (b"a,b\n1,2\n", "text/csv", Table),
        (b"x,1\ny,2\n", "text/csv", Table),
        (b"1,2\n3,4\n", "text/csv", Matrix),
        (b"0.25,0.75", "text/csv", Bars),
        (b"7", "text/csv", Figure),
        (b'{"a": 1}\n{"a": 2}\n', "application/jsonlines", Table),
        (GIF, "image/gif", Picture),
        (GIF, "application/octet-stream", Picture),
        (b"<svg onload='alert(1)'/>", "image/svg+xml", Picture),
        (b"RIFF....WAVE", "audio/wav", Recording),
        (b"....ftyp", "video/mp4", Recording),
        (b"\x00\x01\x02", "application/x-unknown", Octets),
        (b"readable", "application/x-unknown", Text),
    ],
)
def test_an_answer_is_read_by_its_type_and_its_beginning(
    body: bytes, kind: str | None, view: type
) -> None:
    assert isinstance(shown(body, kind).view, view)


def test_an_answer_that_is_not_what_it_says_is_told_and_shown_as_text() -> None:
    told = shown(b"{not json", "application/json")
    assert "cannot be read as that" in told.notes[0]


def test_nan_is_readable_and_told_to_be_no_json() -> None:
    told = shown(b'{"loss": NaN, "most": -Infinity}', "application/json")
    assert told.notes == (NOT_JSON,)
    assert told.document is not None
    assert told.document.is_json is False


def test_numbers_are_exact() -> None:
    body = b"[12345678901234567890, 1e999, " + b"9" * 5000 + b"]"
    told = shown(body, "application/json")
    assert told.document is not None
    assert json.dumps(told.document.value, default=lambda exact: exact.text) == (
        f'[12345678901234567890, "1e999", "{"9" * 5000}"]'
    )


def test_half_of_a_surrogate_pair_becomes_a_character_that_a_page_can_have() -> None:
    told = shown(rb'{"\ud800": ["x\udfff", "\ud83d\ude00"]}', "application/json")
    assert told.document is not None
    assert told.document.value == {"\ufffd": ["x\ufffd", "\U0001f600"]}


def test_json_nested_without_end_is_a_text() -> None:
    assert isinstance(shown(b"[" * 200_000, "application/json").view, Text)


def test_a_numpy_array_is_read_without_numpy() -> None:
    body = npy.write([1.0, 2.5, 3.0, -4.0], (2, 2))
    told = shown(body, "application/x-npy")
    assert isinstance(told.view, Matrix)
    assert told.notes == ("An array of NumPy's, <f8, 2 x 2.",)


def array(kind: str, shape: str, data: bytes, order: str = "False") -> bytes:
    head = f"{{'descr': '{kind}', 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + data


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (array("<i4", "(3,)", struct.pack("<3i", 1, -2, 3)), [1, -2, 3]),
        (array(">u2", "(2,)", struct.pack(">2H", 1, 65535)), [1, 65535]),
        (array("<f2", "()", struct.pack("<e", 1.5)), 1.5),
        (array("|b1", "(2,)", b"\x00\x01"), [False, True]),
        (array("<i4", "(2, 3)", struct.pack("<6i", *range(6)), "True"), [[0, 2, 4], [1, 3, 5]]),
        (array("<f4", "(0, 3)", b""), []),
    ],
)
def test_arrays_of_every_kind_of_number_are_read(body: bytes, value: object) -> None:
    assert npy.read(body).value == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x93NUMPY",
        array("|O", "(1,)", b"cos\nsystem\n"),
        array("<U3", "(1,)", b"abc"),
        array("<f8", "(1000,)", b"short"),
        array("<f8", "(999999999,)", b""),
        array("<f8", "(-1,)", b""),
        array("<f8", "__import__('os')", b""),
        b"\x93NUMPY\x01\x00\xff\xff{",
    ],
)
def test_what_is_no_array_of_numbers_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="it"):
        npy.read(body)


def test_an_array_that_is_written_is_read_again() -> None:
    numbers = [0.0, math.pi, -1e300, math.inf]
    found = npy.read(npy.write(numbers, (4,)))
    assert (found.kind, found.shape, found.value) == ("<f8", (4,), numbers)
    assert npy.read(npy.write([10**400], (1,))).value == [math.inf]


def test_a_large_array_is_told_by_its_shape() -> None:
    view = shown(npy.write([0.5] * 10_000, (100, 100)), "application/x-npy").view
    assert isinstance(view, Summary)
