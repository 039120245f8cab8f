import base64
import hashlib
import io
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from mypy_boto3_s3 import S3Client
from mypy_boto3_s3.type_defs import CompleteMultipartUploadOutputTypeDef

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


MIB = 1 << 20
FIRST, LAST = b"1" * (5 * MIB), b"2" * 1000


def begin(s3: S3Client, bucket: str, key: str = "k", **parameters: object) -> dict[str, str]:
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key, **parameters)  # type: ignore[arg-type]  # names vary
    return {"Bucket": bucket, "Key": key, "UploadId": upload["UploadId"]}


def send(s3: S3Client, upload: dict[str, str], number: int, body: bytes) -> dict[str, Any]:
    part = s3.upload_part(**upload, PartNumber=number, Body=body)  # type: ignore[arg-type]  # names vary
    return {"PartNumber": number, "ETag": part["ETag"]}


def complete(
    s3: S3Client, upload: dict[str, str], *parts: dict[str, Any], **more: object
) -> CompleteMultipartUploadOutputTypeDef:
    listed: Any = {"Parts": parts}
    return s3.complete_multipart_upload(**upload, MultipartUpload=listed, **more)  # type: ignore[arg-type]  # names vary


def test_parts_sent_out_of_order_become_one_object(
    s3: S3Client, served: Served, bucket: str
) -> None:
    upload = begin(s3, bucket, "dir/k", ContentType="text/plain", Metadata={"a": "b"})
    last, first = send(s3, upload, 9, LAST), send(s3, upload, 2, FIRST)
    assert refused(s3.head_object, Bucket=bucket, Key="dir/k") == ("404", 404)
    done = complete(s3, upload, first, last)
    md5s = hashlib.md5(FIRST).digest() + hashlib.md5(LAST).digest()
    assert done["ETag"] == f'"{hashlib.md5(md5s).hexdigest()}-2"'
    assert done["Location"] == f"{served.address}/{bucket}/dir/k"
    got = s3.get_object(Bucket=bucket, Key="dir/k")
    assert (got["ContentType"], got["Metadata"]) == ("text/plain", {"a": "b"})
    assert got["Body"].read() == FIRST + LAST
    assert (served.buckets.root / bucket / "dir" / "k").read_bytes() == FIRST + LAST


def test_one_part_of_an_object_may_be_asked_for(s3: S3Client, bucket: str) -> None:
    upload = begin(s3, bucket)
    complete(s3, upload, send(s3, upload, 1, FIRST), send(s3, upload, 2, LAST))
    got = s3.get_object(Bucket=bucket, Key="k", PartNumber=2)
    assert (got["Body"].read(), got["PartsCount"]) == (LAST, 2)
    assert got["ContentRange"] == f"bytes {len(FIRST)}-{len(FIRST + LAST) - 1}/{len(FIRST + LAST)}"
    assert refused(s3.get_object, Bucket=bucket, Key="k", PartNumber=3) == (
        "InvalidPartNumber",
        416,
    )


def test_an_upload_may_be_completed_twice(s3: S3Client, bucket: str) -> None:
    upload = begin(s3, bucket)
    part = send(s3, upload, 1, LAST)
    assert complete(s3, upload, part)["ETag"] == complete(s3, upload, part)["ETag"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"newer")
    assert refused(complete, s3=s3, upload=upload) == ("NoSuchUpload", 404)


def test_parts_that_are_not_as_listed_are_refused(s3: S3Client, bucket: str) -> None:
    upload = begin(s3, bucket, ChecksumAlgorithm="CRC32")
    one, two = send(s3, upload, 1, LAST), send(s3, upload, 2, LAST)

    def refusal(*parts: dict[str, Any]) -> tuple[str, int]:
        return refused(
            s3.complete_multipart_upload, **upload, MultipartUpload={"Parts": list(parts)}
        )

    assert refusal(one, two) == ("EntityTooSmall", 400)
    assert refusal(two, one) == ("InvalidPartOrder", 400)
    assert refusal(one, one) == ("InvalidPartOrder", 400)
    assert refusal({"PartNumber": 1, "ETag": '"wrong"'}) == ("InvalidPart", 400)
    assert refusal({"PartNumber": 3, "ETag": one["ETag"]}) == ("InvalidPart", 400)
    assert refusal({**one, "ChecksumCRC32": "AAAAAA=="}) == ("InvalidPart", 400)
    assert refusal() == ("MalformedXML", 400)


def test_an_aborted_upload_is_gone(s3: S3Client, served: Served, bucket: str) -> None:
    upload = begin(s3, bucket)
    send(s3, upload, 1, LAST)
    s3.abort_multipart_upload(**upload)  # type: ignore[arg-type]  # names vary
    for call, more in (
        (s3.abort_multipart_upload, {}),
        (s3.list_parts, {}),
        (s3.upload_part, {"PartNumber": 1, "Body": b"x"}),
    ):
        assert refused(call, **upload, **more) == ("NoSuchUpload", 404)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    uploads = served.buckets.root / ".meta" / bucket / "uploads"
    assert list(uploads.iterdir()) == []


def test_part_numbers_go_from_1_to_10000(s3: S3Client, bucket: str) -> None:
    upload = begin(s3, bucket)
    for number in (0, 10_001):
        assert refused(s3.upload_part, **upload, PartNumber=number, Body=b"x") == (
            "InvalidArgument",
            400,
        )


