"""Requests that cannot be served get AWS's own error, and change nothing."""

from __future__ import annotations

import http.client
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagelet import __version__
from tests.end_to_end.documents import a_model, a_training_job, an_endpoint_config
from tests.end_to_end.local_aws import LocalAws
from tests.end_to_end.signing import Signer

pytestmark = pytest.mark.usefixtures("nothing_lost")

ACCOUNT = "000000000000"
LIMIT = 25 * 2**20
GONE = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}"
ECHO = "def model_fn(d): return 1\ndef transform_fn(m, d, c, a): return d\n"


def refusal(call: Callable[..., Any], **members: object) -> tuple[int, str, str]:
    """Make a call that is refused; return status, code and message."""
    with pytest.raises(ClientError) as caught:
        call(**members)
    response = caught.value.response
    assert response["ResponseMetadata"]["RequestId"]
    error = response["Error"]
    return response["ResponseMetadata"]["HTTPStatusCode"], error["Code"], error["Message"]


def test_an_operation_that_nobody_has(local: LocalAws) -> None:
    answer = Signer(local).call("SageMaker.MakeCoffee")
    assert (answer.status, answer.code) == (400, "UnknownOperationException")
    assert "MakeCoffee" in answer.message


def test_an_operation_that_only_aws_has_names_our_release(local: LocalAws) -> None:
    assert refusal(local.sagemaker.list_domains) == (
        400,
        "UnknownOperationException",
        f"ListDomains of sagemaker is not served by sagelet {__version__}; "
        "the documentation lists the operations that are.",
    )


def test_bad_names_are_all_listed(local: LocalAws) -> None:
    long = "x" * 64
    asked = a_model(long, "ftp://host/model", {})
    status, code, message = refusal(local.sagemaker.create_model, **asked)
    assert (status, code) == (400, "ValidationException")
    assert message == (
        f"2 validation errors detected: Value '{long}' at 'modelName' failed to satisfy "
        "constraint: Member must have length less than or equal to 63; Value 'ftp://host/model' "
        "at 'primaryContainer.modelDataUrl' failed to satisfy constraint: Member must satisfy "
        "regular expression pattern: (https|s3)://([^/]+)/?(.*)"
    )


@pytest.mark.parametrize("name", ["a_b", "-x", "../x", "ü", "a b"])
def test_a_bad_name_fails_the_constraint(local: LocalAws, name: str) -> None:
    status, code, message = refusal(
        local.sagemaker.create_endpoint_config, **an_endpoint_config(name, "any")
    )
    assert (status, code) == (400, "ValidationException")
    assert message.startswith(
        f"1 validation error detected: Value '{name}' at 'endpointConfigName' failed to satisfy "
        "constraint: Member must satisfy regular expression pattern: "
    )
    status, code, message = refusal(
        local.client("sagemaker-runtime").invoke_endpoint, EndpointName="a_b", Body=b""
    )
    assert (status, code) == (400, "ValidationError")


def test_a_missing_member_is_null(local: LocalAws) -> None:
    answer = Signer(local).call("SageMaker.CreateEndpoint", {"EndpointName": "x"})
    assert (answer.status, answer.code) == (400, "ValidationException")
    assert answer.message == (
        "1 validation error detected: Value null at 'endpointConfigName' failed to satisfy "
        "constraint: Member must not be null"
    )


@pytest.mark.parametrize("body", [b'{"NameContains": ', b"[" * 100_000, b"[]", b"\xff\xfe", b'"x"'])
def test_a_body_that_is_no_document(local: LocalAws, body: bytes) -> None:
    answer = Signer(local).call("SageMaker.ListModels", body)
    assert (answer.status, answer.code) == (400, "SerializationException")


def test_what_does_not_exist_is_named_by_its_arn(local: LocalAws) -> None:
    sagemaker = local.sagemaker
    bad = (400, "ValidationException")
    for call, kind, member in (
        (sagemaker.describe_model, "model", "ModelName"),
        (sagemaker.delete_model, "model", "ModelName"),
        (sagemaker.describe_endpoint, "endpoint", "EndpointName"),
        (sagemaker.delete_endpoint, "endpoint", "EndpointName"),
        (sagemaker.describe_endpoint_config, "endpoint-config", "EndpointConfigName"),
    ):
        words = kind.replace("-config", " configuration")
        expected = (*bad, f'Could not find {words} "{GONE}:{kind}/gone".')
        assert refusal(call, **{member: "gone"}) == expected
    missing = (*bad, "Requested resource not found.")
    assert refusal(sagemaker.describe_training_job, TrainingJobName="gone") == missing
    assert refusal(sagemaker.stop_training_job, TrainingJobName="gone") == missing


def test_nothing_is_made_of_what_does_not_exist(local: LocalAws) -> None:
    sagemaker = local.sagemaker
    bad = (400, "ValidationException")
    assert refusal(sagemaker.create_endpoint_config, **an_endpoint_config("new", "gone")) == (
        *bad,
        f'Could not find model "{GONE}:model/gone".',
    )
    assert refusal(sagemaker.create_endpoint, EndpointName="new", EndpointConfigName="gone") == (
        *bad,
        f'Could not find endpoint configuration "{GONE}:endpoint-config/gone".',
    )
    assert refusal(sagemaker.create_model, **a_model("new", "s3://gone/model.tar.gz", {})) == (
        *bad,
        "Could not find model data at s3://gone/model.tar.gz.",
    )


