import base64
import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from mypy_boto3_s3 import S3Client

from tests.functional.s3_server import Served, code_of, refused, serving


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


ODD_KEYS = [
    "sp ace/ü+&=%41~'(x).txt",
    "a//b",
    "a/",
    "a",
    "a/b",
    "/leading",
    "..",
    "../x",
    "./y",
    "a/../../../../etc/passwd",
    "%2e%2e/x",
    "q?x=1#y;z",
    "back\\slash",
    "emoji-😀",
    "x" * 1024,
    "new\nline",
    "*",
]


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def get(s3: S3Client, bucket: str, key: str, **parameters: str) -> bytes:
    return s3.get_object(Bucket=bucket, Key=key, **parameters)["Body"].read()  # type: ignore[arg-type]  # names vary


def test_an_object_comes_back_with_all_that_was_said_of_it(s3: S3Client, bucket: str) -> None:
    s3.put_object(
        Bucket=bucket,
        Key="k",
        Body=b"hello",
        ContentType="text/plain",
        CacheControl="no-store",
        ContentDisposition='attachment; filename="x"',
        ContentEncoding="identity",
        ContentLanguage="de",
        Expires=datetime(2030, 1, 2, tzinfo=UTC),
        Metadata={"Who": "me", "empty": ""},
    )
    got = s3.get_object(Bucket=bucket, Key="k")
    head = s3.head_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == b"hello"
    for answer in (got, head):
        assert answer["ContentLength"] == 5
        assert answer["ETag"] == f'"{md5(b"hello")}"'
        assert answer["ContentType"] == "text/plain"
        assert answer["CacheControl"] == "no-store"
        assert answer["ContentDisposition"] == 'attachment; filename="x"'
        assert answer["ContentEncoding"] == "identity"
        assert answer["ContentLanguage"] == "de"
        assert (
            answer["ResponseMetadata"]["HTTPHeaders"]["expires"] == "Wed, 02 Jan 2030 00:00:00 GMT"
        )
        assert answer["Metadata"] == {"who": "me", "empty": ""}
        assert abs(answer["LastModified"] - datetime.now(UTC)) < timedelta(seconds=30)
        assert answer["AcceptRanges"] == "bytes"


