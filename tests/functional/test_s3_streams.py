import base64
import contextlib
import hashlib
import http.client
import os
import re
import socket
import subprocess
import sys
import time
import urllib.parse
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from mypy_boto3_s3 import S3Client

from tests.functional.s3_server import KEY, SECRET, Served, serving


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


class SaidDigest(S3SigV4Auth):
    """Signs the digest that the test says, not the body's."""

    def payload(self, request: AWSRequest) -> str:
        return str(request.context["digest"])


class Signed:
    """A hand-made PUT, signed, whose body is the test's business."""

    def __init__(
        self, served: Served, bucket: str, *, digest: str = "UNSIGNED-PAYLOAD", **headers: str
    ) -> None:
        self.place = urllib.parse.urlsplit(f"{served.address}/{bucket}/k")
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        request = AWSRequest(method="PUT", url=self.place.geturl(), headers=given)
        request.context["digest"] = digest
        SaidDigest(Credentials(KEY, SECRET), "s3", "us-east-1").add_auth(request)
        self.headers = dict(request.headers)

    def head(self, **more: str) -> bytes:
        lines = [f"PUT {self.place.path} HTTP/1.1", f"host: {self.place.netloc}"]
        for name, value in (self.headers | more).items():
            lines.append(f"{name.replace('_', '-')}: {value}")
        return "\r\n".join([*lines, "", ""]).encode()

    def send(self, body: bytes) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self.place.netloc, timeout=10)
        with contextlib.closing(connection):
            connection.request("PUT", self.place.path, body, self.headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        code = re.search("<Code>(.*)</Code>", text)
        return answer.status, code[1] if code else ""


def chunked(data: bytes, size: int, trailer: str, *, signed: bool = False) -> bytes:
    out = b""
    for at in range(0, len(data), size):
        piece = data[at : at + size]
        extension = b";chunk-signature=" + b"0" * 64 if signed else b""
        out += b"%x%s\r\n%s\r\n" % (len(piece), extension, piece)
    last = b";chunk-signature=" + b"0" * 64 if signed else b""
    return out + b"0" + last + b"\r\n" + trailer.encode() + b"\r\n"


def crc32_of(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def chunked_put(served: Served, bucket: str, data: bytes) -> Signed:
    return Signed(
        served,
        bucket,
        digest="STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        x_amz_trailer="x-amz-checksum-crc32",
        x_amz_decoded_content_length=str(len(data)),
        content_encoding="gzip,aws-chunked",
    )


def test_an_aws_chunked_body_is_taken_apart_and_checked(
    s3: S3Client, served: Served, bucket: str
) -> None:
    data = os.urandom(3_000_000)
    put = chunked_put(served, bucket, data)
    trailer = f"x-amz-checksum-crc32:{crc32_of(data)}\r\n"
    assert put.send(chunked(data, 65_536, trailer)) == (200, "")
    got = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (got["ContentLength"], got["ChecksumCRC32"]) == (len(data), crc32_of(data))
    assert got["ContentEncoding"] == "gzip"
    assert served.buckets.path(bucket, "k").read_bytes() == data


@pytest.mark.parametrize(
    ("trailer", "code"),
    [
        ("x-amz-checksum-crc32:AAAAAA==\r\n", "BadDigest"),
        ("x-amz-checksum-crc32:AAAA\r\n", "InvalidRequest"),
        ("", "MalformedTrailerError"),
    ],
)
def test_a_trailer_that_is_wrong_or_missing_stores_nothing(
    s3: S3Client, served: Served, bucket: str, trailer: str, code: str
) -> None:
    put = chunked_put(served, bucket, b"data")
    assert put.send(chunked(b"data", 4, trailer)) == (400, code)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_chunked_body_of_another_length_stores_nothing(
    s3: S3Client, served: Served, bucket: str
) -> None:
    trailer = f"x-amz-checksum-crc32:{crc32_of(b'data')}\r\n"
    put = chunked_put(served, bucket, b"longer data")
    assert put.send(chunked(b"data", 4, trailer)) == (400, "IncompleteBody")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_signed_chunks_are_read_too(s3: S3Client, served: Served, bucket: str) -> None:
    put = Signed(
        served,
        bucket,
        digest="STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        x_amz_decoded_content_length="8",
        content_encoding="aws-chunked",
    )
    assert put.send(chunked(b"12345678", 5, "", signed=True)) == (200, "")
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == b"12345678"
    assert "ContentEncoding" not in got


def test_a_body_that_is_not_what_was_signed_stores_nothing(
    s3: S3Client, served: Served, bucket: str
) -> None:
    digest = hashlib.sha256(b"good").hexdigest()
    put = Signed(served, bucket, digest=digest)
    assert put.send(b"evil") == (400, "XAmzContentSHA256Mismatch")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_two_checksums_are_one_too_many(served: Served, bucket: str) -> None:
    crc = crc32_of(b"data")
    put = Signed(served, bucket, x_amz_checksum_crc32=crc, x_amz_checksum_crc32c=crc)
    assert put.send(b"data") == (400, "InvalidRequest")


def test_more_than_five_gib_at_once_are_refused_before_they_are_sent(
    served: Served, bucket: str
) -> None:
    put = Signed(served, bucket)
    put.headers |= {"content-length": str((5 << 30) + 1), "expect": "100-continue"}
    assert put.send(b"") == (400, "EntityTooLarge")


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_client_that_leaves_in_mid_upload_leaves_nothing(
    s3: S3Client, served: Served, bucket: str
) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"old")
    drafts = served.buckets.root / ".meta" / "drafts"
    put = Signed(served, bucket)
    with socket.create_connection((put.place.hostname, put.place.port)) as peer:
        peer.sendall(put.head(content_length="50000000") + b"x" * 5_000_000)
        until(lambda: any(path.stat().st_size > 1_000_000 for path in drafts.iterdir()))
    until(lambda: not list(drafts.iterdir()))
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"old"


def test_a_client_that_waits_for_100_is_told_to_go_on(served: Served, bucket: str) -> None:
    put = Signed(served, bucket)
    with socket.create_connection((put.place.hostname, put.place.port), timeout=5) as peer:
        peer.sendall(put.head(content_length="4", expect="100-continue"))
        assert peer.recv(1000).startswith(b"HTTP/1.1 100 ")
        peer.sendall(b"data")
        assert peer.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_boto3_over_https_sends_chunks_and_is_served(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    with serving(tmp_path / "buckets", certificate=(certificate, key)) as served:
        bucket = served.new_bucket()
        data = os.urandom(2_500_000)
        with contextlib.closing(served.client(verify=str(certificate))) as s3:
            s3.put_object(Bucket=bucket, Key="k", Body=data)
            sent = served.seen[-1].headers
            assert sent["x-amz-content-sha256"] == "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
            assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == data


SERVER = """
import sys
from pathlib import Path
from tests.functional.s3_server import serving
with serving(Path(sys.argv[1])) as served:
    served.buckets.create_bucket("data")
    print(served.address, flush=True)
    sys.stdin.read()
"""


def memory_mb(pid: int, what: str) -> int:
    found = re.search(rf"{what}:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) // 1024


def test_300_mb_pass_through_without_being_held_in_memory(tmp_path: Path) -> None:
    piece = os.urandom(1 << 20)
    source = tmp_path / "source"
    with source.open("wb") as file:
        for _ in range(300):
            file.write(piece)
    arguments = [sys.executable, "-c", SERVER, str(tmp_path / "buckets")]
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout
        served = Served(server.stdout.readline().strip(), None, [])  # type: ignore[arg-type]  # in the child
        s3 = served.client()
        s3.put_object(Bucket="data", Key="warm", Body=piece * 3)
        s3.get_object(Bucket="data", Key="warm")["Body"].read()
        before = memory_mb(server.pid, "VmHWM")
        with source.open("rb") as body:
            etag = s3.put_object(Bucket="data", Key="big", Body=body)["ETag"]
        digest = hashlib.md5()
        for part in s3.get_object(Bucket="data", Key="big")["Body"].iter_chunks(1 << 20):
            digest.update(part)
        grown = memory_mb(server.pid, "VmHWM") - before
        server.communicate("", timeout=10)
    assert etag == f'"{digest.hexdigest()}"'
    assert grown < 24
