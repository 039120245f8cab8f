"""What clients may say to S3 that has no meaning on one machine: ignored, or refused.

The tables are read by the documentation and by tests. A member is the model's name of it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ignored:
    """A member that is accepted and does nothing."""

    member: str
    why: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A member that is answered with NotImplemented, since ignoring it would break a promise."""

    member: str
    why: str


_ONE_USER = "all buckets and objects belong to the one user of this machine"
_PLAIN_FILES = "objects are plain files of this machine"

IGNORED = (
    Ignored("ACL", _ONE_USER),
    Ignored("GrantFullControl", _ONE_USER),
    Ignored("GrantRead", _ONE_USER),
    Ignored("GrantReadACP", _ONE_USER),
    Ignored("GrantWrite", _ONE_USER),
    Ignored("GrantWriteACP", _ONE_USER),
    Ignored("ObjectOwnership", _ONE_USER),
    Ignored("RequestPayer", "nobody pays"),
    Ignored("MFA", "there is no versioning to protect"),
    Ignored("BypassGovernanceRetention", "there are no locks to bypass"),
    Ignored("ServerSideEncryption", _PLAIN_FILES),
    Ignored("SSEKMSKeyId", _PLAIN_FILES),
    Ignored("SSEKMSEncryptionContext", _PLAIN_FILES),
    Ignored("BucketKeyEnabled", _PLAIN_FILES),
    Ignored("StorageClass", "there is one kind of storage"),
    Ignored("Tagging", "objects have no tags here"),
    Ignored("TaggingDirective", "objects have no tags here"),
    Ignored("AnnotationDirective", "objects have no annotations here"),
    Ignored("OptionalObjectAttributes", "nothing is ever restored from an archive"),
)

REFUSED = (
    Refused("SSECustomerKey", "objects are not encrypted with customers' keys"),
    Refused("CopySourceSSECustomerKey", "objects are not encrypted with customers' keys"),
    Refused("ObjectLockMode", "objects cannot be locked"),
    Refused("ObjectLockRetainUntilDate", "objects cannot be locked"),
    Refused("ObjectLockLegalHoldStatus", "objects cannot be locked"),
    Refused("ObjectLockEventHold", "objects cannot be locked"),
    Refused("ObjectLockEnabledForBucket", "objects cannot be locked"),
    Refused("WriteOffsetBytes", "objects cannot be appended to"),
    Refused("IfMatchLastModifiedTime", "deletes are conditional on the ETag only"),
    Refused("IfMatchSize", "deletes are conditional on the ETag only"),
)
