"""Signatures made by botocore, checked by ours; then everything that must be refused."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from botocore.auth import HmacV1QueryAuth, S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sagelet.wire.faults import Fault
from sagelet.wire.messages import Headers, RequestHead
from sagelet.wire.refusals import FIX, not_allowed
from sagelet.wire.signatures import EMPTY_SHA256, Signature, Verifier, content_sha256
from tests.fakes import HeldClock

KEY, SECRET = "AKIDLOCAL", "s3cr/et+="
HOST = "http://127.0.0.1:7543"
BODY = b'{"ModelName": "m"}'
SHA = hashlib.sha256(BODY).hexdigest()


def a_clock(offset_s: float = 0.0) -> HeldClock:
    """botocore signs with the machine's time; ours stands `offset_s` from it."""
    return HeldClock(datetime.now(UTC) + timedelta(seconds=offset_s))


def a_verifier(*, offset_s: float = 0.0, lenient: bool = False) -> Verifier:
    return Verifier({KEY: SECRET}.get, a_clock(offset_s), lenient=lenient)


def signed(
    service: str = "sagemaker",
    *,
    method: str = "POST",
    path: str = "/",
    body: bytes = BODY,
    key: str = KEY,
    secret: str = SECRET,
    headers: dict[str, str] | None = None,
) -> RequestHead:
    """A request that botocore signed."""
    request = AWSRequest(method, f"{HOST}{path}", {"Host": "127.0.0.1:7543"}, body)
    for name, value in (headers or {"X-Amz-Target": "SageMaker.CreateModel"}).items():
        request.headers[name] = value
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    signer(Credentials(key, secret), service, "eu-west-1").add_auth(request)
    return as_head(request)


def as_head(request: AWSRequest) -> RequestHead:
    parts = urlsplit(str(request.url))
    pairs = [(name, str(value)) for name, value in request.headers.items()]
    return RequestHead(str(request.method), parts.path, parts.query, Headers(pairs))


def changed(head: RequestHead, **headers: str) -> RequestHead:
    """The same request with header fields replaced or added."""
    fresh = {name.replace("_", "-"): value for name, value in headers.items()}
    kept = [(name, value) for name, value in head.headers if name.lower() not in fresh]
    return RequestHead(head.method, head.raw_path, head.raw_query, Headers([*kept, *fresh.items()]))


def refused(
    head: RequestHead, verifier: Verifier | None = None, body_sha256: str | None = SHA
) -> Fault:
    with pytest.raises(Fault) as caught:
        (verifier or a_verifier()).verify(head, body_sha256=body_sha256)
    return caught.value


def presigned(version: str, *, expires: int = 60, path: str = "/b/k", method: str = "GET") -> str:
    request = AWSRequest(method, f"{HOST}{path}", {"Host": "127.0.0.1:7543"})
    if version == "v2":
        HmacV1QueryAuth(Credentials(KEY, SECRET), expires=expires).add_auth(request)
    else:
        S3SigV4QueryAuth(Credentials(KEY, SECRET), "s3", "us-east-1", expires=expires).add_auth(
            request
        )
    return str(request.url)


def head_of(url: str, method: str = "GET") -> RequestHead:
    parts = urlsplit(url)
    return RequestHead(method, parts.path, parts.query, Headers([("Host", "127.0.0.1:7543")]))


