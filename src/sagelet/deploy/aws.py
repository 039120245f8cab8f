"""The adapter over boto3's clients: the only module here that knows them.

AWS's errors become ours on the way out (`environments.translation`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boto3.exceptions import S3UploadFailedError
from botocore.context import with_current_context
from botocore.exceptions import ClientError
from botocore.useragent import register_feature_id

from sagelet.deploy import documents
from sagelet.deploy.remote import (
    EndpointSeen,
    Identity,
    Tags,
    WantedEndpointConfig,
    WantedJob,
    WantedModel,
    ignored,
)
from sagelet.environments.deploy_env import DeployEnv
from sagelet.environments.translation import translating
from sagelet.errors import ModelDataMissing, RemoteRefused

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

__all__ = ["AwsRemote", "translating"]

_ABSENT = ("Could not find", "Requested resource not found")
_NO_OBJECT = frozenset({"404", "NoSuchKey", "NoSuchBucket", "NotFound"})


class AwsRemote:
    """`remote.Remote` over the clients of an environment."""

    def __init__(self, env: DeployEnv) -> None:
        """Take the environment; each client is made when it is first needed."""
        self._env = env
        self._environment = env.current_env()

    @cached_property
    def region(self) -> str:
        """The region of the clients."""
        return self._env.region

    @property
    def address(self) -> str:
        """Where the SageMaker client sends its calls."""
        return self._sagemaker.meta.endpoint_url

    def identity(self) -> Identity:
        """GetCallerIdentity."""
        sts = self._env.sts_client()
        with self._translating("GetCallerIdentity"):
            said = sts.get_caller_identity()
        return Identity(account=said["Account"], arn=said["Arn"])

    def bucket_exists(self, bucket: str) -> bool:
        """HeadBucket."""
        return self._is_there("HeadBucket", partial(self._s3.head_bucket, Bucket=bucket))

    def create_bucket(self, bucket: str) -> None:
        """CreateBucket; us-east-1 is the one region that must not be named."""
        where: Any = {"LocationConstraint": self.region}
        elsewhere: Any = {} if self.region == "us-east-1" else {"CreateBucketConfiguration": where}
        with self._translating("CreateBucket"):
            self._s3.create_bucket(Bucket=bucket, **elsewhere)

    def object_version(self, bucket: str, key: str) -> str | None:
        """HeadObject."""
        try:
            with self._translating("HeadObject"):
                return self._s3.head_object(Bucket=bucket, Key=key)["ETag"].strip('"')
        except RemoteRefused as refused:
            if refused.code in _NO_OBJECT:
                return None
            raise

    def object_sizes(self, bucket: str, prefix: str) -> Mapping[str, int]:
        """ListObjectsV2, all pages; a bucket that is not there holds nothing."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        try:
            with self._translating("ListObjectsV2"):
                return {
                    item["Key"]: item["Size"] for page in pages for item in page.get("Contents", ())
                }
        except RemoteRefused as refused:
            if refused.code in _NO_OBJECT:
                return {}
            raise

    def upload(
        self, file: Path, bucket: str, key: str, *, on_bytes: Callable[[int], None] = ignored
    ) -> None:
        """PutObject, or a multipart upload that is aborted if it fails."""
        with self._translating("PutObject"):
            try:
                self._s3.upload_file(Filename=str(file), Bucket=bucket, Key=key, Callback=on_bytes)
            except S3UploadFailedError as error:
                # boto3 raises it while it handles S3's own answer, which says more.
                if isinstance(error.__context__, ClientError):
                    raise error.__context__ from error
                raise RemoteRefused("PutObject", "S3UploadFailed", str(error)) from error

    def download(self, bucket: str, key: str, file: Path) -> None:
        """GetObject, in parts where it is large."""
        try:
            with self._translating("GetObject"):
                self._s3.download_file(Bucket=bucket, Key=key, Filename=str(file))
        except RemoteRefused as refused:
            if refused.code in _NO_OBJECT:
                raise ModelDataMissing(uri=f"s3://{bucket}/{key}") from refused
            raise

    def artifact_of(self, job: str) -> str | None:
        """DescribeTrainingJob."""
        try:
            with self._translating("DescribeTrainingJob"):
                said: Any = self._sagemaker.describe_training_job(TrainingJobName=job)
        except RemoteRefused as refused:
            if refused.message.startswith(_ABSENT):
                return None
            raise
        artifact: str | None = said.get("ModelArtifacts", {}).get("S3ModelArtifacts")
        return artifact

    def latest_job(self, prefix: str) -> str | None:
        """ListTrainingJobs, the newest first."""
        pages = self._sagemaker.get_paginator("list_training_jobs").paginate(
            NameContains=prefix,
            StatusEquals="Completed",
            SortBy="CreationTime",
            SortOrder="Descending",
        )
        with self._translating("ListTrainingJobs"):
            for page in pages:
                for job in page["TrainingJobSummaries"]:
                    if job["TrainingJobName"].startswith(prefix):
                        return job["TrainingJobName"]
        return None

    def model_exists(self, name: str) -> bool:
        """DescribeModel."""
        return self._is_there(
            "DescribeModel", partial(self._sagemaker.describe_model, ModelName=name)
        )

    def create_model(self, model: WantedModel, tags: Tags) -> None:
        """CreateModel."""
        with self._translating("CreateModel"):
            self._sagemaker.create_model(**documents.create_model(model, tags))

    def endpoint_config_exists(self, name: str) -> bool:
        """DescribeEndpointConfig."""
        return self._is_there(
            "DescribeEndpointConfig",
            partial(self._sagemaker.describe_endpoint_config, EndpointConfigName=name),
        )

    def create_endpoint_config(self, config: WantedEndpointConfig, tags: Tags) -> None:
        """CreateEndpointConfig."""
        with self._translating("CreateEndpointConfig"):
            self._sagemaker.create_endpoint_config(**documents.create_endpoint_config(config, tags))

    def find_endpoint(self, name: str, *, held: bool = False) -> EndpointSeen | None:
        """DescribeEndpoint; `held` calls say that they come from a waiter, which is true."""
        describe = partial(self._sagemaker.describe_endpoint, EndpointName=name)
        try:
            with self._translating("DescribeEndpoint"):
                said: Mapping[str, Any] = _as_waiter(describe) if held else describe()
        except RemoteRefused as refused:
            if refused.message.startswith(_ABSENT):
                return None
            raise
        return EndpointSeen(
            name=said["EndpointName"],
            status=said["EndpointStatus"],
            config_name=said.get("EndpointConfigName", ""),
            last_modified_at=said["LastModifiedTime"],
            failure_reason=said.get("FailureReason"),
        )

    def create_endpoint(self, name: str, config_name: str, tags: Tags) -> None:
        """CreateEndpoint."""
        listed: Any = documents.tag_list(tags)
        with self._translating("CreateEndpoint"):
            self._sagemaker.create_endpoint(
                EndpointName=name, EndpointConfigName=config_name, Tags=listed
            )

    def update_endpoint(self, name: str, config_name: str) -> None:
        """UpdateEndpoint."""
        with self._translating("UpdateEndpoint"):
            self._sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config_name)

    def delete_endpoint(self, name: str) -> None:
        """DeleteEndpoint."""
        with self._translating("DeleteEndpoint"):
            self._sagemaker.delete_endpoint(EndpointName=name)

    def create_training_job(self, job: WantedJob, tags: Tags) -> None:
        """CreateTrainingJob."""
        with self._translating("CreateTrainingJob"):
            self._sagemaker.create_training_job(**documents.create_training_job(job, tags))

    @cached_property
    def _sagemaker(self) -> SageMakerClient:
        return self._env.client()

    @cached_property
    def _s3(self) -> S3Client:
        return self._env.s3_client()

    def _translating(self, operation: str) -> Any:  # noqa: ANN401  a context manager
        return translating(operation, environment=self._environment)

    def _is_there(self, operation: str, ask: partial[Any]) -> bool:
        try:
            with self._translating(operation):
                ask()
        except RemoteRefused as refused:
            if refused.code in _NO_OBJECT or refused.message.startswith(_ABSENT):
                return False
            raise
        return True


@with_current_context(partial(register_feature_id, "WAITER"))
def _as_waiter(describe: partial[Any]) -> Mapping[str, Any]:
    # The feature is botocore's own mark of its waiters; the local server holds their calls.
    said: Mapping[str, Any] = describe()
    return said
