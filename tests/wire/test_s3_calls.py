"""S3 as boto3 calls it: path-style requests told apart, keys that survive, lists and headers."""

from __future__ import annotations

import asyncio
import base64
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagelet.wire.chunked import ChunkedBody, decoded_length, is_aws_chunked, stored_encoding
from sagelet.wire.faults import Fault
from sagelet.wire.models import service_model
from sagelet.wire.parsing import parse
from sagelet.wire.routing import match_rest, route
from tests.wire.loopback import Loopback, a_verifier, head_of

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
BUCKET = {"Bucket": "a-bucket"}
OBJECT = {**BUCKET, "Key": "dir/key.txt"}
UPLOAD = {**OBJECT, "UploadId": "up/1=&"}
COPY = {**OBJECT, "CopySource": {"Bucket": "other", "Key": "from ü.txt"}}

# What boto3 adds by itself and is not of interest here.
_ADDED = {"ChecksumAlgorithm", "ChecksumCRC32", "ChecksumMode", "ContentLength", "EncodingType"}

CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("list_buckets", "ListBuckets", {}),
    ("list_buckets", "ListBuckets", {"MaxBuckets": 5, "Prefix": "a"}),
    ("create_bucket", "CreateBucket", BUCKET),
    (
        "create_bucket",
        "CreateBucket",
        {**BUCKET, "CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}},
    ),
    ("head_bucket", "HeadBucket", {**BUCKET, "ExpectedBucketOwner": "000000000000"}),
    ("delete_bucket", "DeleteBucket", BUCKET),
    ("get_bucket_location", "GetBucketLocation", BUCKET),
    ("list_objects", "ListObjects", {**BUCKET, "Prefix": "a b/", "Delimiter": "/", "Marker": "+"}),
    (
        "list_objects_v2",
        "ListObjectsV2",
        {**BUCKET, "Prefix": "ü", "MaxKeys": 3, "StartAfter": "k&=", "ContinuationToken": "t/="},
    ),
    (
        "put_object",
        "PutObject",
        {
            **OBJECT,
            "ContentType": "text/csv",
            "Metadata": {"a": "b", "c": "d e"},
            "IfNoneMatch": "*",
        },
    ),
    ("get_object", "GetObject", {**OBJECT, "Range": "bytes=0-9", "IfMatch": '"e"'}),
    ("get_object", "GetObject", {**OBJECT, "ResponseContentType": "a/b", "IfModifiedSince": WHEN}),
    ("head_object", "HeadObject", OBJECT),
    ("head_object", "HeadObject", {**OBJECT, "PartNumber": 2}),
    ("delete_object", "DeleteObject", OBJECT),
    (
        "delete_objects",
        "DeleteObjects",
        {**BUCKET, "Delete": {"Objects": [{"Key": "a <&>"}, {"Key": "b"}], "Quiet": True}},
    ),
    ("create_multipart_upload", "CreateMultipartUpload", {**OBJECT, "ContentType": "a/b"}),
    ("upload_part", "UploadPart", {**UPLOAD, "PartNumber": 1}),
    (
        "complete_multipart_upload",
        "CompleteMultipartUpload",
        {**UPLOAD, "MultipartUpload": {"Parts": [{"ETag": '"e1"', "PartNumber": 1}]}},
    ),
    ("abort_multipart_upload", "AbortMultipartUpload", UPLOAD),
    ("list_parts", "ListParts", {**UPLOAD, "MaxParts": 3}),
    ("list_multipart_uploads", "ListMultipartUploads", {**BUCKET, "KeyMarker": "k"}),
    ("get_object_tagging", "GetObjectTagging", OBJECT),
    ("get_bucket_versioning", "GetBucketVersioning", BUCKET),
]


@pytest.mark.parametrize(("method", "operation", "asked"), CALLS)
def test_a_call_is_told_apart_and_read(method: str, operation: str, asked: dict[str, Any]) -> None:
    loopback = Loopback()
    getattr(loopback.client("s3"), method)(**asked)
    assert loopback.last.route.operation.name == operation
    read = loopback.last.document
    assert {
        name: value for name, value in read.items() if name not in _ADDED - asked.keys()
    } == asked