class TestHeaders:
    @pytest.mark.parametrize("service", ["sagemaker", "logs", "sts", "iam"])
    def test_a_signature_of_botocore_is_accepted_and_says_who_and_for_what(
        self, service: str
    ) -> None:
        found = a_verifier().verify(signed(service), body_sha256=SHA)
        assert found == Signature(KEY, service, "eu-west-1", presigned=False)

    @pytest.mark.parametrize(
        "path",
        [
            "/endpoints/e/invocations",
            "/endpoints/a%20b/invocations",
            "/endpoints/../x//y/./z",
            "/x?b=2&a=1&a=0&flag",
            "/x?q=a%20b%2Bc%2F&empty=",
        ],
    )
    def test_paths_are_tidied_and_encoded_once_more_as_botocore_does(self, path: str) -> None:
        a_verifier().verify(signed(path=path), body_sha256=SHA)

    @pytest.mark.parametrize(
        "path", ["/b/a%20b", "/b//x", "/b/../c", "/b/%2Fx", "/b/%E6%97%A5?list-type=2&prefix=a%2Fb"]
    )
    def test_s3s_paths_are_taken_as_they_are(self, path: str) -> None:
        head = signed("s3", method="PUT", path=path)
        a_verifier().verify(head, body_sha256=None)

    def test_blanks_in_and_repetitions_of_header_fields_are_canonical(self) -> None:
        head = signed(headers={"X-Amz-Meta": "  a   b  ", "X-Other": "é"})
        a_verifier().verify(head, body_sha256=SHA)

    def test_a_query_that_its_sender_did_not_encode_is_encoded_before_it_is_compared(self) -> None:
        head = signed("s3", method="GET", path="/b?prefix=a%2Fb%3D", body=b"")
        sloppy = RequestHead(head.method, head.raw_path, "prefix=a/b=", head.headers)
        a_verifier().verify(sloppy, body_sha256=None)

    def test_an_empty_body_needs_no_digest(self) -> None:
        a_verifier().verify(signed(body=b""), body_sha256=None)
        assert hashlib.sha256(b"").hexdigest() == EMPTY_SHA256


class TestRefusals:
    def test_nothing_at_all(self) -> None:
        fault = refused(RequestHead("POST", "/", "", Headers([("Host", "127.0.0.1")])))
        assert (fault.code, fault.status) == ("MissingAuthenticationTokenException", 403)
        assert fault.message == f"Missing Authentication Token. {FIX}"
        assert 'eval "$(sagelet env)"' in FIX

    def test_nothing_at_all_is_anybody_to_s3(self) -> None:
        with pytest.raises(Fault) as caught:
            a_verifier().verify(
                RequestHead("GET", "/b/k", "", Headers([("Host", "127.0.0.1")])),
                body_sha256=None,
                service="s3",
            )
        assert (caught.value.code, caught.value.status) == ("AccessDenied", 403)
        assert caught.value.message == f"Access Denied. {FIX}"

    @pytest.mark.parametrize(
        ("service", "code", "status", "words"),
        [
            ("sagemaker", "UnrecognizedClientException", 400, "The security token included in"),
            ("sts", "InvalidClientTokenId", 403, "The security token included in"),
            ("s3", "InvalidAccessKeyId", 403, "The AWS Access Key Id you provided does not exist"),
        ],
    )
    def test_a_key_that_is_not_ours(self, service: str, code: str, status: int, words: str) -> None:
        fault = refused(signed(service, key="AKIDSOMEBODY"))
        assert (fault.code, fault.status) == (code, status)
        assert fault.message.startswith(words)
        assert fault.message.endswith(FIX)

    @pytest.mark.parametrize(
        ("service", "code", "status"),
        [
            ("sagemaker", "InvalidSignatureException", 400),
            ("logs", "InvalidSignatureException", 400),
            ("iam", "SignatureDoesNotMatch", 403),
            ("s3", "SignatureDoesNotMatch", 403),
        ],
    )
    def test_a_wrong_secret(self, service: str, code: str, status: int) -> None:
        fault = refused(signed(service, secret="another"))
        assert (fault.code, fault.status) == (code, status)
        assert fault.message.startswith(
            "The request signature we calculated does not match the signature you provided. Check "
        )
        assert fault.message.endswith(f". {FIX}")

    def test_another_body(self) -> None:
        other = hashlib.sha256(b"{}").hexdigest()
        assert refused(signed(), body_sha256=other).code == "InvalidSignatureException"

    @pytest.mark.parametrize(
        "change",
        [
            {"x_amz_target": "SageMaker.DeleteModel"},
            {"host": "127.0.0.1:9999"},
            {"x_amz_date": "20200101T000000Z"},
        ],
    )
    def test_a_header_changed_on_the_way(self, change: dict[str, str]) -> None:
        assert refused(changed(signed(), **change)).code == "InvalidSignatureException"

    def test_another_path_query_or_method(self) -> None:
        head = signed()
        for other in (
            RequestHead("POST", "/other", "", head.headers),
            RequestHead("POST", "/", "a=1", head.headers),
            RequestHead("PUT", "/", "", head.headers),
        ):
            assert refused(other).code == "InvalidSignatureException"

    def test_an_amazon_header_that_the_signature_does_not_cover(self) -> None:
        fault = refused(changed(signed("s3"), x_amz_acl="public-read"))
        assert (fault.code, fault.status) == ("AccessDenied", 403)
        assert fault.fields == {"HeadersNotSigned": "x-amz-acl"}
        assert refused(changed(signed(), x_amz_acl="x")).code == "InvalidSignatureException"

    def test_a_signature_for_another_service(self) -> None:
        with pytest.raises(Fault) as caught:
            a_verifier().verify(signed("logs"), body_sha256=SHA, service="sagemaker")
        assert caught.value.code == "InvalidSignatureException"
        assert "scoped to correct service: 'sagemaker'" in caught.value.message

    @pytest.mark.parametrize(
        "value",
        [
            "",
            "Bearer token",
            "AWS AKID:signature",
            "AWS4-HMAC-SHA256",
            "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0",
            "AWS4-HMAC-SHA256 Credential=a/20260101/r/sagemaker/aws4_request, Signature=0",
            "AWS4-HMAC-SHA256 Credential=a/20260101/r/sagemaker/aws4_request, SignedHeaders=host",
            "AWS4-ECDSA-P256-SHA256 Credential=a/1/s/aws4_request, SignedHeaders=h, Signature=0",
        ],
    )
    def test_a_header_that_is_not_of_the_form(self, value: str) -> None:
        fault = refused(changed(signed(), authorization=value))
        assert fault.code == "IncompleteSignatureException"
        assert fault.message.endswith(FIX)

    def test_two_headers(self) -> None:
        head = signed()
        twice = Headers([*head.headers, ("Authorization", head.headers["authorization"])])
        fault = refused(RequestHead("POST", "/", "", twice))
        assert fault.code == "IncompleteSignatureException"

    def test_a_header_and_a_presigned_query(self) -> None:
        head = signed("s3", method="GET", path="/b/k", body=b"")
        both = RequestHead("GET", "/b/k", urlsplit(presigned("v4")).query, head.headers)
        fault = refused(both)
        assert (fault.code, fault.status) == ("InvalidArgument", 400)
        assert fault.message.startswith("Only one auth mechanism allowed")

    def test_a_signature_that_is_not_ascii(self) -> None:
        head = signed()
        value = head.headers["authorization"][:-1] + "é"
        assert refused(changed(head, authorization=value)).code == "InvalidSignatureException"

    def test_no_date(self) -> None:
        head = signed()
        kept = [(name, value) for name, value in head.headers if name.lower() != "x-amz-date"]
        fault = refused(RequestHead("POST", "/", "", Headers(kept)))
        assert fault.code == "IncompleteSignatureException"


