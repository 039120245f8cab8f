from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagelet.wire.faults import Unreadable
from sagelet.wire.timestamps import Format, read_timestamp, write_epoch, write_text

WHEN = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("unixTimestamp", "1767323045.678"),
        ("iso8601", "2026-01-02T03:04:05.678Z"),
        ("rfc822", "Fri, 02 Jan 2026 03:04:05 GMT"),
    ],
)
def test_a_time_is_written_in_each_form_and_read_back(form: Format, text: str) -> None:
    assert write_text(WHEN, form) == text
    expected = WHEN if form != "rfc822" else WHEN.replace(microsecond=0)
    assert read_timestamp(text) == expected


def test_whole_seconds_since_the_epoch_have_no_fraction() -> None:
    assert write_text(WHEN.replace(microsecond=0), "unixTimestamp") == "1767323045"
    assert write_epoch(WHEN) == 1767323045.678


def test_other_zones_become_utc() -> None:
    elsewhere = WHEN.astimezone(timezone(timedelta(hours=9)))
    assert write_text(elsewhere, "iso8601") == "2026-01-02T03:04:05.678Z"
    assert read_timestamp("2026-01-02T12:04:05.678+09:00") == WHEN


@pytest.mark.parametrize(
    "value", ["", "soon", "2026-13-01", "Xyz, 99 Jan", "1e400", "nan", True, None, [], 1e300]
)
def test_what_is_no_time_is_unreadable(value: object) -> None:
    with pytest.raises(Unreadable):
        read_timestamp(value)


@given(st.text(max_size=40) | st.floats() | st.integers())
def test_anything_is_a_time_or_unreadable(value: object) -> None:
    with contextlib.suppress(Unreadable):
        assert read_timestamp(value).tzinfo is not None
