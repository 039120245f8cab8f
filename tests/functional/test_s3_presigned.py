import base64
import hashlib
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator

import pytest
from botocore.config import Config
from mypy_boto3_s3 import S3Client

from tests.functional.s3_server import Served, serving


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


KEY = "sp ace/ü+&=%41~'(x).txt"


@pytest.fixture(params=["s3", "s3v4"])
def signer(served: Served, request: pytest.FixtureRequest) -> S3Client:
    return served.client(Config(signature_version=request.param))


def fetch(
    url: str, *, method: str = "GET", data: bytes | None = None, **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    asked = urllib.request.Request(url, data=data, headers=named, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), dict(error.headers)


def test_boto3s_default_is_version_2_and_both_are_tried(served: Served, bucket: str) -> None:
    url = served.client().generate_presigned_url("get_object", {"Bucket": bucket, "Key": "k"})
    assert "AWSAccessKeyId=" in url
    four = served.client(Config(signature_version="s3v4"))
    assert "X-Amz-Signature=" in four.generate_presigned_url(
        "get_object", {"Bucket": bucket, "Key": "k"}
    )


def test_a_presigned_get_needs_no_key(s3: S3Client, signer: S3Client, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key=KEY, Body=b"data", ContentType="text/plain")
    url = signer.generate_presigned_url("get_object", {"Bucket": bucket, "Key": KEY})
    status, body, headers = fetch(url)
    assert (status, body, headers["content-type"]) == (200, b"data", "text/plain")
    assert fetch(url, Range="bytes=1-2")[:2] == (206, b"at")


def test_a_presigned_get_may_name_headers(s3: S3Client, signer: S3Client, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key=KEY, Body=b"data")
    url = signer.generate_presigned_url(
        "get_object",
        {
            "Bucket": bucket,
            "Key": KEY,
            "ResponseContentType": "text/x-odd",
            "ResponseContentDisposition": 'attachment; filename="a b"',
        },
    )
    _, _, headers = fetch(url)
    assert headers["content-type"] == "text/x-odd"
    assert headers["content-disposition"] == 'attachment; filename="a b"'


def test_a_presigned_put_stores(s3: S3Client, signer: S3Client, bucket: str) -> None:
    url = signer.generate_presigned_url(
        "put_object", {"Bucket": bucket, "Key": KEY, "ContentType": "text/plain"}
    )
    data = b"x" * 3_000_000
    assert fetch(url, method="PUT", data=data, Content_Type="text/plain")[0] == 200
    got = s3.get_object(Bucket=bucket, Key=KEY)
    assert (got["Body"].read(), got["ContentType"]) == (data, "text/plain")


def test_a_presigned_put_may_carry_a_digest(s3: S3Client, bucket: str) -> None:
    url = s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "k"})
    wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    status, body, _ = fetch(url, method="PUT", data=b"data", Content_MD5=wrong, Content_Type="")
    assert status in (400, 403)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    assert b"<Code>" in body


def test_a_presigned_head_and_delete_work(s3: S3Client, signer: S3Client, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"data")
    names = {"Bucket": bucket, "Key": "k"}
    status, body, headers = fetch(
        signer.generate_presigned_url("head_object", names), method="HEAD"
    )
    assert (status, body, headers["content-length"]) == (200, b"", "4")
    url = signer.generate_presigned_url("delete_object", names)
    assert fetch(url, method="DELETE")[0] == 204
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_url_for_one_thing_is_good_for_nothing_else(
    s3: S3Client, signer: S3Client, bucket: str
) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"data")
    s3.put_object(Bucket=bucket, Key="other", Body=b"data")
    url = signer.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "k"})
    assert fetch(url.replace("/k?", "/other?"))[0] == 403
    assert fetch(url, method="PUT", data=b"evil")[0] == 403
    assert fetch(url, method="DELETE")[0] == 403
    assert fetch(urllib.parse.urlsplit(url)._replace(query="").geturl())[0] == 403


def test_an_expired_url_is_refused(s3: S3Client, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"data")
    url = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "k"}, ExpiresIn=-60)
    status, body, _ = fetch(url)
    assert status == 403
    assert b"<Code>AccessDenied</Code>" in body