@pytest.mark.parametrize(
    ("method", "operation", "more"),
    [("copy_object", "CopyObject", {}), ("upload_part_copy", "UploadPartCopy", {"UploadId": "u"})],
)
def test_the_header_of_its_source_makes_a_copy_of_a_put(
    method: str, operation: str, more: dict[str, Any]
) -> None:
    more = {**more, "PartNumber": 3} if more else more
    result = {"ETag": '"e"', "LastModified": WHEN}
    loopback = Loopback({"CopyObjectResult": result, "CopyPartResult": result})
    answer = getattr(loopback.client("s3"), method)(**COPY, **more)
    assert loopback.last.route.operation.name == operation
    assert loopback.last.document["CopySource"] == "other/from%20%C3%BC.txt"
    assert result in (answer.get("CopyObjectResult"), answer.get("CopyPartResult"))


KEYS = [
    "plain.txt",
    "with space",
    "plus+plus",
    "per%41cent",
    "a%2Fb",
    "/leading",
    "//two",
    "a//b",
    "trailing/",
    "/",
    "ünïcödé/日本語",
    "sp ace/ü+&=%41~'(x).txt",
    "?query=1&x",
    "#hash",
    "..",
    "../../etc/passwd",
    "./a/../b",
    "semi;colon,comma:@$!*",
    "new\nline",
    'quo"te',
    "back\\slash",
    "%",
    "100%25",
    "😀",
]


@pytest.mark.parametrize("key", KEYS)
def test_a_key_survives_its_path_and_its_signature(key: str) -> None:
    loopback = Loopback()
    loopback.client("s3").put_object(**BUCKET, Key=key, Body=b"x")
    assert loopback.last.document["Key"] == key
    assert loopback.last.document["Bucket"] == "a-bucket"
    loopback.client("s3").get_object(**BUCKET, Key=key)
    assert loopback.last.document["Key"] == key


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_any_key_survives_presigned_urls_of_both_versions(key: str) -> None:
    loopback = Loopback()
    for version in ("s3", "s3v4"):
        client = loopback.client("s3", signature_version=version)
        url = client.generate_presigned_url("get_object", {"Bucket": "a-bucket", "Key": key})
        head = head_of("GET", url)
        assert a_verifier().verify(head, body_sha256=None).presigned
        chosen = route(head)
        assert chosen.operation.name == "GetObject"
        assert parse(chosen, head, b"")["Key"] == key


@pytest.mark.parametrize(
    ("method", "path", "query", "operation"),
    [
        ("GET", "/", "", "ListBuckets"),
        ("GET", "/b", "", "ListObjects"),
        ("GET", "/b/", "", "ListObjects"),
        ("GET", "/b/", "list-type=2", "ListObjectsV2"),
        ("GET", "/b", "list-type=1", "ListObjects"),
        ("GET", "/b", "location", "GetBucketLocation"),
        ("GET", "/b", "location=", "GetBucketLocation"),
        ("GET", "/b", "uploads", "ListMultipartUploads"),
        ("GET", "/b/k", "uploadId=1", "ListParts"),
        ("GET", "/b/k", "x-id=GetObject", "GetObject"),
        ("GET", "/b//", "", "GetObject"),
        ("HEAD", "/b/", "", "HeadBucket"),
        ("PUT", "/b/", "", "CreateBucket"),
        ("PUT", "/b/k", "partNumber=1&uploadId=2", "UploadPart"),
        ("PUT", "/b/k", "partNumber=1", "PutObject"),
        ("PUT", "/b/k", "acl", "PutObjectAcl"),
        ("POST", "/b", "delete", "DeleteObjects"),
        ("POST", "/b/k", "uploads", "CreateMultipartUpload"),
        ("POST", "/b/k", "uploadId=1", "CompleteMultipartUpload"),
        ("DELETE", "/b/k", "uploadId=1", "AbortMultipartUpload"),
        ("DELETE", "/b/k", "versionId=null", "DeleteObject"),
        ("GET", "/endpoints/e/invocations", "", "GetObject"),
    ],
)
def test_method_path_and_markers_tell_operations_apart(
    method: str, path: str, query: str, operation: str
) -> None:
    head = head_of(method, f"http://127.0.0.1{path}?{query}")
    assert match_rest(service_model("s3"), head).name == operation


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/b"), ("PATCH", "/b/k"), ("PUT", "/"), ("GET", "//")]
)
def test_what_s3_has_no_operation_for_is_a_method_not_allowed(method: str, path: str) -> None:
    with pytest.raises(Fault) as caught:
        match_rest(service_model("s3"), head_of(method, f"http://127.0.0.1{path}"))
    assert (caught.value.code, caught.value.status) == ("MethodNotAllowed", 405)


