from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sagelet.artifacts.stored import StoredObject, Version
from sagelet.buckets.conditions import ReadConditions, write_check
from sagelet.errors import KeyNotFound
from sagelet.wire.faults import Fault

MODIFIED = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
NOW = MODIFIED + timedelta(days=1)
BEFORE, AFTER = MODIFIED - timedelta(seconds=1), MODIFIED + timedelta(seconds=1)
STORED = StoredObject("b", "k", Version(1, int(MODIFIED.timestamp()) * 10**9 + 5, "abc"))


def is_news(**members: Any) -> bool:  # noqa: ANN401  members are of many types
    return ReadConditions.of(members).check(STORED, NOW)


@pytest.mark.parametrize("text", ['"abc"', "abc", "*", '"x", "abc"', 'W/"abc"'])
def test_an_etag_matches_however_it_is_written(text: str) -> None:
    assert is_news(IfMatch=text)
    assert not is_news(IfNoneMatch=text)


def test_another_etag_does_not_match() -> None:
    assert is_news(IfNoneMatch='"other"')
    with pytest.raises(Fault) as raised:
        is_news(IfMatch='"other"')
    assert (raised.value.code, raised.value.status) == ("PreconditionFailed", 412)


def test_dates_are_compared_to_the_second() -> None:
    assert is_news(IfModifiedSince=BEFORE)
    assert not is_news(IfModifiedSince=MODIFIED)
    assert is_news(IfUnmodifiedSince=MODIFIED)
    with pytest.raises(Fault):
        is_news(IfUnmodifiedSince=BEFORE)


def test_a_date_in_the_future_says_nothing() -> None:
    assert is_news(IfModifiedSince=NOW + timedelta(hours=1))


def test_an_etag_outweighs_a_date() -> None:
    assert is_news(IfMatch='"abc"', IfUnmodifiedSince=BEFORE)
    assert not is_news(IfNoneMatch='"abc"', IfModifiedSince=BEFORE)
    assert is_news(IfNoneMatch='"other"', IfModifiedSince=AFTER)


def test_no_condition_is_no_check() -> None:
    assert write_check({"Key": "k"}) is None


def test_what_must_not_exist() -> None:
    check = write_check({"Key": "k", "IfNoneMatch": "*"})
    assert check is not None
    check(None)
    with pytest.raises(Fault, match="pre-conditions"):
        check(STORED)


def test_what_must_be_the_known_one() -> None:
    right = write_check({"Key": "k", "IfMatch": '"abc"'})
    wrong = write_check({"Key": "k", "IfMatch": '"other"'})
    assert right is not None
    assert wrong is not None
    right(STORED)
    with pytest.raises(Fault):
        wrong(STORED)
    with pytest.raises(KeyNotFound):
        right(None)


def test_writing_unless_one_etag_is_there_is_not_served() -> None:
    with pytest.raises(Fault) as raised:
        write_check({"Key": "k", "IfNoneMatch": '"abc"'})
    assert raised.value.status == 501
