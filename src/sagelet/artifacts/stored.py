"""What a bucket holds, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

DEFAULT_CONTENT_TYPE = "binary/octet-stream"


class Checksum(NamedTuple):
    """A checksum that was stored with an object; its value as S3's headers write it.

    `kind` is FULL_OBJECT, or COMPOSITE for a checksum of the parts' checksums.
    """

    algorithm: str
    value: str
    kind: str = "FULL_OBJECT"


@dataclass(frozen=True, slots=True)
class ObjectMeta:
    """What a client says about an object: a few HTTP headers and its own metadata.

    `headers` are the kept ones besides Content-Type (Cache-Control and so on), in lower case;
    `user` are `x-amz-meta-*` without that prefix, in lower case.
    """

    content_type: str = DEFAULT_CONTENT_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)
    user: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Version:
    """What a side-car says of one state of a file; it holds while size and time are the file's.

    `part_sizes` are those of a multipart upload, `upload_id` its name: completing it again is then
    answered as the first time.
    """

    size_bytes: int
    modified_ns: int
    etag: str
    meta: ObjectMeta = field(default_factory=ObjectMeta)
    checksum: Checksum | None = None
    part_sizes: tuple[int, ...] = ()
    upload_id: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return plain data for a side-car."""
        checksum = self.checksum
        return {
            "size": self.size_bytes,
            "mtime_ns": self.modified_ns,
            "etag": self.etag,
            "content_type": self.meta.content_type,
            "headers": dict(self.meta.headers),
            "user": dict(self.meta.user),
            "checksum": checksum and list(checksum),
            "parts": list(self.part_sizes),
            "upload": self.upload_id,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Version:
        """Read what `to_json` wrote; KeyError or TypeError where it is something else."""
        return cls(
            size_bytes=data["size"],
            modified_ns=data["mtime_ns"],
            etag=data["etag"],
            meta=ObjectMeta(data["content_type"], data["headers"], data["user"]),
            checksum=Checksum(*data["checksum"]) if data["checksum"] else None,
            part_sizes=tuple(data["parts"]),
            upload_id=data["upload"],
        )


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object as it stands."""

    bucket: str
    key: str
    version: Version

    @property
    def size_bytes(self) -> int:
        """Its length."""
        return self.version.size_bytes

    @property
    def etag(self) -> str:
        """Its ETag, without quotes."""
        return self.version.etag

    @property
    def meta(self) -> ObjectMeta:
        """What its writer said of it."""
        return self.version.meta

    @property
    def modified(self) -> datetime:
        """When it was written; S3 tells whole seconds."""
        return datetime.fromtimestamp(self.version.modified_ns // 1_000_000_000, UTC)


class Bucket(NamedTuple):
    """A bucket, and where it was asked for."""

    name: str
    created: datetime
    region: str


class Listing(NamedTuple):
    """A page of keys in S3's order, and of the prefixes that stand for what lies below a delimiter.

    `next_after` is what to list after for the next page; empty on the last one. `last` is the last
    key or prefix of this page.
    """

    objects: tuple[StoredObject, ...]
    prefixes: tuple[str, ...]
    next_after: str = ""
    last: str = ""
