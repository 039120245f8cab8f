"""What `sagelet train` does before the job runs: source and channels to where the job finds them.

    source      <bucket>/<name>/source/<hash>/sourcedir.tar.gz
    channels    local: file:// URLs of the folders
                remote: <bucket>/<name>/channels/<channel>/<hash>/
    output      <bucket>/<name>/jobs/<job>/output/model.tar.gz

A prefix holds the hash of its content, so it never changes under a job that reads it, and a second
job with the same data uploads nothing. An upload that was cut short goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sagelet.artifacts.hashes import tree_hash
from sagelet.artifacts.trees import members_of
from sagelet.artifacts.uris import FileUri, parse_uri
from sagelet.deploy import guards, names
from sagelet.deploy.guards import Standing
from sagelet.deploy.images import Image, image_for
from sagelet.deploy.model_data import Source
from sagelet.deploy.observe import observe_upload
from sagelet.deploy.packaging import Package, packed, source_package, working_folder
from sagelet.deploy.plan import Plan, UploadFolder, make_training_plan
from sagelet.deploy.remote import WantedJob
from sagelet.deploy.roles import role_of
from sagelet.deploy.versions import project_versions
from sagelet.deploy.wanted import Upload
from sagelet.domain.clock import Clock
from sagelet.domain.distribution import Distribution
from sagelet.environments.config import TrainSettings
from sagelet.environments.containers import absolute_file_url
from sagelet.errors import InvalidRequest

_HASH = 16
_LOCAL_INSTANCE = "local"


@dataclass(frozen=True, slots=True)
class Training:
    """A training job that was planned and not started.

    `note` tells how its image differs from the project. `standing` is None in a local environment.
    """

    job: WantedJob
    plan: Plan
    note: str
    standing: Standing | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asks of one job, over the configuration."""

    job_name: str | None = None
    hosts: int | None = None
    hyperparameters: Mapping[str, object] = field(default_factory=dict)
    interrupt_after_s: int | None = None
    processes: int | None = None
    distribution: Distribution | None = None


def plan_training(source: Source, clock: Clock, asked: Asked) -> Training:
    """Pack the source, look what is uploaded already, and plan the rest.

    Raises:
        ConfigError: the configuration does not say what to train, on what, or names what is not
            there.
        WrongAccount: the credentials are another account's.
        RemoteError: the API refused to say what is there.
    """
    config, settings, remote = source.config, source.settings, source.remote
    train = config.require_train()
    instance_type = _instance_type(source, train)
    standing = None if settings.is_local else guards.check(settings, remote)
    package = source_package(config)
    bucket = source.bucket()
    upload = _source_upload(source, package, bucket)
    channels, folders = _channels(source, train, bucket)
    image = _image(source, instance_type)
    hosts = asked.hosts or train.hosts
    name = asked.job_name or names.job_name(source.endpoint, clock.now())
    job = WantedJob(
        name=name,
        image=image.uri,
        role=role_of(config, settings),
        program=package.program,
        source_url=upload.url,
        output_url=f"s3://{bucket}/{source.endpoint}/jobs",
        region=remote.region,
        instance_type=instance_type,
        hosts=hosts,
        distribution=_distribution(train, asked, package.program, hosts),
        processes=asked.processes or train.processes,
        hyperparameters={**train.hyperparameters, **asked.hyperparameters},
        channels=channels,
        metrics=train.metrics,
        environment={"DEPLOY_ENV": settings.name},
        checkpoints_url=_checkpoints(
            source, train, f"s3://{bucket}/{source.endpoint}", name, asked
        ),
        interrupt_after_s=asked.interrupt_after_s,
    )
    tags = names.tags(config.project, settings.name)
    plan = make_training_plan(job, upload, folders, observe_upload(upload, remote), tags)
    return Training(job=job, plan=plan, note=image.note, standing=standing)


