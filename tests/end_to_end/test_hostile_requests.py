"""Whoever may not speak to the daemon is turned away: pages, other names, wrong signatures."""

from __future__ import annotations

import json
import re
from typing import Any

import boto3
import psutil
import pytest
from botocore.exceptions import ClientError

from sagelet.environments import credentials
from tests.end_to_end.documents import a_training_job
from tests.end_to_end.local_aws import REGION, LocalAws
from tests.end_to_end.signing import Signer, send

pytestmark = pytest.mark.usefixtures("nothing_lost")

FIX = 'To sign with this machine\'s local key, run `eval "$(sagelet env)"`.'
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your "
    "AWS Secret Access Key and signing method. Consult the service documentation for details. "
)
LIST = "SageMaker.ListEndpoints"


def test_a_request_that_is_signed_well_is_served(local: LocalAws) -> None:
    assert Signer(local).call(LIST).status == 200
    assert Signer(local, minutes=-4).call(LIST).status == 200
    assert Signer(local, minutes=4).call(LIST).status == 200


def test_a_wrong_signature(local: LocalAws) -> None:
    answer = Signer(local, secret="guessed").call(LIST)
    assert (answer.status, answer.code) == (400, "InvalidSignatureException")
    assert answer.message == MISMATCH + FIX


@pytest.mark.parametrize(
    ("service", "status", "code"),
    [
        ("sagemaker-runtime", 400, "InvalidSignatureException"),
        ("logs", 400, "InvalidSignatureException"),
        ("s3", 403, "SignatureDoesNotMatch"),
        ("sts", 403, "SignatureDoesNotMatch"),
        ("iam", 403, "SignatureDoesNotMatch"),
    ],
)
def test_a_wrong_signature_at_every_other_door(
    local: LocalAws, service: str, status: int, code: str
) -> None:
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "sagemaker-runtime": ("invoke_endpoint", {"EndpointName": "any", "Body": b"x"}),
        "logs": ("describe_log_groups", {}),
        "s3": ("put_object", {"Bucket": "any", "Key": "evil", "Body": b"x"}),
        "sts": ("get_caller_identity", {}),
        "iam": ("get_role", {"RoleName": "any"}),
    }
    make: Any = boto3.client
    client = make(
        service,
        endpoint_url=local.info.address,
        region_name=REGION,
        aws_access_key_id=credentials.load_or_create(local.home).access_key_id,
        aws_secret_access_key="guessed",
    )
    operation, members = calls[service]
    with pytest.raises(ClientError) as caught:
        getattr(client, operation)(**members)
    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert response["Error"]["Code"] == code
    assert response["Error"]["Message"].endswith(FIX)


def test_a_body_that_is_not_the_one_that_was_signed(local: LocalAws) -> None:
    told = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": LIST}
    headers = Signer(local).headers("POST", "/", b"{}", told)
    answer = send(local, "POST", "/", b'{"MaxResults": 1}', headers)
    assert (answer.status, answer.code) == (400, "InvalidSignatureException")


def test_an_operation_that_is_not_the_one_that_was_signed(local: LocalAws) -> None:
    answer = Signer(local).call(LIST, bent={"X-Amz-Target": "SageMaker.ListModels"})
    assert (answer.status, answer.code) == (400, "InvalidSignatureException")


def test_a_key_that_nobody_knows(local: LocalAws) -> None:
    answer = Signer(local, key_id="AKIAIOSFODNN7EXAMPLE").call(LIST)
    assert (answer.status, answer.code) == (400, "UnrecognizedClientException")
    assert answer.message == f"The security token included in the request is invalid. {FIX}"


def test_a_signature_that_is_too_old(local: LocalAws) -> None:
    answer = Signer(local, minutes=-10).call(LIST)
    assert (answer.status, answer.code) == (400, "InvalidSignatureException")
    moment = r"\d{8}T\d{6}Z"
    assert re.fullmatch(
        rf"Signature expired: {moment} is now earlier than {moment} \({moment} - 5 min\.\)",
        answer.message,
    )


def test_a_signature_from_the_future(local: LocalAws) -> None:
    answer = Signer(local, minutes=10).call(LIST)
    assert (answer.status, answer.code) == (400, "InvalidSignatureException")
    moment = r"\d{8}T\d{6}Z"
    assert re.fullmatch(
        rf"Signature not yet current: {moment} is still later than {moment} "
        rf"\({moment} \+ 5 min\.\)",
        answer.message,
    )


def test_no_signature(local: LocalAws) -> None:
    answer = Signer(local).call(LIST, bent={"Authorization": None})
    assert (answer.status, answer.code) == (403, "MissingAuthenticationTokenException")
    assert answer.message.startswith("Missing Authentication Token")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/endpoints/any/invocations"),
        ("GET", "/any-bucket/any-key"),
        ("PUT", "/any-bucket/any-key"),
        ("DELETE", "/any-bucket"),
    ],
)
def test_no_signature_at_the_other_doors(local: LocalAws, method: str, path: str) -> None:
    assert send(local, method, path, b"x", {}).status == 403


@pytest.mark.parametrize(
    "host", ["evil.com", "127.0.0.1.evil.com", "localhost.evil.com:7543", "0.0.0.0", "127.0.0.1:x"]
)
def test_a_name_that_was_made_to_point_here(local: LocalAws, host: str) -> None:
    answer = Signer(local).call(LIST, bent={"Host": host})
    assert answer.status == 421
    assert answer.message == (
        f"Host {host} is not one of this server's names; use 127.0.0.1 or localhost, or start it "
        "with --allow-host NAME"
    )
    assert send(local, "GET", "/healthz", b"", {"Host": host}).status == 421


@pytest.mark.parametrize(
    "header", [("Origin", "https://evil.com"), ("Origin", "null"), ("Sec-Fetch-Site", "cross-site")]
)
def test_a_request_that_a_page_has_made(local: LocalAws, header: tuple[str, str]) -> None:
    answer = Signer(local).call(LIST, bent=dict([header]))
    assert answer.status == 403
    assert "from another site" in answer.message
    assert "access-control-allow-origin" not in answer.headers
    preflight = {header[0]: header[1], "Access-Control-Request-Method": "POST"}
    assert send(local, "OPTIONS", "/", b"", preflight).status == 403


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_a_form_on_a_page_starts_nothing(local: LocalAws, kind: str) -> None:
    # What a browser sends to any address without asking it first, were there no Origin either.
    body = json.dumps(a_training_job("evil", local.home.root)).encode()
    answer = send(local, "POST", "/", body, {"Content-Type": kind})
    assert answer.status in (400, 403, 405)
    assert b"Error" in answer.body


def test_only_loopback_listens_and_secrets_are_the_owners_alone(local: LocalAws) -> None:
    daemon = psutil.Process(local.info.pid)
    for process in (daemon, *daemon.children(recursive=True)):
        for connection in process.net_connections("inet"):
            if connection.status == psutil.CONN_LISTEN:
                assert connection.laddr.ip in ("127.0.0.1", "::1")
    assert local.home.credentials.stat().st_mode & 0o077 == 0
    assert local.home.root.stat().st_mode & 0o077 == 0
    secret = credentials.load_or_create(local.home).secret_access_key
    assert secret not in local.home.daemon_log.read_text()
