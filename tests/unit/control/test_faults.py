from __future__ import annotations

import inspect

import pytest

from sagelet import errors
from sagelet.control.faults import fault_of
from sagelet.wire.faults import Fault

ARN = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/x"


@pytest.mark.parametrize(
    ("error", "service", "code", "status", "message"),
    [
        (
            errors.EndpointNotFound(name=ARN),
            "sagemaker",
            "ValidationException",
            400,
            f'Could not find endpoint "{ARN}".',
        ),
        (
            errors.EndpointConfigNotFound(name=ARN),
            "sagemaker",
            "ValidationException",
            400,
            f'Could not find endpoint configuration "{ARN}".',
        ),
        (
            errors.AlreadyExists(kind="endpoint", name=ARN),
            "sagemaker",
            "ValidationException",
            400,
            f'Cannot create already existing endpoint "{ARN}".',
        ),
        (
            errors.AlreadyExists(kind="training job", name=ARN),
            "sagemaker",
            "ResourceInUse",
            400,
            "Training job names must be unique within an AWS account and region, and a training "
            f"job with this name already exists ({ARN})",
        ),
        (
            errors.Busy(kind="endpoint", name=ARN),
            "sagemaker",
            "ValidationException",
            400,
            f'Cannot update in-progress endpoint "{ARN}".',
        ),
        (
            errors.TrainingJobNotFound(name="x"),
            "sagemaker",
            "ValidationException",
            400,
            "Requested resource not found.",
        ),
        (
            errors.EndpointNotInService(name="x", account_id="000000000000"),
            "sagemaker-runtime",
            "ValidationError",
            400,
            "Endpoint x of account 000000000000 not found.",
        ),
        (
            errors.LogGroupNotFound(name="g"),
            "logs",
            "ResourceNotFoundException",
            400,
            "The specified log group does not exist.",
        ),
        (
            errors.KeyNotFound(name="k"),
            "s3",
            "NoSuchKey",
            404,
            "The specified key does not exist.",
        ),
        (
            errors.QueueFull(endpoint="x", waiting=100),
            "sagemaker-runtime",
            "ServiceUnavailable",
            503,
            "100 requests wait for endpoint x; no worker is available.",
        ),
        (
            errors.DiskFull(path="/state", free_bytes=3 * 2**20),
            "sagemaker",
            "ResourceLimitExceeded",
            400,
            "local disk full at /state (3 MB free)",
        ),
    ],
)
def test_an_error_becomes_the_services_own_fault(
    error: errors.SageletError, service: str, code: str, status: int, message: str
) -> None:
    fault = fault_of(error, service=service)
    assert (fault.code, fault.status, fault.message) == (code, status, message)


def test_a_fault_passes_as_it_is() -> None:
    fault = Fault(code="ModelError", status=424, message="no")
    assert fault_of(fault, service="sagemaker-runtime") is fault


def test_what_nobody_foresaw_is_an_internal_failure(caplog: pytest.LogCaptureFixture) -> None:
    fault = fault_of(ZeroDivisionError("division by zero"), service="sagemaker")
    assert (fault.code, fault.status) == ("InternalFailure", 500)
    assert "division by zero" in fault.message
    assert caplog.records[0].exc_info


# Errors that no request can bring about: they are raised before there is a server, by clients, or
# are told through a resource's FailureReason, or within a stream.
_NEVER_ON_THE_WIRE = (
    errors.ChildFailed,
    errors.ConfigError,
    errors.DaemonError,
    errors.ModelStreamBroken,
    errors.PathNotFound,
    errors.RemoteError,
    errors.RequirementsFailed,
    errors.SourceChanged,
    errors.SourceNotWritten,
    errors.StateError,
    errors.UnknownRule,
    errors.UnreadableSource,
)


def test_every_error_that_a_request_can_cause_has_an_answer() -> None:
    unanswered = [
        kind.__name__
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.SageletError)
        and kind is not errors.SageletError
        and not issubclass(kind, _NEVER_ON_THE_WIRE)
        and fault_of(_built(kind), service="sagemaker").status == 500
    ]
    assert unanswered == []


def _built(kind: type[errors.SageletError]) -> errors.SageletError:
    sample: dict[str, object] = {"int": 1, "str": "x"}
    fields = {
        name: sample[str(parameter.annotation).removesuffix(" | None")]
        for name, parameter in inspect.signature(kind).parameters.items()
        if parameter.default is inspect.Parameter.empty
    }
    return kind(**fields)
