"""What a training job reads and where it writes: looked at before the job is recorded.

A job whose data cannot be used would fail anyway, and only after its hosts had started.
"""

from __future__ import annotations

from sagelet.artifacts.access import S3Access
from sagelet.artifacts.choosing import check
from sagelet.artifacts.files import Artifacts
from sagelet.artifacts.uris import FileUri, S3Uri, parse_uri
from sagelet.control.documents import training_jobs as documents
from sagelet.domain.account import Account
from sagelet.domain.training import Channel, TrainingJob
from sagelet.errors import InvalidRequest, ModelDataMissing


def check_data(artifacts: Artifacts, job: TrainingJob, *, account: Account) -> None:
    """Refuse a job whose channels have no data, or whose output has no bucket.

    Nobody waits here for AWS's own buckets: the job's runner asks them before anything starts.

    Raises:
        InvalidRequest: in AWS's words where they are known.
    """
    is_aws = S3Access.of(job.environment).is_aws
    if not is_aws:
        _require_place(artifacts, "S3OutputPath", parse_uri(job.output_uri))
    if not is_aws and job.checkpoints is not None:
        _require_place(artifacts, "CheckpointConfig.S3Uri", parse_uri(job.checkpoints.uri))
    for channel in job.channels:
        if isinstance(parse_uri(channel.uri), FileUri) or not is_aws:
            _require_data(artifacts, channel, job, account)


def _require_place(artifacts: Artifacts, member: str, uri: S3Uri | FileUri) -> None:
    # Found out only after training, it would cost the training.
    if isinstance(uri, S3Uri) and not artifacts.takes(uri):
        raise InvalidRequest(
            message=f'The bucket "{uri.bucket}" of {member} "{uri}" does not exist; '
            f"create it first, for example with `aws s3 mb s3://{uri.bucket}`."
        )


def _require_data(
    artifacts: Artifacts, channel: Channel, job: TrainingJob, account: Account
) -> None:
    uri = parse_uri(channel.uri)
    try:
        if check(artifacts, uri, channel.data_type):
            return
    except ModelDataMissing:
        pass
    except (InvalidRequest, OSError) as error:
        raise InvalidRequest(message=f"Input channel {channel.name}: {error}") from error
    if isinstance(uri, FileUri):
        raise InvalidRequest(message=f'No files found under "{uri}" given in input data source.')
    role = documents.role_of(job, account=account)
    raise InvalidRequest(
        message=f'No S3 objects found under S3 URL "{uri}" given in input data source. Please '
        f"ensure that the bucket exists in the selected region ({account.region}), that "
        f'objects exist under that S3 prefix, and that the role "{role}" has "s3:ListBucket" '
        f'permissions on bucket "{uri.bucket}".'
    )
