"""Our errors as AWS's: which code, status and words each class gets at a service's door.

Texts and statuses are those that the real services were seen to answer; `docs/reference/errors.md`
lists them. A status of 500 or 503 makes SDKs send the request again, so both are kept for what
provably did nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from sagelet import errors
from sagelet.wire.faults import Fault

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Rule:
    """How one class of error is answered."""

    code: str
    status: int = 400
    words: Callable[[errors.SageletError], str] = str


_INVALID = {
    "sagemaker-runtime": "ValidationError",
    "logs": "InvalidParameterException",
    "sts": "ValidationError",
    "iam": "ValidationError",
    "s3": "InvalidRequest",
    "cloudwatch": "InvalidParameterValueException",
}


def _no_log(kind: str) -> _Rule:
    return _Rule(
        "ResourceNotFoundException", 400, lambda _: f"The specified {kind} does not exist."
    )


_RULES: dict[type[errors.SageletError], _Rule] = {
    errors.TrainingJobNotFound: _Rule(
        "ValidationException", 400, lambda _: "Requested resource not found."
    ),
    errors.LogGroupNotFound: _no_log("log group"),
    errors.LogStreamNotFound: _no_log("log stream"),
    errors.BucketNotFound: _Rule(
        "NoSuchBucket", 404, lambda _: "The specified bucket does not exist"
    ),
    errors.KeyNotFound: _Rule("NoSuchKey", 404, lambda _: "The specified key does not exist."),
    errors.UploadNotFound: _Rule(
        "NoSuchUpload",
        404,
        lambda _: (
            "The specified upload does not exist. The upload ID may be invalid, "
            "or the upload may have been aborted or completed."
        ),
    ),
    errors.BucketNotEmpty: _Rule(
        "BucketNotEmpty", 409, lambda _: "The bucket you tried to delete is not empty"
    ),
    errors.QueueFull: _Rule("ServiceUnavailable", 503),
    errors.DiskFull: _Rule("ResourceLimitExceeded", 400),
    errors.TooManyHosts: _Rule("ResourceLimitExceeded", 400),
    errors.ModelNotReady: _Rule("ModelNotReadyException", 429),
}

_TAKEN = {
    "training job": _Rule(
        "ResourceInUse",
        400,
        lambda error: (
            "Training job names must be unique within an AWS account and region, and a training "
            f"job with this name already exists ({getattr(error, 'name', '')})"
        ),
    ),
    "log group": _Rule(
        "ResourceAlreadyExistsException", 400, lambda _: "The specified log group already exists"
    ),
    "log stream": _Rule(
        "ResourceAlreadyExistsException", 400, lambda _: "The specified log stream already exists"
    ),
}

# Everything else that a request can bring about is, to AWS, a request that is not valid.
_REQUESTS_FAULT = (
    errors.NotFound,
    errors.AlreadyExists,
    errors.Busy,
    errors.IllegalMove,
    errors.InvalidRequest,
    errors.EndpointNotInService,
    errors.VariantNotFound,
    errors.TargetModelNotSupported,
    errors.TargetModelRequired,
    errors.ModelNotLoaded,
    errors.ModelAlreadyLoaded,
    errors.NoRoomForModel,
    errors.ModelDataMissing,
    errors.UnsafeArchive,
)


def fault_of(error: BaseException, *, service: str) -> Fault:
    """Return the fault that answers an error; what nobody foresaw is logged, too."""
    if isinstance(error, Fault):
        return error
    rule = _rule_of(error, service)
    if rule is None or not isinstance(error, errors.SageletError):
        log.error("a request failed in a way nobody foresaw", exc_info=error)
        return Fault(
            code="InternalFailure",
            status=500,
            message=f"{type(error).__name__}: {error}; the daemon's log has the traceback",
        )
    return Fault(code=rule.code, status=rule.status, message=rule.words(error))


def _rule_of(error: BaseException, service: str) -> _Rule | None:
    if isinstance(error, errors.AlreadyExists) and error.kind in _TAKEN:
        return _TAKEN[error.kind]
    for kind in type(error).__mro__:
        if kind in _RULES:
            return _RULES[kind]
    if isinstance(error, _REQUESTS_FAULT):
        return _Rule(_INVALID.get(service, "ValidationException"))
    return None
