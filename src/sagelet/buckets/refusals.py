"""Our errors in S3's words: code, status and the names that its error documents carry."""

from __future__ import annotations

from sagelet.errors import (
    BucketNotEmpty,
    BucketNotFound,
    InvalidRequest,
    KeyNotFound,
    SageletError,
    UploadNotFound,
)
from sagelet.wire.faults import Fault


def fault_of(error: SageletError) -> Fault | None:
    """Return the S3 fault that an error means; None where others know better."""
    match error:
        case BucketNotFound(name=name):
            return Fault(
                "NoSuchBucket", 404, "The specified bucket does not exist", {"BucketName": name}
            )
        case KeyNotFound(name=name):
            return Fault("NoSuchKey", 404, "The specified key does not exist.", {"Key": name})
        case UploadNotFound(name=name):
            return Fault(
                "NoSuchUpload",
                404,
                "The specified upload does not exist. The upload ID may be invalid, or the upload "
                "may have been aborted or completed.",
                {"UploadId": name},
            )
        case BucketNotEmpty(name=name):
            return Fault(
                "BucketNotEmpty",
                409,
                "The bucket you tried to delete is not empty",
                {"BucketName": name},
            )
        case InvalidRequest():
            return Fault("InvalidRequest", 400, str(error))
        case _:
            return None