class TestTime:
    def test_a_signature_may_be_nearly_five_minutes_old_or_early(self) -> None:
        for offset_s in (-290.0, 290.0):
            a_verifier(offset_s=offset_s).verify(signed(), body_sha256=SHA)

    def test_an_expired_signature_is_refused_with_both_times(self) -> None:
        head = signed()
        clock = HeldClock(datetime.strptime(head.headers["x-amz-date"], "%Y%m%dT%H%M%S%z"))
        clock.move(600)
        now = clock.now()
        fault = refused(head, Verifier({KEY: SECRET}.get, clock))
        assert (fault.code, fault.status) == ("InvalidSignatureException", 400)
        assert fault.message == (
            f"Signature expired: {head.headers['x-amz-date']} is now earlier than "
            f"{now - timedelta(minutes=5):%Y%m%dT%H%M%SZ} ({now:%Y%m%dT%H%M%SZ} - 5 min.)"
        )

    def test_a_signature_from_the_future_is_refused_with_both_times(self) -> None:
        fault = refused(signed(), a_verifier(offset_s=-600))
        assert fault.message.startswith("Signature not yet current: ")
        assert " is still later than " in fault.message
        assert fault.message.endswith(" + 5 min.)")

    def test_s3_allows_fifteen_minutes_and_has_words_of_its_own(self) -> None:
        a_verifier(offset_s=600).verify(signed("s3"), body_sha256=None)
        fault = refused(signed("s3"), a_verifier(offset_s=1000))
        assert (fault.code, fault.status) == ("RequestTimeTooSkewed", 403)

    def test_a_date_header_does_where_amazons_is_absent(self) -> None:
        request = AWSRequest("POST", f"{HOST}/", {"Host": "127.0.0.1:7543", "Date": "x"}, BODY)
        SigV4Auth(Credentials(KEY, SECRET), "logs", "us-east-1").add_auth(request)
        head = as_head(request)
        assert "x-amz-date" not in head.headers
        a_verifier().verify(head, body_sha256=SHA)


