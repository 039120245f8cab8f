"""Operations on buckets themselves."""

from __future__ import annotations

import re

from sagelet.artifacts.keys import is_bucket_name
from sagelet.artifacts.objects import DEFAULT_REGION, Buckets
from sagelet.artifacts.stored import Bucket
from sagelet.buckets.exchange import Document, S3Answer, S3Request
from sagelet.buckets.tokens import read_token, write_token
from sagelet.errors import AlreadyExists
from sagelet.wire.faults import Fault

OWNER = {"DisplayName": "sagelet", "ID": "0" * 64}
"""Who owns everything; S3 names owners by 64 hex digits."""

_REGION = re.compile(r"[a-z]{2}(-[a-z0-9]+){1,6}")
_MOST_BUCKETS = 10_000


class BucketOperations:
    """Create, describe, list and delete buckets. Every method blocks."""

    def __init__(self, buckets: Buckets) -> None:
        """Use these buckets."""
        self._buckets = buckets

    def list_buckets(self, request: S3Request) -> S3Answer:
        """Answer ListBuckets."""
        document = request.document
        limit = int(document.get("MaxBuckets") or _MOST_BUCKETS)
        after = read_token(request.text("ContinuationToken"))
        region = document.get("BucketRegion")
        found = [
            bucket
            for bucket in self._buckets.list_buckets()
            if bucket.name.startswith(request.text("Prefix"))
            and bucket.name > after
            and region in (None, bucket.region)
        ]
        page = found[:limit]
        more = len(found) > limit and page
        return S3Answer(
            {
                "Owner": OWNER,
                "Buckets": [_listed(bucket) for bucket in page],
                "ContinuationToken": write_token(page[-1].name) if more else None,
                "Prefix": document.get("Prefix"),
            }
        )

    def create_bucket(self, request: S3Request) -> S3Answer:
        """Answer CreateBucket; an existing bucket is refused in every region."""
        name = request.bucket
        if not is_bucket_name(name):
            raise Fault(
                "InvalidBucketName", 400, "The specified bucket is not valid.", {"BucketName": name}
            )
        try:
            self._buckets.create_bucket(name, _region(request.document))
        except AlreadyExists as error:
            raise Fault(
                "BucketAlreadyOwnedByYou",
                409,
                "Your previous request to create the named bucket succeeded "
                "and you already own it.",
                {"BucketName": name},
            ) from error
        return S3Answer({"Location": f"/{name}"})

    def head_bucket(self, request: S3Request) -> S3Answer:
        """Answer HeadBucket."""
        bucket = self._buckets.head_bucket(request.bucket)
        return S3Answer({"BucketRegion": bucket.region, "AccessPointAlias": False})

    def get_bucket_location(self, request: S3Request) -> S3Answer:
        """Answer GetBucketLocation; S3's first region has no name."""
        region = self._buckets.head_bucket(request.bucket).region
        return S3Answer({"LocationConstraint": None if region == DEFAULT_REGION else region})

    def delete_bucket(self, request: S3Request) -> S3Answer:
        """Answer DeleteBucket."""
        self._buckets.delete_bucket(request.bucket)
        return S3Answer(status=204)


def _listed(bucket: Bucket) -> Document:
    return {"Name": bucket.name, "CreationDate": bucket.created, "BucketRegion": bucket.region}


def _region(document: Document) -> str:
    configuration = document.get("CreateBucketConfiguration") or {}
    region = str(configuration.get("LocationConstraint") or DEFAULT_REGION)
    if region == "EU":
        return "eu-west-1"
    if not _REGION.fullmatch(region):
        raise Fault(
            "InvalidLocationConstraint",
            400,
            "The specified location-constraint is not valid",
            {"LocationConstraint": region[:64]},
        )
    return region
