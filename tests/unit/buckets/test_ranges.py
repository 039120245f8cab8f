import pytest

from sagelet.artifacts.stored import StoredObject, Version
from sagelet.buckets.ranges import copied_stretch, stretch_of
from sagelet.wire.faults import Fault


def an_object(size: int = 10, parts: tuple[int, ...] = ()) -> StoredObject:
    return StoredObject("b", "k", Version(size, 0, "e", part_sizes=parts))


@pytest.mark.parametrize(
    ("asked", "start", "length"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=2-5", 2, 4),
        ("bytes=2-", 2, 8),
        ("bytes=-2", 8, 2),
        ("bytes=-200", 0, 10),
        ("bytes=9-1000000", 9, 1),
        (" bytes = 1 - 2 ", 1, 2),
    ],
)
def test_a_range_is_a_stretch_of_the_object(asked: str, start: int, length: int) -> None:
    found = stretch_of({"Range": asked}, an_object())
    assert (found.start, found.length, found.is_whole) == (start, length, False)
    assert found.content_range == f"bytes {start}-{start + length - 1}/10"


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=10-20", "bytes=-0"])
def test_a_range_without_bytes_is_refused(asked: str) -> None:
    with pytest.raises(Fault) as raised:
        stretch_of({"Range": asked}, an_object())
    assert (raised.value.code, raised.value.status) == ("InvalidRange", 416)
    assert raised.value.fields["ActualObjectSize"] == 10


def test_an_empty_object_has_no_range() -> None:
    for asked in ("bytes=0-", "bytes=0-0", "bytes=-1"):
        with pytest.raises(Fault):
            stretch_of({"Range": asked}, an_object(0))
    assert stretch_of({}, an_object(0)).is_whole


@pytest.mark.parametrize(
    "asked", ["", "bytes", "bytes=", "bytes=-", "bytes=3-1", "bytes=0-1,3-4", f"bytes={'9' * 30}-"]
)
def test_any_other_range_means_the_whole(asked: str) -> None:
    assert stretch_of({"Range": asked}, an_object()).is_whole


def test_parts_follow_each_other() -> None:
    stored = an_object(10, (4, 4, 2))
    found = [stretch_of({"PartNumber": number}, stored) for number in (1, 2, 3)]
    assert [(one.start, one.length) for one in found] == [(0, 4), (4, 4), (8, 2)]
    for number in (0, 4, -1):
        with pytest.raises(Fault, match="partnumber"):
            stretch_of({"PartNumber": number}, stored)


def test_an_object_in_one_piece_is_its_own_first_part() -> None:
    assert stretch_of({"PartNumber": 1}, an_object()).length == 10
    assert stretch_of({"PartNumber": 1}, an_object(0)).is_whole


def test_part_and_range_exclude_each_other() -> None:
    with pytest.raises(Fault, match="Cannot specify both"):
        stretch_of({"PartNumber": 1, "Range": "bytes=0-1"}, an_object())


def test_a_copied_range_must_lie_in_its_source() -> None:
    assert copied_stretch("bytes=2-9", 10).length == 8
    for text in ("bytes=2-10", "bytes=2-", "bytes=-3", "bytes=5-2", "", "x", f"bytes=0-{'9' * 30}"):
        with pytest.raises(Fault) as raised:
            copied_stretch(text, 10)
        assert raised.value.code == "InvalidArgument"