def _distribution(train: TrainSettings, asked: Asked, program: str, hosts: int) -> Distribution:
    """Return how the job's processes are started: torch's way, where there are several.

    Raises:
        InvalidRequest: there are several on a host, and nothing that starts them.
    """
    processes = asked.processes or train.processes or 1
    is_many = hosts * processes > 1 and program.endswith(".py")
    default = Distribution.TORCH_DISTRIBUTED if is_many else Distribution.NONE
    told = asked.distribution or Distribution(train.distribution or default)
    if processes > 1 and told is Distribution.NONE:
        raise InvalidRequest(
            message=f"{processes} processes on a host need a distribution that starts them: "
            "torch_distributed (of a .py), mpi or pytorchddp."
        )
    return told


def _checkpoints(
    source: Source, train: TrainSettings, base: str, job: str, asked: Asked
) -> str | None:
    """Return where checkpoints are kept; a job that is interrupted has a place of its own."""
    written = train.checkpoints
    if written is None:
        return f"{base}/checkpoints/{job}" if asked.interrupt_after_s is not None else None
    if written.startswith("s3://"):
        return written
    if not source.settings.is_local:
        raise source.config.problem(
            ("train", "checkpoints"), "outside this machine it has to be an s3:// URL"
        )
    if written.startswith("file://"):
        return absolute_file_url(written, source.config.project)
    return source.config.path(written).as_uri()


def _source_upload(source: Source, package: Package, bucket: str) -> Upload:
    archive = packed(package, working_folder(source.config, source.settings.name) / "sources")
    key = f"{source.endpoint}/source/{package.content_hash[:_HASH]}/sourcedir.tar.gz"
    return Upload(archive, bucket, key)


def _image(source: Source, instance_type: str) -> Image:
    configured = source.settings.image
    # An environment has one `image:`; that of a model server does not train.
    if configured is not None and "inference" not in configured:
        return Image(configured)
    return image_for(
        "training",
        project_versions(source.settings.python),
        region=source.remote.region,
        instance_type=instance_type,
    )


def _instance_type(source: Source, train: TrainSettings) -> str:
    settings = source.settings
    if settings.is_local:
        return train.instance_type or settings.instance_type or _LOCAL_INSTANCE
    if train.instance_type is None:
        raise source.config.problem(
            ("train",), "`instance_type:` is missing: which instances train outside this machine?"
        )
    return train.instance_type


def _channels(
    source: Source, train: TrainSettings, bucket: str
) -> tuple[dict[str, str], tuple[UploadFolder, ...]]:
    """Return each channel's URL, and what has to be uploaded for them."""
    urls: dict[str, str] = {}
    folders = []
    for name, written in train.channels.items():
        if written.startswith("s3://"):
            urls[name] = written
            continue
        path = _channel_path(source, name, written)
        if source.settings.is_local:
            urls[name] = path.as_uri()
            continue
        folder = _upload_of(source, name, path, bucket)
        urls[name] = folder.url
        folders.append(folder)
    return urls, tuple(folders)


def _channel_path(source: Source, name: str, written: str) -> Path:
    path = source.config.path(written)
    if written.startswith("file://"):
        path = _path_of(absolute_file_url(written, source.config.project))
    if not path.exists():
        raise source.config.problem(("train", "channels", name), f"there is no {path}")
    return path


def _path_of(url: str) -> Path:
    uri = parse_uri(url)
    assert isinstance(uri, FileUri)
    return uri.path


def _upload_of(source: Source, name: str, path: Path, bucket: str) -> UploadFolder:
    members = members_of(path) if path.is_dir() else {path.name: path}
    files = {member: file for member, file in members.items() if file.is_file()}
    if not files:
        raise source.config.problem(("train", "channels", name), f"there is nothing in {path}")
    prefix = f"{source.endpoint}/channels/{name}/{tree_hash(files)[:_HASH]}/"
    there = source.remote.object_sizes(bucket, prefix)
    missing = {
        prefix + member: file
        for member, file in files.items()
        if there.get(prefix + member) != file.stat().st_size
    }
    return UploadFolder(f"s3://{bucket}/{prefix}", bucket, missing)
