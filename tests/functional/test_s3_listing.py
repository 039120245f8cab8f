from collections.abc import Iterator
from pathlib import Path

import pytest
from mypy_boto3_s3 import S3Client

from tests.functional.s3_server import Served, refused, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("s3")) as served:
        yield served


@pytest.fixture
def s3(served: Served) -> S3Client:
    return served.client()


@pytest.fixture
def bucket(served: Served) -> str:
    return served.new_bucket()


KEYS = ["a/1", "a/2", "a/b/3", "c", "d e/ü", "f+g", "z"]


@pytest.fixture
def filled(served: Served, bucket: str) -> str:
    for key in KEYS:
        path = Path(served.buckets.root, bucket, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(key)
    return bucket


def test_a_page_tells_where_to_go_on(s3: S3Client, filled: str) -> None:
    first = s3.list_objects_v2(Bucket=filled, MaxKeys=3)
    assert [one["Key"] for one in first["Contents"]] == KEYS[:3]
    assert (first["KeyCount"], first["MaxKeys"], first["IsTruncated"]) == (3, 3, True)
    second = s3.list_objects_v2(Bucket=filled, ContinuationToken=first["NextContinuationToken"])
    assert [one["Key"] for one in second["Contents"]] == KEYS[3:]
    assert second["ContinuationToken"] == first["NextContinuationToken"]
    assert not second["IsTruncated"]


@pytest.mark.parametrize("operation", ["list_objects_v2", "list_objects"])
@pytest.mark.parametrize("delimiter", ["", "/"])
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_the_paginators_find_everything_once(
    s3: S3Client, filled: str, operation: str, delimiter: str, size: int
) -> None:
    keys, prefixes = [], []
    pages = s3.get_paginator(operation).paginate(  # type: ignore[call-overload]  # either name
        Bucket=filled, Delimiter=delimiter, PaginationConfig={"PageSize": size}
    )
    for page in pages:
        keys += [one["Key"] for one in page.get("Contents", [])]
        prefixes += [one["Prefix"] for one in page.get("CommonPrefixes", [])]
    assert keys == (["c", "f+g", "z"] if delimiter else KEYS)
    assert prefixes == (["a/", "d e/"] if delimiter else [])


def test_a_listing_describes_its_objects(s3: S3Client, filled: str) -> None:
    s3.put_object(Bucket=filled, Key="c", Body=b"abc")
    [one] = s3.list_objects_v2(Bucket=filled, Prefix="c", FetchOwner=True)["Contents"]
    assert (one["Key"], one["Size"], one["StorageClass"]) == ("c", 3, "STANDARD")
    assert one["ETag"] == s3.head_object(Bucket=filled, Key="c")["ETag"]
    assert one["Owner"]["ID"]
    assert one["ChecksumAlgorithm"] == ["CRC32"]


def test_prefix_delimiter_and_start_are_echoed_decoded(s3: S3Client, filled: str) -> None:
    found = s3.list_objects_v2(Bucket=filled, Prefix="d e/", Delimiter="/", StartAfter="d e")
    assert (found["Prefix"], found["Delimiter"], found["StartAfter"]) == ("d e/", "/", "d e")
    assert [one["Key"] for one in found["Contents"]] == ["d e/ü"]


def test_keys_are_encoded_when_asked_and_only_then(s3: S3Client, filled: str) -> None:
    raw = s3.meta.events
    asked = s3.list_objects_v2(Bucket=filled, Prefix="f", EncodingType="url")
    assert asked["EncodingType"] == "url"
    assert asked["Contents"][0]["Key"] == "f%2Bg"
    assert raw is s3.meta.events
    assert s3.list_objects_v2(Bucket=filled, Prefix="f")["Contents"][0]["Key"] == "f+g"


def test_an_empty_bucket_has_no_contents(s3: S3Client, bucket: str) -> None:
    found = s3.list_objects_v2(Bucket=bucket)
    assert "Contents" not in found
    assert (found["KeyCount"], found["IsTruncated"]) == (0, False)


def test_v1_goes_on_after_a_marker(s3: S3Client, filled: str) -> None:
    first = s3.list_objects(Bucket=filled, MaxKeys=2, Delimiter="/")
    assert first["NextMarker"] == "c"
    assert [one["Prefix"] for one in first["CommonPrefixes"]] == ["a/"]
    second = s3.list_objects(Bucket=filled, Delimiter="/", Marker="c")
    assert [one["Prefix"] for one in second["CommonPrefixes"]] == ["d e/"]
    assert second["Marker"] == "c"
    skipped = s3.list_objects(Bucket=filled, Delimiter="/", Marker="a/")
    assert [one["Prefix"] for one in skipped["CommonPrefixes"]] == ["d e/"]
    assert "NextMarker" not in s3.list_objects(Bucket=filled, MaxKeys=2)


def test_bad_arguments_are_refused(s3: S3Client, filled: str) -> None:
    for parameters in (
        {"MaxKeys": -1},
        {"ContinuationToken": "forged"},
        {"ContinuationToken": "ünicode"},
        {"EncodingType": "rot13"},
    ):
        assert refused(s3.list_objects_v2, Bucket=filled, **parameters) == ("InvalidArgument", 400)
    assert s3.list_objects_v2(Bucket=filled, MaxKeys=0)["KeyCount"] == 0


def test_more_than_a_thousand_keys_come_in_pages(s3: S3Client, served: Served, bucket: str) -> None:
    for number in range(1050):
        (served.buckets.root / bucket / f"{number:04}").touch()
    first = s3.list_objects_v2(Bucket=bucket, MaxKeys=5000)
    assert (first["KeyCount"], first["MaxKeys"], first["IsTruncated"]) == (1000, 1000, True)
