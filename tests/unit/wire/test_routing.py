from __future__ import annotations

import pytest

from sagelet.wire.faults import Fault
from sagelet.wire.messages import Headers, RequestHead
from sagelet.wire.routing import presumed_service, route

JSON = "application/x-amz-json-1.1"
FORM = "application/x-www-form-urlencoded; charset=utf-8"


def a_head(
    method: str = "POST",
    path: str = "/",
    query: str = "",
    *,
    scope: str | None = None,
    **headers: str,
) -> RequestHead:
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    if scope:
        pairs.append(
            (
                "Authorization",
                f"AWS4-HMAC-SHA256 Credential=K/20260102/us-east-1/{scope}/aws4_request, "
                "SignedHeaders=host, Signature=0",
            )
        )
    return RequestHead(method, path, query, Headers(pairs))


def refused(head: RequestHead, body: bytes = b"") -> Fault:
    with pytest.raises(Fault) as caught:
        route(head, body)
    return caught.value


@pytest.mark.parametrize(
    ("head", "service", "operation"),
    [
        (
            a_head(x_amz_target="SageMaker.CreateModel", content_type=JSON),
            "sagemaker",
            "CreateModel",
        ),
        (
            a_head(
                x_amz_target="Logs_20140328.PutLogEvents", content_type=f"{JSON}; charset=utf-8"
            ),
            "logs",
            "PutLogEvents",
        ),
        (a_head(path="/endpoints/e/invocations"), "sagemaker-runtime", "InvokeEndpoint"),
        (a_head(path="/endpoints/e/async-invocations"), "sagemaker-runtime", "InvokeEndpointAsync"),
        (
            a_head(path="/endpoints/e/invocations-response-stream", scope="sagemaker"),
            "sagemaker-runtime",
            "InvokeEndpointWithResponseStream",
        ),
        (a_head("PUT", "/endpoints/e/invocations", scope="s3"), "s3", "PutObject"),
        (a_head("GET", "/endpoints/e/invocations"), "s3", "GetObject"),
        (a_head("GET", "/", scope="s3"), "s3", "ListBuckets"),
        (a_head("GET", "/b/k", "X-Amz-Algorithm=A&X-Amz-Signature=0"), "s3", "GetObject"),
        (a_head("PUT", "/b/k", "AWSAccessKeyId=a&Signature=0&Expires=1"), "s3", "PutObject"),
        (a_head("GET", "/"), "s3", "ListBuckets"),
        # A credential for S3 cannot be turned to another service by a header.
        (a_head("GET", "/b", scope="s3", x_amz_target="SageMaker.ListModels"), "s3", "ListObjects"),
    ],
)
def test_a_request_finds_its_service_and_its_operation(
    head: RequestHead, service: str, operation: str
) -> None:
    found = route(head)
    assert (found.service, found.operation.name) == (service, operation)
    assert presumed_service(head) == service


@pytest.mark.parametrize(
    ("scope", "body", "service"),
    [
        ("sts", b"Action=GetCallerIdentity&Version=2011-06-15", "sts"),
        ("iam", b"Version=2010-05-08&Action=GetRole&RoleName=r", "iam"),
        (None, b"Action=GetCallerIdentity", "sts"),
        (None, b"Action=GetRole", "iam"),
    ],
)
def test_a_form_is_for_the_service_it_is_signed_for_or_that_has_its_action(
    scope: str | None, body: bytes, service: str
) -> None:
    assert route(a_head(scope=scope, content_type=FORM), body).service == service


def test_an_action_may_stand_in_the_query() -> None:
    head = a_head("GET", "/", "Action=GetCallerIdentity&Version=2011-06-15", scope="sts")
    assert route(head).operation.name == "GetCallerIdentity"


@pytest.mark.parametrize(
    ("target", "content_type"),
    [
        ("SageMaker.CreateFoo", JSON),
        ("SageMaker.", JSON),
        ("SageMaker", JSON),
        ("", JSON),
        ("AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken", JSON),
        ("SageMaker.CreateModel.X", JSON),
        ("SageMaker.__class__", JSON),
        ("SageMaker.CreateModel", "text/plain"),
        ("SageMaker.CreateModel", FORM),
        ("SageMaker.CreateModel", ""),
        ("x" * 10_000, JSON),
    ],
)
def test_an_operation_that_is_not_there_is_unknown(target: str, content_type: str) -> None:
    fault = refused(a_head(x_amz_target=target, content_type=content_type, scope="sagemaker"))
    assert (fault.code, fault.status) == ("UnknownOperationException", 400)
    assert len(fault.message) < 400


@pytest.mark.parametrize("scope", ["sagemaker", "logs"])
def test_a_json_service_without_a_target_is_told_so(scope: str) -> None:
    fault = refused(a_head(scope=scope, content_type=JSON))
    assert fault.code == "UnknownOperationException"
    assert "without X-Amz-Target" in fault.message


def test_a_json_operation_is_posted() -> None:
    fault = refused(a_head("GET", x_amz_target="SageMaker.ListModels", content_type=JSON))
    assert fault.code == "UnknownOperationException"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"Action=NoSuchThing&Version=2011-06-15", "InvalidAction"),
        (b"Action=CreateRole", "InvalidAction"),
        (b"Version=2011-06-15", "MissingAction"),
        (b"", "MissingAction"),
        (b"\xff\xfe", "MalformedQueryString"),
        (b"a=%FF", "MalformedQueryString"),
        (b"&".join([b"a=1"] * 20_000), "MalformedQueryString"),
    ],
)
def test_a_form_without_a_known_action_is_refused(body: bytes, code: str) -> None:
    fault = refused(a_head(scope="sts", content_type=FORM), body)
    assert (fault.code, fault.status) == (code, 400)


@pytest.mark.parametrize("path", ["/endpoints/e/other", "/endpoints//invocations"])
def test_a_path_that_the_runtime_does_not_have_is_unknown(path: str) -> None:
    fault = refused(a_head(path=path, scope="sagemaker"))
    assert fault.code == "UnknownOperationException"