class TestS3Payloads:
    def test_the_digest_that_is_signed_is_the_one_that_the_body_must_have(self) -> None:
        head = signed("s3", method="PUT", path="/b/k")
        assert content_sha256(head) == SHA
        a_verifier().verify(head, body_sha256=None)

    @pytest.mark.parametrize(
        "value",
        [
            "UNSIGNED-PAYLOAD",
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        ],
    )
    def test_a_payload_may_be_unsigned_or_streamed(self, value: str) -> None:
        head = _with_payload(value)
        a_verifier().verify(head, body_sha256=None)
        assert content_sha256(head) is None

    @pytest.mark.parametrize("value", ["", "abc", "STREAMING-SOMETHING", "E3B0" * 16])
    def test_anything_else_is_an_invalid_argument(self, value: str) -> None:
        fault = refused(_with_payload(value))
        assert (fault.code, fault.status) == ("InvalidArgument", 400)

    def test_the_header_must_be_there(self) -> None:
        head = _with_payload("UNSIGNED-PAYLOAD")
        kept = [pair for pair in head.headers if pair[0].lower() != "x-amz-content-sha256"]
        fault = refused(RequestHead("PUT", "/b/k", "", Headers(kept)))
        assert (fault.code, fault.status) == ("InvalidRequest", 400)


def _with_payload(value: str) -> RequestHead:
    class Signer(S3SigV4Auth):
        def payload(self, request: AWSRequest) -> str:
            return value

    request = AWSRequest("PUT", f"{HOST}/b/k", {"Host": "127.0.0.1:7543"}, BODY)
    Signer(Credentials(KEY, SECRET), "s3", "us-east-1").add_auth(request)
    return as_head(request)


