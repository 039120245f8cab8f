"""ListParts and ListMultipartUploads."""

from __future__ import annotations

from sagelet.artifacts.objects import Buckets
from sagelet.artifacts.uploads import Part, Upload
from sagelet.buckets.containers import OWNER
from sagelet.buckets.exchange import CHECKSUM_MEMBERS, Document, S3Answer, S3Request, quoted
from sagelet.buckets.listings import KeyEncoding, page_size


class UploadListOperations:
    """Pages of uploads and of their parts. Every method blocks."""

    def __init__(self, buckets: Buckets) -> None:
        """Use these buckets."""
        self._buckets = buckets

    def list_parts(self, request: S3Request) -> S3Answer:
        """Answer ListParts."""
        uploads = self._buckets.uploads(request.bucket)
        upload = uploads.get(request.text("UploadId"), request.key)
        marker = int(request.document.get("PartNumberMarker") or 0)
        limit = page_size(request.document.get("MaxParts"), "max-parts")
        parts = [part for part in uploads.parts(upload) if part.number > marker]
        page = parts[:limit]
        return S3Answer(
            {
                "Bucket": request.bucket,
                "Key": request.key,
                "UploadId": upload.id,
                "PartNumberMarker": marker,
                "NextPartNumberMarker": page[-1].number if page else 0,
                "MaxParts": limit,
                "IsTruncated": len(parts) > len(page) > 0,
                "Parts": [_listed_part(part, upload) for part in page],
                "Initiator": OWNER,
                "Owner": OWNER,
                "StorageClass": "STANDARD",
                "ChecksumAlgorithm": upload.algorithm.upper() or None,
                "ChecksumType": upload.kind if upload.algorithm else None,
            }
        )

    def list_multipart_uploads(self, request: S3Request) -> S3Answer:
        """Answer ListMultipartUploads."""
        encode = KeyEncoding(request)
        limit = page_size(request.document.get("MaxUploads"), "max-uploads")
        prefix, delimiter = request.text("Prefix"), request.text("Delimiter")
        after = (request.text("KeyMarker"), request.text("UploadIdMarker"))
        found = [
            upload
            for upload in self._buckets.uploads(request.bucket).unfinished()
            if upload.key.startswith(prefix)
        ]
        page, groups, last = _grouped(_after(found, *after), prefix, delimiter, limit)
        return S3Answer(
            {
                "Bucket": request.bucket,
                "KeyMarker": encode(after[0]),
                "UploadIdMarker": after[1],
                "NextKeyMarker": encode(last.key) if last else None,
                "NextUploadIdMarker": last.id if last else None,
                "Prefix": encode(prefix),
                "Delimiter": encode(delimiter) or None,
                "MaxUploads": limit,
                "IsTruncated": last is not None,
                "Uploads": [_listed_upload(upload, encode) for upload in page],
                "CommonPrefixes": [{"Prefix": encode(group)} for group in groups],
                "EncodingType": encode.kind,
            }
        )


def _after(uploads: list[Upload], key: str, upload_id: str) -> list[Upload]:
    """Return what follows a page: later keys, and later uploads of the key that it ended with."""
    same = [upload for upload in uploads if upload.key == key]
    ids = [upload.id for upload in same]
    rest = same[ids.index(upload_id) + 1 :] if upload_id in ids else []
    return rest + [upload for upload in uploads if upload.key > key]


def _grouped(
    uploads: list[Upload], prefix: str, delimiter: str, limit: int
) -> tuple[list[Upload], list[str], Upload | None]:
    """Return a page: uploads, common prefixes, and the last upload of it if there are more."""
    page: list[Upload] = []
    groups: list[str] = []
    last: Upload | None = None
    for upload in uploads:
        head, found, _ = upload.key[len(prefix) :].partition(delimiter) if delimiter else ("",) * 3
        group = prefix + head + found if found else ""
        if group and group in groups:
            last = upload
            continue
        if len(page) + len(groups) >= limit:
            return page, groups, last
        if group:
            groups.append(group)
        else:
            page.append(upload)
        last = upload
    return page, groups, None


def _listed_part(part: Part, upload: Upload) -> Document:
    checksum = {CHECKSUM_MEMBERS[upload.algorithm]: part.checksum} if upload.algorithm else {}
    return {
        "PartNumber": part.number,
        "LastModified": part.modified,
        "ETag": quoted(part.etag),
        "Size": part.size_bytes,
        **checksum,
    }


def _listed_upload(upload: Upload, encode: KeyEncoding) -> Document:
    return {
        "UploadId": upload.id,
        "Key": encode(upload.key),
        "Initiated": upload.begun,
        "StorageClass": "STANDARD",
        "Owner": OWNER,
        "Initiator": OWNER,
        "ChecksumAlgorithm": upload.algorithm.upper() or None,
        "ChecksumType": upload.kind if upload.algorithm else None,
    }
