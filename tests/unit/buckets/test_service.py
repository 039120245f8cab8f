import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from botocore.model import OperationModel

from sagelet.artifacts.objects import Buckets
from sagelet.buckets.deviations import IGNORED, REFUSED
from sagelet.buckets.service import S3
from sagelet.errors import SageletError
from sagelet.wire.faults import Fault
from sagelet.wire.messages import Headers, RequestHead
from sagelet.wire.models import service_model
from tests.fakes import HeldClock

MODEL = service_model("s3")


@pytest.fixture
def s3(tmp_path: Path) -> S3:
    buckets = Buckets(tmp_path)
    buckets.create_bucket("data")
    return S3(buckets, HeldClock())


async def parts(*given: bytes) -> AsyncIterator[bytes]:
    for part in given:
        yield part


async def ask(
    s3: S3, method: str, target: str, body: bytes = b"", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    path, _, query = target.partition("?")
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    answer = await s3.handle(RequestHead(method, path, query, Headers(pairs)), parts(body))
    content = b"".join([part async for part in answer.body])
    return answer.status, {name.lower(): value for name, value in answer.headers}, content


async def refusal(s3: S3, method: str, target: str, body: bytes = b"", **headers: str) -> Fault:
    with pytest.raises(Fault) as raised:
        await ask(s3, method, target, body, **headers)
    return raised.value


async def test_an_object_is_put_got_and_deleted(s3: S3) -> None:
    status, headers, _ = await ask(s3, "PUT", "/data/a/b", b"hello", content_type="text/plain")
    assert (status, headers["etag"]) == (200, '"5d41402abc4b2a76b9719d911017c592"')
    status, headers, body = await ask(s3, "GET", "/data/a/b")
    assert (status, headers["content-type"], body) == (200, "text/plain", b"hello")
    assert headers["content-length"] == "5"
    assert (await ask(s3, "DELETE", "/data/a/b"))[0] == 204
    assert (await refusal(s3, "GET", "/data/a/b")).code == "NoSuchKey"


async def test_a_large_object_is_streamed(s3: S3) -> None:
    data = b"x" * (3 << 20)
    await ask(s3, "PUT", "/data/k", data)
    answer = await s3.handle(RequestHead("GET", "/data/k", "", Headers()), parts())
    sizes = [len(part) async for part in answer.body]
    assert sizes == [1 << 20] * 3


async def test_every_answer_has_a_request_id_and_a_length(s3: S3) -> None:
    for method, target in (("GET", "/"), ("HEAD", "/data"), ("GET", "/data?list-type=2")):
        _, headers, body = await ask(s3, method, target)
        assert re.fullmatch("[0-9A-F]{16}", headers["x-amz-request-id"])
        assert method == "HEAD" or headers["content-length"] == str(len(body))


async def test_not_modified_has_no_body(s3: S3) -> None:
    _, put, _ = await ask(s3, "PUT", "/data/k", b"hello")
    status, headers, body = await ask(s3, "GET", "/data/k", if_none_match=put["etag"])
    assert (status, body, headers["etag"]) == (304, b"", put["etag"])
    assert "content-length" not in headers


async def test_keys_that_xml_cannot_hold_are_listed_encoded(s3: S3) -> None:
    await ask(s3, "PUT", "/data/a%01%20b+c%2F/%C3%BC", b"")
    _, _, body = await ask(s3, "GET", "/data?list-type=2&encoding-type=url")
    assert b"<Key>a%01%20b%2Bc//%C3%BC</Key>" in body
    assert b"<EncodingType>url</EncodingType>" in body


async def test_a_document_is_held_against_its_digests(s3: S3) -> None:
    await ask(s3, "PUT", "/data/k", b"x")
    body = b"<Delete><Object><Key>k</Key></Object></Delete>"
    wrong = "0" * 64
    fault = await refusal(s3, "POST", "/data?delete", body, x_amz_content_sha256=wrong)
    assert fault.code == "XAmzContentSHA256Mismatch"
    fault = await refusal(s3, "POST", "/data?delete", body, x_amz_checksum_crc32="AAAAAA==")
    assert fault.code == "BadDigest"
    status, _, answer = await ask(s3, "POST", "/data?delete", body)
    assert (status, b"<Deleted><Key>k</Key></Deleted>" in answer) == (200, True)


@pytest.mark.parametrize(
    "body", [b"", b"<Delete/>", b"not xml", b"<Delete><Object><Key></Key></Object></Delete>"]
)
async def test_a_document_that_says_nothing_is_malformed(s3: S3, body: bytes) -> None:
    assert (await refusal(s3, "POST", "/data?delete", body)).code == "MalformedXML"


async def test_errors_name_what_they_are_about(s3: S3) -> None:
    fault = await refusal(s3, "GET", "/none/k")
    assert (fault.code, fault.status, fault.fields) == ("NoSuchBucket", 404, {"BucketName": "none"})
    fault = await refusal(s3, "GET", "/data/none")
    assert (fault.code, fault.fields) == ("NoSuchKey", {"Key": "none"})
    fault = await refusal(s3, "GET", "/data/k?uploadId=x")
    assert (fault.code, fault.fields) == ("NoSuchUpload", {"UploadId": "x"})


@pytest.mark.parametrize(
    "name", ["..", "%2e%2e", ".meta", "data%2f..", "data%00", "a" * 70, "DATA", "%ff", "data%5c.."]
)
async def test_no_bucket_name_leads_out_of_the_folder(s3: S3, name: str) -> None:
    for method in ("GET", "PUT", "HEAD", "DELETE"):
        with pytest.raises(Fault) as raised:
            await ask(s3, method, f"/{name}")
        assert raised.value.status in (400, 404)
        with pytest.raises(Fault) as raised:
            await ask(s3, method, f"/{name}/key")
        assert raised.value.status in (400, 404)


async def test_no_key_leads_out_of_the_folder(s3: S3, tmp_path: Path) -> None:
    for key in ("..", "../x", "%2e%2e%2fx", "a%00b", "..%5cx", "%252e%252e", "a/../../b"):
        await ask(s3, "PUT", f"/data/{key}", key.encode())
        assert (await ask(s3, "GET", f"/data/{key}"))[2] == key.encode()
    assert {path.name for path in tmp_path.iterdir()} == {".meta", "data"}
    assert (await refusal(s3, "PUT", "/data/%ff")).status == 400


def operations_not_served(s3: S3) -> list[str]:
    return sorted(set(MODEL.operation_names) - s3.served)


def a_request(operation: OperationModel) -> tuple[str, str]:
    """Return what the simplest request of an operation looks like."""
    uri = operation.http["requestUri"].replace("{Bucket}", "data").replace("{Key+}", "k")
    shape = operation.input_shape
    required = [shape.members[name] for name in shape.required_members] if shape else []
    names = [
        f"{member.serialization['name']}=x"
        for member in required
        if member.serialization.get("location") == "querystring"
    ]
    return operation.http["method"], uri + ("&" if "?" in uri else "?") + "&".join(names)


async def test_what_is_not_served_is_not_implemented_and_says_so(s3: S3) -> None:
    missing = operations_not_served(s3)
    assert "GetObjectTagging" in missing
    assert len(missing) > 60
    said = set()
    for name in missing:
        method, target = a_request(MODEL.operation_model(name))
        try:
            await ask(s3, method, target)
        except Fault as fault:
            if fault.code == "NotImplemented":
                said.add(fault.message.split()[0])
        except SageletError:
            continue
    # A few share their request with another operation, or differ from it by a header only.
    assert len(said) > 60
    assert "is not emulated by sagelet" in (await refusal(s3, "GET", "/data?versioning")).message


def test_served_operations_are_operations(s3: S3) -> None:
    assert s3.served <= set(MODEL.operation_names)
    assert len(s3.served) == 20


def test_deviations_name_members_of_served_operations(s3: S3) -> None:
    members = set()
    for name in s3.served:
        shape = MODEL.operation_model(name).input_shape
        members |= set(shape.members) if shape else set()
    named = [row.member for row in (*IGNORED, *REFUSED)]
    assert set(named) <= members
    assert len(named) == len(set(named))
    assert all(row.why for row in (*IGNORED, *REFUSED))


async def test_refused_members_are_refused(s3: S3) -> None:
    fault = await refusal(s3, "PUT", "/data/k", b"x", x_amz_object_lock_mode="GOVERNANCE")
    assert (fault.code, fault.status) == ("NotImplemented", 501)
    assert (await refusal(s3, "GET", "/data/k")).code == "NoSuchKey"
