from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from mypy_boto3_s3 import S3Client
from mypy_boto3_s3.type_defs import CopySourceTypeDef

from tests.functional.s3_server import KEY, SECRET, Served, refused, serving


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


def source_of(bucket: str, key: str = "from ü+%") -> CopySourceTypeDef:
    return {"Bucket": bucket, "Key": key}


@pytest.fixture
def filled(s3: S3Client, bucket: str) -> str:
    s3.put_object(
        Bucket=bucket, Key="from ü+%", Body=b"data", ContentType="text/plain", Metadata={"a": "b"}
    )
    return bucket


def test_a_copy_has_the_bytes_and_the_metadata(s3: S3Client, served: Served, filled: str) -> None:
    other = served.new_bucket()
    result = s3.copy_object(Bucket=other, Key="to/x", CopySource=source_of(filled))
    got = s3.get_object(Bucket=other, Key="to/x")
    assert got["Body"].read() == b"data"
    assert (got["ContentType"], got["Metadata"]) == ("text/plain", {"a": "b"})
    assert result["CopyObjectResult"]["ETag"] == got["ETag"]
    assert result["CopyObjectResult"]["LastModified"] == got["LastModified"]
    assert result["CopyObjectResult"]["ChecksumCRC32"] == got["ChecksumCRC32"]


def test_a_copy_may_have_metadata_of_its_own(s3: S3Client, filled: str) -> None:
    s3.copy_object(
        Bucket=filled,
        Key="from ü+%",
        CopySource=source_of(filled),
        MetadataDirective="REPLACE",
        Metadata={"new": "1"},
    )
    head = s3.head_object(Bucket=filled, Key="from ü+%")
    assert (head["Metadata"], head["ContentType"]) == ({"new": "1"}, "binary/octet-stream")
    assert s3.get_object(Bucket=filled, Key="from ü+%")["Body"].read() == b"data"


def test_a_copy_onto_itself_must_change_something(s3: S3Client, filled: str) -> None:
    assert refused(s3.copy_object, Bucket=filled, Key="from ü+%", CopySource=source_of(filled)) == (
        "InvalidRequest",
        400,
    )


def test_a_missing_source_is_missing(s3: S3Client, filled: str) -> None:
    names = {"Bucket": filled, "Key": "to"}
    assert refused(s3.copy_object, **names, CopySource=source_of(filled, "none")) == (
        "NoSuchKey",
        404,
    )
    assert refused(s3.copy_object, **names, CopySource=source_of("no-such-bucket")) == (
        "NoSuchBucket",
        404,
    )
    assert refused(s3.copy_object, **names, CopySource="only-a-bucket") == ("InvalidArgument", 400)
    versioned = {**source_of(filled), "VersionId": "v1"}
    assert refused(s3.copy_object, **names, CopySource=versioned) == ("NoSuchVersion", 404)


def test_a_copy_may_depend_on_its_source(s3: S3Client, filled: str) -> None:
    names: dict[str, Any] = {"Bucket": filled, "Key": "to", "CopySource": source_of(filled)}
    etag = s3.head_object(Bucket=filled, Key="from ü+%")["ETag"]
    for condition in (
        {"CopySourceIfMatch": '"other"'},
        {"CopySourceIfNoneMatch": etag},
        {"CopySourceIfUnmodifiedSince": datetime(2020, 1, 1, tzinfo=UTC)},
    ):
        assert refused(s3.copy_object, **names, **condition) == ("PreconditionFailed", 412)
    s3.copy_object(**names, CopySourceIfMatch=etag)
    assert refused(s3.copy_object, **names, IfNoneMatch="*") == ("PreconditionFailed", 412)


def test_boto3s_own_helpers_work(served: Served, filled: str) -> None:
    resource = boto3.resource(
        "s3",
        endpoint_url=served.address,
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        region_name="us-east-1",
    )
    resource.meta.client.copy(source_of(filled), filled, "copied")
    bucket = resource.Bucket(filled)
    assert [one.key for one in bucket.objects.filter(Prefix="c")] == ["copied"]
    bucket.objects.all().delete()
    assert list(bucket.objects.all()) == []