def test_an_endpoint_that_does_not_serve_cannot_be_invoked(local: LocalAws) -> None:
    assert refusal(
        local.client("sagemaker-runtime").invoke_endpoint, EndpointName="gone", Body=b"x"
    ) == (400, "ValidationError", f"Endpoint gone of account {ACCOUNT} not found.")


def test_a_name_that_is_taken(local: LocalAws, tmp_path: Path) -> None:
    (tmp_path / "inference.py").write_text(ECHO)
    sagemaker = local.sagemaker
    with local.deployed("taken", tmp_path):
        there = [
            refusal(sagemaker.create_model, **a_model("taken", tmp_path, {})),
            refusal(sagemaker.create_endpoint_config, **an_endpoint_config("taken")),
            refusal(sagemaker.create_endpoint, EndpointName="taken", EndpointConfigName="taken"),
        ]
        assert local.invoke("taken", "x") == "x"
    assert there == [
        (
            400,
            "ValidationException",
            f'Cannot create already existing {words} "{GONE}:{kind}/taken".',
        )
        for words, kind in (
            ("model", "model"),
            ("endpoint configuration", "endpoint-config"),
            ("endpoint", "endpoint"),
        )
    ]


def test_of_many_who_want_a_name_at_once_one_gets_it(local: LocalAws, tmp_path: Path) -> None:
    (tmp_path / "inference.py").write_text(ECHO)
    local.deploy_model("wanted", tmp_path)
    create = local.sagemaker.create_endpoint

    def attempt(_number: int) -> str:
        try:
            create(EndpointName="wanted", EndpointConfigName="wanted")
        except ClientError as error:
            return str(error.response["Error"]["Message"])
        return "created"

    with ThreadPoolExecutor(16) as threads:
        said = Counter(threads.map(attempt, range(32)))
    assert said == {
        "created": 1,
        f'Cannot create already existing endpoint "{GONE}:endpoint/wanted".': 31,
    }
    local.wait_in_service("wanted")
    local.remove_endpoint("wanted")


def test_a_job_whose_name_is_taken(local: LocalAws, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("print('once')\n")
    local.train("taken", tmp_path)
    assert refusal(local.sagemaker.create_training_job, **a_training_job("taken", tmp_path)) == (
        400,
        "ResourceInUse",
        "Training job names must be unique within an AWS account and region, and a training job "
        f"with this name already exists ({GONE}:training-job/taken)",
    )
    local.wait_ended("taken")
    assert local.job_log("taken").count("once") == 1
    local.sagemaker.delete_training_job(TrainingJobName="taken")


@contextmanager
def grows_at_most(local: LocalAws, size: int) -> Iterator[None]:
    """Watch how much memory the daemon takes, at the worst moment, beyond what it had before."""
    process = Path("/proc", str(local.info.pid))
    (process / "clear_refs").write_text("5")  # the peak is counted from here
    before = peak_of(process)
    yield
    assert peak_of(process) - before < size


def peak_of(process: Path) -> int:
    lines = (process / "status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def test_a_body_over_the_limit_is_refused_before_it_is_read(local: LocalAws) -> None:
    with grows_at_most(local, 5 * 2**20):
        assert refusal(
            local.client("sagemaker-runtime").invoke_endpoint,
            EndpointName="any",
            Body=bytes(LIMIT + 1),
        ) == (413, "ValidationError", f"HTTP content length exceeded {LIMIT} bytes.")


def test_a_body_that_does_not_say_its_length_is_kept_up_to_the_limit(local: LocalAws) -> None:
    path = "/endpoints/any/invocations"
    headers = Signer(local).headers("POST", path, b"")
    connection = http.client.HTTPConnection(*local.place, timeout=20)
    with grows_at_most(local, 2 * LIMIT), closing(connection):
        pieces = (bytes(2**20) for _ in range(200))
        connection.request("POST", path, pieces, headers, encode_chunked=True)
        answer = connection.getresponse()
        assert answer.status == 413
        assert b"exceeded" in answer.read()


def test_a_body_at_the_limit_is_served(local: LocalAws, tmp_path: Path) -> None:
    (tmp_path / "inference.py").write_text(ECHO.replace("return d", "return str(len(d))"))
    with local.deployed("at-the-limit", tmp_path):
        assert local.invoke("at-the-limit", bytes(LIMIT)) == str(LIMIT)


def test_a_forged_token_and_a_page_of_no_size(local: LocalAws) -> None:
    status, code, message = refusal(local.sagemaker.list_models, NextToken="forged")
    assert (status, code) == (400, "ValidationException")
    assert "NextToken" in message
    answer = Signer(local).call("SageMaker.ListModels", {"MaxResults": 0})
    assert (answer.status, answer.code) == (400, "ValidationException")
    assert "greater than or equal to 1" in answer.message