class TestPresigned:
    @pytest.mark.parametrize("version", ["v2", "v4"])
    @pytest.mark.parametrize(
        "path",
        [
            "/b/k",
            "/b/a%20b/%2B%25?versionId=1&response-content-type=text%2Fcsv",
            "/b?uploads=&prefix=x",
            "/b/k?partNumber=1&uploadId=a%2Fb",
        ],
    )
    def test_a_url_is_accepted_until_it_expires(self, version: str, path: str) -> None:
        url = presigned(version, path=path, expires=60)
        found = a_verifier(offset_s=50).verify(head_of(url), body_sha256=None)
        assert (found.access_key_id, found.service, found.presigned) == (KEY, "s3", True)
        fault = refused(head_of(url), a_verifier(offset_s=70))
        assert (fault.code, fault.status, fault.message) == (
            "AccessDenied",
            403,
            "Request has expired",
        )

    @pytest.mark.parametrize("version", ["v2", "v4"])
    def test_a_url_is_for_its_method_and_its_path(self, version: str) -> None:
        url = presigned(version)
        assert refused(head_of(url, "PUT")).code == "SignatureDoesNotMatch"
        assert refused(head_of(url.replace("/b/k", "/b/l"))).code == "SignatureDoesNotMatch"

    @pytest.mark.parametrize("version", ["v2", "v4"])
    def test_a_url_of_another_key_is_refused(self, version: str) -> None:
        url = presigned(version).replace(KEY, "AKIDOTHER")
        assert refused(head_of(url)).code == "InvalidAccessKeyId"

    def test_a_version_2_url_of_a_bucket_is_signed_with_a_slash_behind_it(self) -> None:
        request = AWSRequest(
            "GET", f"{HOST}/b?prefix=x", {"Host": "127.0.0.1:7543"}, auth_path="/b/"
        )
        HmacV1QueryAuth(Credentials(KEY, SECRET), expires=60).add_auth(request)
        a_verifier().verify(head_of(str(request.url)), body_sha256=None)

    def test_version_2_covers_the_type_of_the_content_and_amazons_headers(self) -> None:
        headers = {"Content-Type": "text/csv", "x-amz-meta-a": "b"}
        request = AWSRequest("PUT", f"{HOST}/b/k", headers)
        HmacV1QueryAuth(Credentials(KEY, SECRET), expires=60).add_auth(request)
        url = str(request.url)
        head = head_of(url, "PUT")
        sent = RequestHead(
            "PUT", head.raw_path, head.raw_query, Headers([*head.headers, *headers.items()])
        )
        a_verifier().verify(sent, body_sha256=None)
        assert refused(changed(sent, content_type="text/html")).code == "SignatureDoesNotMatch"

    def test_a_version_4_url_may_not_last_longer_than_a_week(self) -> None:
        a_verifier().verify(head_of(presigned("v4", expires=604_800)), body_sha256=None)
        fault = refused(head_of(presigned("v4", expires=604_801)))
        assert (fault.code, fault.status) == ("AuthorizationQueryParametersError", 400)

    @pytest.mark.parametrize("value", ["", "-1", "soon", "9" * 400, "١٢"])
    def test_a_lifetime_must_be_a_number(self, value: str) -> None:
        query = urlsplit(presigned("v4")).query.replace(
            "X-Amz-Expires=60", f"X-Amz-Expires={value}"
        )
        fault = refused(RequestHead("GET", "/b/k", query, Headers([("Host", "x")])))
        assert fault.code == "AuthorizationQueryParametersError"
        v2 = f"AWSAccessKeyId={KEY}&Signature=x&Expires={value}"
        assert (
            refused(RequestHead("GET", "/b/k", v2, Headers([("Host", "x")]))).code == "AccessDenied"
        )

    def test_a_version_2_url_may_last_beyond_the_calendar(self) -> None:
        query = f"AWSAccessKeyId={KEY}&Signature=x&Expires=999999999999"
        fault = refused(RequestHead("GET", "/b/k", query, Headers([("Host", "x")])))
        assert fault.code == "SignatureDoesNotMatch"

    @pytest.mark.parametrize("missing", ["X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders"])
    def test_no_parameter_may_be_missing(self, missing: str) -> None:
        query = urlsplit(presigned("v4")).query.replace(missing, "x-other")
        fault = refused(RequestHead("GET", "/b/k", query, Headers([("Host", "127.0.0.1:7543")])))
        assert fault.code == "AuthorizationQueryParametersError"

    def test_only_s3_takes_a_presigned_url(self) -> None:
        url = presigned("v4").replace("us-east-1%2Fs3", "us-east-1%2Fsts")
        assert refused(head_of(url)).code == "MissingAuthenticationTokenException"
        with pytest.raises(Fault) as caught:
            a_verifier().verify(head_of(presigned("v2")), body_sha256=None, service="sagemaker")
        assert caught.value.code == "MissingAuthenticationTokenException"


class TestLenient:
    def test_any_key_and_any_signature_will_do(self) -> None:
        verifier = a_verifier(lenient=True)
        found = verifier.verify(signed(key="anybody", secret="x"), body_sha256=None)
        assert found.access_key_id == "anybody"
        for version in ("v2", "v4"):
            url = presigned(version).replace(KEY, "anybody")
            assert verifier.verify(head_of(url), body_sha256=None).access_key_id == "anybody"

    @pytest.mark.parametrize("value", [None, "", "Bearer x", "Basic dTpw"])
    def test_some_signature_there_must_be(self, value: str | None) -> None:
        pairs = [("Host", "127.0.0.1")] + ([] if value is None else [("Authorization", value)])
        with pytest.raises(Fault):
            a_verifier(lenient=True).verify(
                RequestHead("POST", "/", "", Headers(pairs)), body_sha256=SHA
            )

    def test_a_clock_that_is_off_is_told_once(self, caplog: pytest.LogCaptureFixture) -> None:
        verifier = a_verifier(lenient=True, offset_s=3600)
        verifier.verify(signed(), body_sha256=SHA)
        verifier.verify(signed(), body_sha256=SHA)
        assert [
            record.message for record in caplog.records if "Signature expired" in record.message
        ]
        assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("service", "code", "status"),
    [("sagemaker", "AccessDeniedException", 400), ("iam", "AccessDenied", 403)],
)
def test_a_key_for_other_services_is_told_so(service: str, code: str, status: int) -> None:
    fault = not_allowed(KEY, service)
    assert (fault.code, fault.status) == (code, status)
    assert f"The key {KEY} is not authorized to perform operations of {service}" in fault.message