def test_a_listing_is_read_by_boto3_as_it_was_written() -> None:
    page = {
        "Name": "a-bucket",
        "Prefix": "a%20b/",
        "KeyCount": 2,
        "MaxKeys": 1000,
        "IsTruncated": True,
        "EncodingType": "url",
        "NextContinuationToken": "t&<>",
        "Contents": [
            {
                "Key": "a%20b/%C3%BC%2B%0A",
                "LastModified": WHEN,
                "ETag": '"d41d8"',
                "Size": 2**40,
                "StorageClass": "STANDARD",
            },
            {"Key": "a%20b/2", "LastModified": WHEN, "ETag": '"e"', "Size": 0},
        ],
        "CommonPrefixes": [{"Prefix": "a%20b/c/"}],
    }
    loopback = Loopback(page)
    found = loopback.client("s3").list_objects_v2(**BUCKET)
    assert loopback.last.document["EncodingType"] == "url"
    assert [one["Key"] for one in found["Contents"]] == ["a b/ü+\n", "a b/2"]
    assert found["Contents"][0]["LastModified"] == WHEN
    assert found["Contents"][0]["Size"] == 2**40
    assert found["CommonPrefixes"] == [{"Prefix": "a b/c/"}]
    assert found["NextContinuationToken"] == "t&<>"


def test_the_answer_to_a_delete_lists_errors_and_deletions() -> None:
    error = {"Key": "b\r\n", "Code": "AccessDenied", "Message": "no"}
    loopback = Loopback({"Deleted": [{"Key": "a"}], "Errors": [error]})
    found = loopback.client("s3").delete_objects(**BUCKET, Delete={"Objects": [{"Key": "a"}]})
    assert found["Deleted"] == [{"Key": "a"}]
    assert found["Errors"] == [error]


@pytest.mark.parametrize("region", [None, "eu-west-1"])
def test_a_buckets_location_is_the_text_of_the_root(region: str | None) -> None:
    loopback = Loopback({"LocationConstraint": region})
    assert loopback.client("s3").get_bucket_location(**BUCKET)["LocationConstraint"] == region


def test_an_objects_headers_reach_boto3_and_its_body_is_streamed_by_others() -> None:
    loopback = Loopback(
        {
            "ContentLength": 5,
            "ContentType": "text/csv",
            "ETag": '"e"',
            "LastModified": WHEN,
            "Metadata": {"name": "value", "evil": "a\r\nX-Injected: 1"},
            "ContentRange": "bytes 0-4/10",
            "AcceptRanges": "bytes",
        },
        stream=b"hello",
    )
    found = loopback.client("s3").get_object(**OBJECT)
    assert found["Body"].read() == b"hello"
    assert found["LastModified"] == WHEN
    assert found["Metadata"] == {"name": "value", "evil": "a  X-Injected: 1"}
    assert found["ContentLength"] == 5
    assert "x-injected" not in found["ResponseMetadata"]["HTTPHeaders"]


def test_an_upload_over_tls_is_chunked_and_decoded_with_its_checksum() -> None:
    loopback = Loopback()
    data = bytes(range(256)) * 9000
    # boto3 sends a trailing checksum where it believes the connection to be encrypted.
    client = loopback.client("s3", address="https://127.0.0.1:7543")
    client.put_object(**OBJECT, Body=data, ContentEncoding="gzip")
    head = loopback.last.head
    assert head.headers["x-amz-content-sha256"] == "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    assert is_aws_chunked(head)
    assert stored_encoding(head.headers["content-encoding"]) == "gzip"
    body = ChunkedBody(_pieces(loopback.last.body, 1000), length=decoded_length(head))
    assert asyncio.run(_all(body)) == data
    expected = base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()
    assert body.trailers.get("x-amz-checksum-crc32") == expected


async def _pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def _all(body: ChunkedBody) -> bytes:
    return b"".join([piece async for piece in body])