def test_parts_are_listed_in_pages(s3: S3Client, bucket: str) -> None:
    upload = begin(s3, bucket, ChecksumAlgorithm="CRC32")
    for number in (1, 2, 3):
        send(s3, upload, number, b"%d" % number)
    pages = s3.get_paginator("list_parts").paginate(**upload, PaginationConfig={"PageSize": 2})  # type: ignore[arg-type]  # names vary
    parts = [part for page in pages for part in page["Parts"]]
    assert [(part["PartNumber"], part["Size"]) for part in parts] == [(1, 1), (2, 1), (3, 1)]
    assert (
        parts[0]["ChecksumCRC32"] == base64.b64encode(zlib.crc32(b"1").to_bytes(4, "big")).decode()
    )


def test_uploads_are_listed_in_pages_and_groups(s3: S3Client, bucket: str) -> None:
    keys = ["a/1", "a/2", "b ü", "b ü", "c"]
    for key in keys:
        begin(s3, bucket, key)
    pages = s3.get_paginator("list_multipart_uploads").paginate(
        Bucket=bucket, PaginationConfig={"PageSize": 1}
    )
    assert [one["Key"] for page in pages for one in page["Uploads"]] == keys
    grouped = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/", Prefix="")
    assert [one["Prefix"] for one in grouped["CommonPrefixes"]] == ["a/"]
    assert [one["Key"] for one in grouped["Uploads"]] == keys[2:]
    assert [
        one["Key"] for one in s3.list_multipart_uploads(Bucket=bucket, Prefix="a/")["Uploads"]
    ] == keys[:2]


def test_a_part_may_be_copied_from_an_object(s3: S3Client, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="source +ü", Body=FIRST + LAST)
    source = {"Bucket": bucket, "Key": "source +ü"}
    upload = begin(s3, bucket)
    names: dict[str, Any] = {**upload, "CopySource": source}
    one = s3.upload_part_copy(**names, PartNumber=1, CopySourceRange=f"bytes=0-{len(FIRST) - 1}")
    two = s3.upload_part_copy(**names, PartNumber=2)
    parts = [
        {"PartNumber": number, "ETag": part["CopyPartResult"]["ETag"]}
        for number, part in ((1, one), (2, two))
    ]
    for asked in ("bytes=0-99999999", "bytes=5-", "nonsense"):
        assert refused(s3.upload_part_copy, **names, PartNumber=3, CopySourceRange=asked) == (
            "InvalidArgument",
            400,
        )
    complete(s3, upload, *parts)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == FIRST + FIRST + LAST


def test_an_upload_may_be_conditional(s3: S3Client, bucket: str) -> None:
    upload = begin(s3, bucket)
    part = send(s3, upload, 1, LAST)
    s3.put_object(Bucket=bucket, Key="k", Body=b"there")
    names = {**upload, "MultipartUpload": {"Parts": [part]}}
    assert refused(s3.complete_multipart_upload, **names, IfNoneMatch="*") == (
        "PreconditionFailed",
        412,
    )
    s3.delete_object(Bucket=bucket, Key="k")
    complete(s3, upload, part, IfNoneMatch="*")


def test_a_checksum_of_the_whole_is_made_and_compared(s3: S3Client, bucket: str) -> None:
    upload = begin(s3, bucket, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    parts = [send(s3, upload, 1, FIRST), send(s3, upload, 2, LAST)]
    crc = base64.b64encode(zlib.crc32(FIRST + LAST).to_bytes(4, "big")).decode()
    names = {**upload, "MultipartUpload": {"Parts": parts}, "ChecksumType": "FULL_OBJECT"}
    assert refused(s3.complete_multipart_upload, **names, ChecksumCRC32="AAAAAA==") == (
        "BadDigest",
        400,
    )
    done = complete(s3, upload, *parts, ChecksumCRC32=crc, ChecksumType="FULL_OBJECT")
    assert (done["ChecksumCRC32"], done["ChecksumType"]) == (crc, "FULL_OBJECT")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == FIRST + LAST


def test_checksums_of_an_upload_are_of_one_kind(s3: S3Client, bucket: str) -> None:
    upload = begin(s3, bucket, ChecksumAlgorithm="SHA256")
    names = {**upload, "PartNumber": 1, "Body": b"x"}
    assert refused(s3.upload_part, **names, ChecksumAlgorithm="SHA1") == ("InvalidRequest", 400)
    part = s3.upload_part(**upload, PartNumber=1, Body=b"x", ChecksumAlgorithm="SHA256")  # type: ignore[arg-type]  # names vary
    complete(s3, upload, {"PartNumber": 1, "ETag": part["ETag"]})
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert head["ChecksumSHA256"].endswith("-1")
    for wrong in (("SHA256", "FULL_OBJECT"), ("CRC64NVME", "COMPOSITE")):
        assert refused(
            s3.create_multipart_upload,
            Bucket=bucket,
            Key="k",
            ChecksumAlgorithm=wrong[0],
            ChecksumType=wrong[1],
        ) == ("InvalidRequest", 400)


def test_an_empty_upload_through_boto3s_transfers_is_an_empty_object(
    s3: S3Client, bucket: str
) -> None:
    s3.upload_fileobj(io.BytesIO(b""), bucket, "empty")
    target = io.BytesIO()
    s3.download_fileobj(bucket, "empty", target)
    assert target.getvalue() == b""


def test_many_parts_at_once(s3: S3Client, bucket: str) -> None:
    data = bytes(range(256)) * (4096 * 26)
    config = TransferConfig(multipart_chunksize=5 * MIB, max_concurrency=6)
    s3.upload_fileobj(io.BytesIO(data), bucket, "k", Config=config)
    target = io.BytesIO()
    s3.download_fileobj(bucket, "k", target, Config=config)
    assert target.getvalue() == data
