"""AWS's own buckets, or an emulator's, by boto3. Nothing here ever looks into this machine's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from boto3.exceptions import S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    ResponseStreamingError,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as ConnectionBroke

from sagelet.artifacts.access import S3Access
from sagelet.artifacts.disk import CHUNK_BYTES
from sagelet.artifacts.downloads import PIECE_BYTES, TRIES, Changed, Downloads
from sagelet.artifacts.object_store import FoundObject
from sagelet.errors import (
    BucketNotFound,
    KeyNotFound,
    NoCredentials,
    RemoteRefused,
    RemoteUnreachable,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_UNREACHABLE = (
    ConnectionBroke,
    HTTPClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)
_CREDENTIALS = (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
_NO_KEY = frozenset({"404", "NoSuchKey", "NotFound"})
_CHANGED = frozenset({"412", "PreconditionFailed"})
_DEFAULT_REGION = "us-east-1"
_CONNECT_S = 10
_READ_S = 30


class AwsBuckets:
    """The buckets that an AWS account sees: an ObjectStore. What is read is kept in a folder."""

    def __init__(
        self,
        access: S3Access,
        downloads: Path,
        *,
        tell: Callable[[str], None],
    ) -> None:
        """Take the places; nobody is asked before something is needed."""
        self._access = access
        self._folder = downloads
        self._tell = tell

    def has_bucket(self, bucket: str) -> bool:
        """HeadBucket."""
        try:
            with self._translating("HeadBucket", bucket):
                self._client.head_bucket(Bucket=bucket)
        except (BucketNotFound, KeyNotFound):
            return False
        return True

    def has_key(self, bucket: str, key: str) -> bool:
        """HeadObject."""
        try:
            self.look(bucket, key)
        except KeyNotFound:
            return False
        return True

    def look(self, bucket: str, key: str) -> FoundObject:
        """HeadObject: an object's size and ETag."""
        with self._translating("HeadObject", bucket, key):
            said = self._client.head_object(Bucket=bucket, Key=key)
        return FoundObject(bucket, key, size_bytes=said["ContentLength"], etag=said["ETag"])

    def find(self, bucket: str, prefix: str) -> Iterator[FoundObject]:
        """ListObjectsV2, page by page."""
        token: dict[str, Any] = {}
        while True:
            with self._translating("ListObjectsV2", bucket):
                page = self._client.list_objects_v2(Bucket=bucket, Prefix=prefix, **token)
            for item in page.get("Contents", ()):
                yield FoundObject(bucket, item["Key"], size_bytes=item["Size"], etag=item["ETag"])
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def fetch(self, found: Iterable[FoundObject]) -> Iterator[tuple[FoundObject, Path]]:
        """GetObject, in parallel, unless they are here already."""
        return self._downloads.fetch(found)

    def path(self, bucket: str, key: str) -> Path:
        """Return the file of an object that is fetched; KeyNotFound where there is none."""
        for _, path in self.fetch([self.look(bucket, key)]):
            return path
        raise KeyNotFound(name=key)

    def folder(self, bucket: str, prefix: str) -> Path | None:
        """Return None: no folder here is a prefix there."""
        del bucket, prefix
        return None

    def put(self, bucket: str, key: str, source: Path) -> None:
        """PutObject, or a multipart upload that is aborted where it fails; three tries."""
        for tries_left in reversed(range(TRIES)):
            try:
                with self._translating("PutObject", bucket, key):
                    self._upload(bucket, key, source)
            except RemoteUnreachable:
                if not tries_left:
                    raise
            else:
                return

    def delete(self, bucket: str, key: str) -> bool:
        """DeleteObject."""
        there = self.has_key(bucket, key)
        with self._translating("DeleteObject", bucket, key):
            self._client.delete_object(Bucket=bucket, Key=key)
        return there

    def read(self, found: FoundObject, first: int, last: int) -> Iterator[bytes]:
        """GetObject: a range of one that has not changed."""
        bucket, key = found.bucket, found.key
        with self._translating("GetObject", bucket, key):
            said = self._client.get_object(
                Bucket=bucket, Key=key, Range=f"bytes={first}-{last}", IfMatch=found.etag
            )
            with closing(said["Body"]) as body:
                yield from body.iter_chunks(CHUNK_BYTES)

    def _upload(self, bucket: str, key: str, source: Path) -> None:
        config = TransferConfig(multipart_threshold=PIECE_BYTES, multipart_chunksize=PIECE_BYTES)
        try:
            self._client.upload_file(str(source), bucket, key, Config=config)
        except S3UploadFailedError as error:
            # boto3 raises it while it handles S3's own answer, which says more.
            if isinstance(error.__context__, (ClientError, BotoCoreError)):
                raise error.__context__ from error
            raise RemoteRefused("PutObject", "S3UploadFailed", str(error)) from error

    @cached_property
    def _downloads(self) -> Downloads:
        return Downloads(self._folder, self, tell=self._tell)

    @cached_property
    def _client(self) -> S3Client:
        access = self._access
        with self._translating("", ""):
            session = boto3.Session(profile_name=access.profile, region_name=access.region)
            if session.get_credentials() is None:
                raise NoCredentials(environment="", reason=self._whose("the AWS chain found none"))
            return session.client(
                "s3",
                region_name=session.region_name or _DEFAULT_REGION,
                endpoint_url=access.endpoint_url,
                config=self._config,
            )

    @property
    def _config(self) -> Config:
        options: dict[str, Any] = {
            # A shell or a profile may point at our own daemon, which this is not about.
            "ignore_configured_endpoint_urls": True,
            "connect_timeout": _CONNECT_S,
            "read_timeout": _READ_S,
            "retries": {"mode": "standard", "total_max_attempts": TRIES},
            "max_pool_connections": 20,
        }
        if self._access.endpoint_url:  # which is one host, whatever the bucket's name
            options["s3"] = {"addressing_style": "path"}
        return Config(**options)

    def _whose(self, said: str) -> str:
        profile = self._access.profile
        return f"profile {profile!r}: {said}" if profile else f"{said} (no profile is named)"

    @contextmanager
    def _translating(self, operation: str, bucket: str, key: str = "") -> Iterator[None]:
        """Raise our errors for boto3's."""
        try:
            yield
        except ClientError as error:
            raise _refused(operation, bucket, key, error) from error
        except _UNREACHABLE as error:
            address = self._access.endpoint_url or "S3"
            raise RemoteUnreachable(address=address, reason=str(error)) from error
        except _CREDENTIALS as error:
            raise NoCredentials(environment="", reason=self._whose(str(error))) from error
        except BotoCoreError as error:
            # What botocore itself found wrong with the call: it never left.
            raise RemoteRefused(operation, type(error).__name__, str(error)) from error


def _refused(operation: str, bucket: str, key: str, error: ClientError) -> Exception:
    said = error.response.get("Error", {})
    code = str(said.get("Code", "Unknown"))
    if code == "NoSuchBucket" or (code in _NO_KEY and not key):
        return BucketNotFound(name=bucket)
    if code in _NO_KEY:
        return KeyNotFound(name=key)
    if code in _CHANGED:
        return Changed(key)
    return RemoteRefused(
        operation=operation,
        code=code,
        message=f"{said.get('Message', '')} (s3://{bucket}/{key})",
        status=int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)),
    )
