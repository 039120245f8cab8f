"""CBOR as RFC 8949's examples have it, and what is none."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagelet.wire.cbor import DEPTH_AT_MOST, decode, encode
from sagelet.wire.faults import Unreadable

EXAMPLES: list[tuple[Any, str]] = [
    (0, "00"),
    (23, "17"),
    (24, "1818"),
    (1000, "1903e8"),
    (1_000_000, "1a000f4240"),
    (18446744073709551615, "1bffffffffffffffff"),
    (-1, "20"),
    (-1000, "3903e7"),
    (1.1, "fb3ff199999999999a"),
    (False, "f4"),
    (True, "f5"),
    (None, "f6"),
    (b"\x01\x02\x03\x04", "4401020304"),
    ("", "60"),
    ("ü水", "65c3bce6b0b4"),
    ([1, [2, 3]], "8201820203"),
    ({"a": 1, "b": [2, 3]}, "a26161016162820203"),
]


@pytest.mark.parametrize(("value", "text"), EXAMPLES)
def test_a_value_is_written_and_read_as_the_standard_has_it(value: object, text: str) -> None:
    assert encode(value).hex() == text
    assert decode(bytes.fromhex(text)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("f93e00", 1.5),
        ("fa47c35000", 100000.0),
        ("f7", None),
        ("5f42010243030405ff", b"\x01\x02\x03\x04\x05"),
        ("7f657374726561646d696e67ff", "streaming"),
        ("9f0102ff", [1, 2]),
        ("bf61610161629f0203ffff", {"a": 1, "b": [2, 3]}),
        ("c11a514b67b0", datetime(2013, 3, 21, 20, 4, tzinfo=UTC)),
        ("c1fb41d452d9ec200000", datetime(2013, 3, 21, 20, 4, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_other_forms_of_a_value_are_read(text: str, value: object) -> None:
    assert decode(bytes.fromhex(text)) == value


def test_a_time_is_written_to_the_millisecond() -> None:
    when = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
    assert decode(encode({"at": when})) == {"at": when}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "18",
        "6261",
        "61ff",
        "8201",
        "9b7fffffffffffffff",
        "bb7fffffffffffffff",
        "5b7fffffffffffffff00",
        "9f01",
        "7f0161ff",
        "a10102",
        "1c",
        "f800",
        "ff",
        "0000",
        "c26101",
        "c16161",
        "c11bffffffffffffffff",
        "81" * (DEPTH_AT_MOST + 2) + "00",
    ],
)
def test_what_is_no_item_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        decode(bytes.fromhex(text))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES)
def test_any_value_survives(value: object) -> None:
    assert decode(encode(value)) == value


@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        decode(data)
    except Unreadable:
        return
