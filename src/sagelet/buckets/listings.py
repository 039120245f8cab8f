"""Listings of objects: ListObjectsV2, and ListObjects as it was before."""

from __future__ import annotations

from urllib.parse import quote

from sagelet.artifacts.objects import Buckets
from sagelet.artifacts.stored import Listing, StoredObject
from sagelet.buckets.containers import OWNER
from sagelet.buckets.exchange import Document, S3Answer, S3Request, quoted
from sagelet.buckets.tokens import read_token, write_token
from sagelet.wire.faults import Fault

MOST_KEYS = 1000


class ListOperations:
    """Pages of keys. Every method blocks."""

    def __init__(self, buckets: Buckets) -> None:
        """Use these buckets."""
        self._buckets = buckets

    def list_objects_v2(self, request: S3Request) -> S3Answer:
        """Answer ListObjectsV2."""
        token = request.document.get("ContinuationToken")
        after = request.text("StartAfter") if token is None else read_token(str(token))
        limit = page_size(request.document.get("MaxKeys"), "max-keys")
        page = self._page(request, after, limit)
        encode = KeyEncoding(request)
        owned = bool(request.document.get("FetchOwner"))
        return S3Answer(
            {
                **_page_members(request, page, limit, owned=owned),
                "KeyCount": len(page.objects) + len(page.prefixes),
                "ContinuationToken": token,
                "NextContinuationToken": write_token(page.next_after) if page.next_after else None,
                "StartAfter": encode(request.document.get("StartAfter")),
            }
        )

    def list_objects(self, request: S3Request) -> S3Answer:
        """Answer ListObjects."""
        limit = page_size(request.document.get("MaxKeys"), "max-keys")
        page = self._page(request, request.text("Marker"), limit)
        encode = KeyEncoding(request)
        # S3 tells where to go on only where the last key does not.
        is_told = page.next_after and request.text("Delimiter")
        return S3Answer(
            {
                **_page_members(request, page, limit, owned=True),
                "Marker": encode(request.text("Marker")),
                "NextMarker": encode(page.last) if is_told else None,
            }
        )

    def _page(self, request: S3Request, after: str, limit: int) -> Listing:
        return self._buckets.list(
            request.bucket, request.text("Prefix"), request.text("Delimiter"), after, limit
        )


class KeyEncoding:
    """Encodes keys where a request wants them so: XML cannot hold every character of a key."""

    def __init__(self, request: S3Request) -> None:
        """Look at `encoding-type`; InvalidArgument for any but `url`."""
        self.kind = request.document.get("EncodingType")
        if self.kind not in (None, "url"):
            raise Fault(
                "InvalidArgument",
                400,
                "Invalid Encoding Method specified in Request",
                {"ArgumentName": "encoding-type", "ArgumentValue": str(self.kind)[:64]},
            )

    def __call__(self, text: str | None) -> str | None:
        """Return text as the answer holds it."""
        return quote(text, safe="/*-._~") if text and self.kind else text


def page_size(asked: int | None, name: str) -> int:
    """Return how much to list at most; InvalidArgument for a negative number."""
    if asked is not None and asked < 0:
        raise Fault(
            "InvalidArgument",
            400,
            f"Argument {name} must be an integer between 0 and 2147483647",
            {"ArgumentName": name, "ArgumentValue": asked},
        )
    return MOST_KEYS if asked is None else min(asked, MOST_KEYS)


def _page_members(request: S3Request, page: Listing, limit: int, *, owned: bool) -> Document:
    encode = KeyEncoding(request)
    return {
        "IsTruncated": bool(page.next_after),
        "Contents": [_listed(stored, encode, owned=owned) for stored in page.objects],
        "Name": request.bucket,
        "Prefix": encode(request.text("Prefix")),
        "Delimiter": encode(request.document.get("Delimiter")) or None,
        "MaxKeys": limit,
        "CommonPrefixes": [{"Prefix": encode(prefix)} for prefix in page.prefixes],
        "EncodingType": encode.kind,
    }


def _listed(stored: StoredObject, encode: KeyEncoding, *, owned: bool) -> Document:
    checksum = stored.version.checksum
    return {
        "Key": encode(stored.key),
        "LastModified": stored.modified,
        "ETag": quoted(stored.etag),
        "ChecksumAlgorithm": [checksum.algorithm.upper()] if checksum else None,
        "ChecksumType": checksum.kind if checksum else None,
        "Size": stored.size_bytes,
        "StorageClass": "STANDARD",
        "Owner": OWNER if owned else None,
    }
