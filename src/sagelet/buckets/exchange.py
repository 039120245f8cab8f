"""A request to S3 and what answers it, as the operations see them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from sagelet.artifacts.keys import MAX_KEY_BYTES
from sagelet.artifacts.stored import Checksum, ObjectMeta, StoredObject
from sagelet.wire.chunked import stored_encoding
from sagelet.wire.faults import Fault
from sagelet.wire.messages import RequestHead

Document = dict[str, Any]

KEPT_HEADERS = {
    "CacheControl": "cache-control",
    "ContentDisposition": "content-disposition",
    "ContentEncoding": "content-encoding",
    "ContentLanguage": "content-language",
    "Expires": "expires",
    "WebsiteRedirectLocation": "x-amz-website-redirect-location",
}
"""Members that are kept with an object, and the names they are kept under."""

CHECKSUM_MEMBERS = {
    "crc32": "ChecksumCRC32",
    "crc32c": "ChecksumCRC32C",
    "crc64nvme": "ChecksumCRC64NVME",
    "md5": "ChecksumMD5",
    "sha1": "ChecksumSHA1",
    "sha256": "ChecksumSHA256",
    "sha512": "ChecksumSHA512",
}

_MOST_METADATA_BYTES = 2048


@dataclass(frozen=True, slots=True)
class S3Request:
    """One request. `body` is read by the operations that store it; others find it in `document`."""

    head: RequestHead
    document: Document
    body: AsyncIterator[bytes]

    @property
    def bucket(self) -> str:
        """The bucket that it names."""
        return str(self.document["Bucket"])

    @property
    def key(self) -> str:
        """The key that it names, of a length that S3 allows."""
        return checked_key(str(self.document["Key"]))

    def text(self, member: str) -> str:
        """Return a member, or nothing."""
        return str(self.document.get(member) or "")


@dataclass(frozen=True, slots=True)
class S3Answer:
    """What an operation answers. `stream` is the body where it is an object's."""

    document: Document = field(default_factory=dict)
    status: int | None = None
    stream: AsyncIterator[bytes] | None = None


def checked_key(key: str) -> str:
    """Return a key; KeyTooLongError where it has more than 1024 bytes."""
    size = len(key.encode("utf-8", "surrogatepass"))
    if size > MAX_KEY_BYTES:
        raise Fault(
            "KeyTooLongError",
            400,
            "Your key is too long",
            {"Size": size, "MaxSizeAllowed": MAX_KEY_BYTES},
        )
    return key


def meta_of(document: Document) -> ObjectMeta:
    """Return what a request says of the object that it stores."""
    user = dict(document.get("Metadata") or {})
    size = sum(len(name.encode()) + len(value.encode()) for name, value in user.items())
    if size > _MOST_METADATA_BYTES:
        raise Fault(
            "MetadataTooLarge",
            400,
            "Your metadata headers exceed the maximum allowed metadata size",
            {"Size": size, "MaxSizeAllowed": _MOST_METADATA_BYTES},
        )
    kept = {name: document.get(member) for member, name in KEPT_HEADERS.items()}
    kept["content-encoding"] = stored_encoding(kept["content-encoding"])
    return ObjectMeta(
        content_type=document.get("ContentType") or ObjectMeta().content_type,
        headers={name: value for name, value in kept.items() if value},
        user=user,
    )


def quoted(etag: str) -> str:
    """Return an ETag as answers carry it."""
    return f'"{etag}"'


def checksum_members(checksum: Checksum | None) -> Document:
    """Return the members that tell a checksum."""
    if checksum is None:
        return {}
    return {CHECKSUM_MEMBERS[checksum.algorithm]: checksum.value, "ChecksumType": checksum.kind}


def object_members(stored: StoredObject, *, with_checksum: bool) -> Document:
    """Return the members that describe an object to who gets it."""
    kept = {member: stored.meta.headers.get(name) for member, name in KEPT_HEADERS.items()}
    return {
        **kept,
        **(checksum_members(stored.version.checksum) if with_checksum else {}),
        "AcceptRanges": "bytes",
        "ContentType": stored.meta.content_type,
        "ETag": quoted(stored.etag),
        "LastModified": stored.modified,
        "Metadata": dict(stored.meta.user),
    }