def test_an_object_without_a_type_is_binary(s3: S3Client, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    got = s3.get_object(Bucket=bucket, Key="k")
    assert (got["ContentType"], got["Body"].read()) == ("binary/octet-stream", b"")


@pytest.mark.parametrize("key", ODD_KEYS)
def test_an_odd_key_is_a_key_like_any_other(s3: S3Client, bucket: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert get(s3, bucket, key) == key.encode()
    assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    assert [one["Key"] for one in s3.list_objects(Bucket=bucket)["Contents"]] == [key]
    s3.delete_object(Bucket=bucket, Key=key)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_all_odd_keys_live_together(s3: S3Client, bucket: str, served: Served) -> None:
    for key in ODD_KEYS:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    listed = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert [one["Key"] for one in listed] == sorted(ODD_KEYS)
    for key in ODD_KEYS:
        assert get(s3, bucket, key) == key.encode()
    deleted = s3.delete_objects(
        Bucket=bucket, Delete={"Objects": [{"Key": key} for key in ODD_KEYS]}
    )
    assert {one["Key"] for one in deleted["Deleted"]} == set(ODD_KEYS)
    assert list((served.buckets.root / bucket).iterdir()) == []


def test_a_key_that_is_too_long_is_refused(s3: S3Client, bucket: str) -> None:
    assert refused(s3.put_object, Bucket=bucket, Key="x" * 1025, Body=b"") == (
        "KeyTooLongError",
        400,
    )


def test_a_missing_key_is_missing(s3: S3Client, bucket: str) -> None:
    assert refused(s3.get_object, Bucket=bucket, Key="none") == ("NoSuchKey", 404)
    assert refused(s3.head_object, Bucket=bucket, Key="none") == ("404", 404)
    assert s3.delete_object(Bucket=bucket, Key="none")["ResponseMetadata"]["HTTPStatusCode"] == 204


@pytest.mark.parametrize(
    ("asked", "body", "content_range"),
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=4-", b"456789", "bytes 4-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=-30", b"0123456789", "bytes 0-9/10"),
        ("bytes=8-100", b"89", "bytes 8-9/10"),
        ("bytes=9-9", b"9", "bytes 9-9/10"),
    ],
)
def test_a_range_is_answered_in_part(
    s3: S3Client, bucket: str, asked: str, body: bytes, content_range: str
) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    got = s3.get_object(Bucket=bucket, Key="k", Range=asked)
    assert got["Body"].read() == body
    assert got["ContentRange"] == content_range
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert not {"ChecksumCRC32"} & got.keys()
    head = s3.head_object(Bucket=bucket, Key="k", Range=asked)
    assert (head["ContentLength"], head["ContentRange"]) == (len(body), content_range)


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=20-30", "bytes=-0"])
def test_a_range_outside_is_refused(s3: S3Client, bucket: str, asked: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    assert refused(s3.get_object, Bucket=bucket, Key="k", Range=asked) == ("InvalidRange", 416)
    assert refused(s3.head_object, Bucket=bucket, Key="k", Range=asked) == ("416", 416)


@pytest.mark.parametrize("asked", ["bytes=5-2", "lines=1-2", "bytes=1-2,4-5", "bytes=-", "x"])
def test_what_is_no_single_range_is_ignored(s3: S3Client, bucket: str, asked: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    assert get(s3, bucket, "k", Range=asked) == b"0123456789"


def test_conditions_on_the_etag(s3: S3Client, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    names = {"Bucket": bucket, "Key": "k"}
    assert get(s3, bucket, "k", IfMatch=etag) == b"x"
    assert get(s3, bucket, "k", IfMatch="*") == b"x"
    assert get(s3, bucket, "k", IfNoneMatch='"other"') == b"x"
    for call in (s3.get_object, s3.head_object):
        assert refused(call, **names, IfMatch='"other"')[1] == 412
        assert refused(call, **names, IfNoneMatch=etag) == ("304", 304)


def test_conditions_on_the_date(s3: S3Client, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    names = {"Bucket": bucket, "Key": "k"}
    modified = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    hour = timedelta(hours=1)
    assert refused(s3.get_object, **names, IfModifiedSince=modified) == ("304", 304)
    assert refused(s3.get_object, **names, IfUnmodifiedSince=modified - hour)[1] == 412
    s3.get_object(Bucket=bucket, Key="k", IfModifiedSince=modified - hour)
    s3.get_object(Bucket=bucket, Key="k", IfModifiedSince=modified + 24 * hour)  # says nothing
    s3.get_object(Bucket=bucket, Key="k", IfUnmodifiedSince=modified)


def test_an_object_is_made_only_if_there_is_none(s3: S3Client, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"first", IfNoneMatch="*")
    assert refused(s3.put_object, Bucket=bucket, Key="k", Body=b"2", IfNoneMatch="*") == (
        "PreconditionFailed",
        412,
    )
    assert get(s3, bucket, "k") == b"first"


def test_an_object_is_replaced_only_if_it_is_the_known_one(s3: S3Client, bucket: str) -> None:
    names = {"Bucket": bucket, "Key": "k"}
    assert refused(s3.put_object, **names, Body=b"x", IfMatch='"e"') == ("NoSuchKey", 404)
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"first")["ETag"]
    assert refused(s3.put_object, **names, Body=b"x", IfMatch='"e"')[1] == 412
    s3.put_object(Bucket=bucket, Key="k", Body=b"second", IfMatch=etag)
    assert refused(s3.delete_object, **names, IfMatch=etag)[1] == 412
    assert get(s3, bucket, "k") == b"second"
    assert refused(s3.put_object, **names, Body=b"x", IfNoneMatch='"e"') == ("NotImplemented", 501)


def test_one_of_many_who_make_an_object_if_there_is_none_wins(served: Served, bucket: str) -> None:
    s3 = served.client()

    def make(number: int) -> int:
        try:
            s3.put_object(Bucket=bucket, Key="k", Body=b"%d" % number, IfNoneMatch="*")
        except ClientError as error:
            return code_of(error)[1]
        return 200

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(make, range(8))) == [200] + [412] * 7


def test_concurrent_puts_of_one_key_leave_one_of_them_whole(served: Served, bucket: str) -> None:
    bodies = [bytes([number]) * 2_500_000 for number in range(6)]
    s3 = served.client()

    def put(body: bytes) -> None:
        s3.put_object(Bucket=bucket, Key="k", Body=body)

    def look(_: int) -> bool:
        try:
            got = s3.get_object(Bucket=bucket, Key="k")
        except s3.exceptions.NoSuchKey:
            return True
        return got["ETag"] == f'"{md5(got["Body"].read())}"'

    with ThreadPoolExecutor(8) as pool:
        puts = [pool.submit(put, body) for body in bodies]
        assert all(pool.map(look, range(12)))
        for one in puts:
            one.result()
    assert get(s3, bucket, "k") in bodies


def test_headers_of_the_answer_may_be_asked_for(s3: S3Client, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ContentType="text/plain")
    got = s3.get_object(
        Bucket=bucket,
        Key="k",
        ResponseContentType="text/html",
        ResponseContentDisposition="inline\r\nX-Evil: 1",
        ResponseCacheControl="no-cache",
        ResponseExpires=datetime(2031, 1, 1, tzinfo=UTC),
    )
    assert got["ContentType"] == "text/html"
    assert got["CacheControl"] == "no-cache"
    assert got["ResponseMetadata"]["HTTPHeaders"]["expires"] == "Wed, 01 Jan 2031 00:00:00 GMT"
    assert "x-evil" not in got["ResponseMetadata"]["HTTPHeaders"]


@pytest.mark.parametrize(
    ("algorithm", "member"),
    [("CRC32", "ChecksumCRC32"), ("SHA1", "ChecksumSHA1"), ("SHA256", "ChecksumSHA256")],
)
def test_a_checksum_is_kept_and_told_when_asked(
    s3: S3Client, bucket: str, algorithm: str, member: str
) -> None:
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"hello", ChecksumAlgorithm=algorithm)  # type: ignore[arg-type]  # a literal
    assert put[member]  # type: ignore[literal-required]  # one of the names above
    assert put["ChecksumType"] == "FULL_OBJECT"
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert head[member] == put[member]  # type: ignore[literal-required]  # as above
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == b"hello"
    assert got[member] == put[member]  # type: ignore[literal-required]  # as above


def test_a_wrong_checksum_stores_nothing(s3: S3Client, bucket: str) -> None:
    names = {"Bucket": bucket, "Key": "k", "Body": b"hello"}
    crc = base64.b64encode(b"\0" * 4).decode()
    sha = base64.b64encode(b"\0" * 32).decode()
    five = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    assert refused(s3.put_object, **names, ChecksumCRC32=crc) == ("BadDigest", 400)
    assert refused(s3.put_object, **names, ChecksumCRC32C=crc) == ("BadDigest", 400)
    assert refused(s3.put_object, **names, ChecksumSHA256=sha) == ("BadDigest", 400)
    assert refused(s3.put_object, **names, ContentMD5=five) == ("BadDigest", 400)
    assert refused(s3.put_object, **names, ContentMD5="short") == ("InvalidDigest", 400)
    assert refused(s3.put_object, **names, ChecksumSHA256="short") == ("InvalidRequest", 400)
    assert refused(s3.put_object, **names, ChecksumXXHASH64="AAAA") == ("NotImplemented", 501)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_right_checksums_of_every_kind_are_taken(s3: S3Client, bucket: str) -> None:
    for member, value in (
        ("ChecksumCRC32C", "mnG7TA=="),
        ("ChecksumCRC64NVME", "M3eFcAZSQlc="),
        ("ChecksumSHA512", base64.b64encode(hashlib.sha512(b"hello").digest()).decode()),
        ("ContentMD5", base64.b64encode(hashlib.md5(b"hello").digest()).decode()),
    ):
        s3.put_object(Bucket=bucket, Key=member, Body=b"hello", **{member: value})  # type: ignore[arg-type]  # names vary
        assert get(s3, bucket, member) == b"hello"


def test_a_client_that_sends_no_checksum_is_served(served: Served, bucket: str) -> None:
    s3 = served.client(
        Config(
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
    )
    assert "ChecksumCRC32" not in s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert get(s3, bucket, "k") == b"x"


def test_too_much_metadata_is_refused(s3: S3Client, bucket: str) -> None:
    metadata = {"a": "x" * 2048}
    assert refused(s3.put_object, Bucket=bucket, Key="k", Body=b"", Metadata=metadata) == (
        "MetadataTooLarge",
        400,
    )


def test_what_cannot_be_kept_is_refused_and_what_means_nothing_is_taken(
    s3: S3Client, bucket: str
) -> None:
    names = {"Bucket": bucket, "Key": "k", "Body": b""}
    assert refused(s3.put_object, **names, ObjectLockLegalHoldStatus="ON") == (
        "NotImplemented",
        501,
    )
    s3.put_object(
        Bucket=bucket,
        Key="k",
        Body=b"x",
        ACL="private",
        StorageClass="STANDARD_IA",
        ServerSideEncryption="aws:kms",
        Tagging="a=b",
    )
    assert refused(s3.get_object, Bucket=bucket, Key="k", VersionId="v1") == ("NoSuchVersion", 404)


def test_many_objects_are_deleted_at_once(s3: S3Client, bucket: str) -> None:
    for number in range(3):
        s3.put_object(Bucket=bucket, Key=f"k{number}", Body=b"x")
    keys = ["k0", "k1", "none", "x" * 1025]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})
    assert [one["Key"] for one in answer["Deleted"]] == ["k0", "k1", "none"]
    assert [one["Code"] for one in answer["Errors"]] == ["KeyTooLongError"]
    quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k2"}], "Quiet": True})
    assert not {"Deleted"} & quiet.keys()
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    many = {"Objects": [{"Key": str(number)} for number in range(1001)]}
    assert refused(s3.delete_objects, Bucket=bucket, Delete=many) == ("MalformedXML", 400)


def test_a_file_edited_by_hand_is_served_as_it_is(
    s3: S3Client, bucket: str, served: Served
) -> None:
    s3.put_object(Bucket=bucket, Key="dir/k.txt", Body=b"old", ContentType="text/plain")
    (served.buckets.root / bucket / "dir" / "k.txt").write_bytes(b"edited by hand")
    got = s3.get_object(Bucket=bucket, Key="dir/k.txt")
    assert got["Body"].read() == b"edited by hand"
    assert got["ETag"] == f'"{md5(b"edited by hand")}"'
    assert got["ContentType"] == "text/plain"


def test_20_mb_go_up_and_down_in_parts(
    s3: S3Client, bucket: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("big")
    (folder / "up").write_bytes(os.urandom(20_000_000))
    s3.upload_file(str(folder / "up"), bucket, "big", ExtraArgs={"Metadata": {"a": "b"}})
    head = s3.head_object(Bucket=bucket, Key="big", ChecksumMode="ENABLED")
    assert head["ETag"].endswith('-3"')
    assert head["Metadata"] == {"a": "b"}
    assert head["ChecksumType"] == "COMPOSITE"
    s3.download_file(bucket, "big", str(folder / "down"))
    assert (folder / "down").read_bytes() == (folder / "up").read_bytes()
