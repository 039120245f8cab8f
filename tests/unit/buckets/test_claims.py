import base64
import hashlib
import zlib

import pytest

from sagelet.artifacts.checksums import MD5, Digests
from sagelet.artifacts.stored import Checksum
from sagelet.buckets.claims import Claims, algorithm_of
from sagelet.wire.faults import Fault
from sagelet.wire.messages import Headers, RequestHead

BODY = b"hello"
CRC = base64.b64encode(zlib.crc32(BODY).to_bytes(4, "big")).decode()
FIVE = base64.b64encode(hashlib.md5(BODY).digest()).decode()
ZERO_CRC = base64.b64encode(bytes(4)).decode()


def claims_of(**headers: str) -> Claims:
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Claims.of(RequestHead("PUT", "/b/k", "", Headers(pairs)))


def judged(claims: Claims, *trailers: tuple[str, str]) -> Checksum | None:
    digests = Digests((MD5, *claims.algorithms))
    digests.update(BODY)
    return claims.check(digests, Headers(trailers))


def code_of(**headers: str) -> str:
    with pytest.raises(Fault) as raised:
        judged(claims_of(**headers))
    return raised.value.code


def test_nothing_claimed_is_nothing_kept() -> None:
    assert claims_of().algorithms == ()
    assert judged(claims_of()) is None


def test_what_is_claimed_is_computed_and_kept() -> None:
    claims = claims_of(x_amz_checksum_crc32=CRC, content_md5=FIVE)
    assert claims.algorithms == ("crc32",)
    assert judged(claims) == Checksum("crc32", CRC)


def test_a_checksum_may_come_in_a_trailer() -> None:
    claims = claims_of(x_amz_trailer="x-amz-checksum-crc32")
    assert judged(claims, ("x-amz-checksum-crc32", CRC)) == Checksum("crc32", CRC)
    for trailers, code in (
        ((), "MalformedTrailerError"),
        ((("x-amz-checksum-crc32", ZERO_CRC),), "BadDigest"),
        ((("x-amz-checksum-crc32", "?"),), "InvalidRequest"),
    ):
        with pytest.raises(Fault) as raised:
            judged(claims, *trailers)
        assert raised.value.code == code


def test_the_signed_digest_is_compared() -> None:
    assert judged(claims_of(x_amz_content_sha256=hashlib.sha256(BODY).hexdigest())) is None
    wrong = hashlib.sha256(b"other").hexdigest()
    assert code_of(x_amz_content_sha256=wrong) == "XAmzContentSHA256Mismatch"
    assert judged(claims_of(x_amz_content_sha256="UNSIGNED-PAYLOAD")) is None


def test_a_wrong_digest_is_a_bad_digest() -> None:
    assert code_of(x_amz_checksum_crc32=ZERO_CRC) == "BadDigest"
    assert code_of(content_md5=base64.b64encode(bytes(16)).decode()) == "BadDigest"


def test_what_cannot_be_a_digest_is_refused() -> None:
    assert code_of(content_md5="x") == "InvalidDigest"
    assert code_of(x_amz_checksum_sha256=CRC) == "InvalidRequest"
    assert code_of(x_amz_checksum_crc32=CRC, x_amz_checksum_sha1="x") == "InvalidRequest"
    assert code_of(x_amz_checksum_xxhash64="x") == "NotImplemented"


def test_headers_about_checksums_are_no_checksums() -> None:
    claims = claims_of(
        x_amz_checksum_mode="ENABLED", x_amz_checksum_algorithm="CRC32", x_amz_checksum_type="x"
    )
    assert claims.algorithm == ""


def test_algorithms_go_by_any_case() -> None:
    assert algorithm_of("CRC32C") == "crc32c"
    assert algorithm_of("") == ""
    with pytest.raises(Fault):
        algorithm_of("ROT13")
