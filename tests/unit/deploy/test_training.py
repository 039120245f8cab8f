from __future__ import annotations

import tarfile

import pytest

from sagelet.deploy.documents import hyperparameters
from sagelet.deploy.executor import Executor
from sagelet.deploy.model_data import Source
from sagelet.deploy.plan import sentence
from sagelet.deploy.training import Asked, Training, plan_training
from sagelet.domain.distribution import Distribution
from sagelet.errors import BadConfig, InvalidRequest, WrongAccount
from tests.fakes import FakeRemote, HeldClock
from tests.unit.deploy.projects import Project


@pytest.fixture
def remote() -> FakeRemote:
    return FakeRemote(region="eu-west-1")


def plan(
    project: Project, remote: FakeRemote, environment: str, asked: Asked | None = None
) -> Training:
    source = Source(project.config, project.settings(environment), remote, "clf")
    return plan_training(source, HeldClock(), asked or Asked())


def run(project: Project, remote: FakeRemote, environment: str) -> Training:
    training = plan(project, remote, environment)
    Executor(remote, on_step=lambda _step: None).run(training.plan)
    return training


def test_a_local_job_reads_its_channels_where_they_are(
    project: Project, remote: FakeRemote
) -> None:
    training = run(project, remote, "local")
    job = remote.jobs[training.job.name]
    assert job.channels == {"training": (project.root / "data").as_uri()}
    assert job.program == "train.py"
    assert job.hyperparameters == {"epochs": 10, "name": "resnet"}
    assert job.environment == {"DEPLOY_ENV": "local"}
    assert job.output_url == "s3://sagelet-eu-west-1-000000000000/clf/jobs"
    assert remote.uploads == [job.source_url.removeprefix("s3://sagelet-eu-west-1-000000000000/")]
    assert training.standing is None


def test_the_source_is_packed_with_its_layout(project: Project, remote: FakeRemote) -> None:
    run(project, remote, "local")
    (archive,) = (project.root / ".sagelet" / "local" / "sources").glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        names = tar.getnames()
    assert "train.py" in names
    assert "text_classification/predict.py" in names
    assert not [name for name in names if name.startswith(("data", "experiments", ".sagelet"))]


def test_a_remote_job_gets_its_channels_uploaded(project: Project, remote: FakeRemote) -> None:
    training = run(project, remote, "production")
    url = training.job.channels["training"]
    bucket = "sagelet-eu-west-1-123456789012"
    prefix = url.removeprefix(f"s3://{bucket}/")
    assert prefix.endswith("/")
    assert set(remote.object_sizes(bucket, prefix)) == {f"{prefix}a.csv", f"{prefix}sub/b.csv"}
    assert training.job.instance_type == "ml.m5.xlarge"
    assert training.standing is not None


def test_a_second_job_with_the_same_data_uploads_nothing(
    project: Project, remote: FakeRemote
) -> None:
    first = run(project, remote, "production")
    remote.uploads.clear()
    second = run(project, remote, "production")
    assert remote.uploads == []
    assert second.job.name != first.job.name
    project.write("data/a.csv", "5,6\n")
    third = run(project, remote, "production")
    assert third.job.channels != first.job.channels
    assert len(remote.uploads) == 2


def test_an_upload_that_was_cut_short_goes_on(project: Project, remote: FakeRemote) -> None:
    training = run(project, remote, "production")
    bucket, _, prefix = training.job.channels["training"].removeprefix("s3://").partition("/")
    remote.objects[bucket, f"{prefix}a.csv"] = b""
    remote.uploads.clear()
    run(project, remote, "production")
    assert remote.uploads == [f"{prefix}a.csv"]


def test_what_was_asked_for_is_laid_over_the_configuration(
    project: Project, remote: FakeRemote
) -> None:
    asked = Asked("my-job", hosts=3, hyperparameters={"epochs": 1})
    job = plan(project, remote, "local", asked).job
    assert (job.name, job.hosts) == ("my-job", 3)
    assert job.hyperparameters == {"epochs": 1, "name": "resnet"}


def test_several_processes_are_started_as_torch_starts_them(
    project: Project, remote: FakeRemote
) -> None:
    alone = plan(project, remote, "local").job
    assert alone.distribution is Distribution.NONE
    hosts = plan(project, remote, "local", Asked(hosts=2)).job
    assert (hosts.distribution, hosts.processes) == (Distribution.TORCH_DISTRIBUTED, None)
    none = Asked(hosts=2, distribution=Distribution.NONE)
    assert plan(project, remote, "local", none).job.distribution is Distribution.NONE

    project.replace("train:\n", "train:\n  hosts: 2\n  processes: 4\n  distribution: mpi\n")
    written = plan(project, remote, "local")
    assert (written.job.hosts, written.job.processes) == (2, 4)
    assert written.job.distribution is Distribution.MPI
    assert "(2 x ml.m5.xlarge, 4 processes each, mpi)" in sentence(written.plan.steps[-1])
    assert plan(project, remote, "local", Asked(processes=3)).job.processes == 3


def test_a_distribution_is_told_as_the_sdk_tells_it(project: Project, remote: FakeRemote) -> None:
    asked = Asked("my-job", hosts=2, processes=2)
    told = hyperparameters(plan(project, remote, "local", asked).job)
    assert told["sagemaker_torch_distributed_enabled"] == "true"
    assert told["sagemaker_mpi_num_of_processes_per_host"] == "2"
    assert told["sagemaker_instance_type"] == '"ml.m5.xlarge"'


def test_several_processes_need_something_that_starts_them(
    project: Project, remote: FakeRemote
) -> None:
    asked = Asked(processes=2, distribution=Distribution.NONE)
    with pytest.raises(InvalidRequest, match="2 processes on a host need a distribution"):
        plan(project, remote, "local", asked)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("distribution: horovod", r"train\.distribution: .*'torch_distributed', 'mpi'"),
        ("processes: 0", r"train\.processes: "),
    ],
)
def test_a_distribution_that_is_none_names_its_line(project: Project, line: str, said: str) -> None:
    project.replace("train:\n", f"train:\n  {line}\n")
    with pytest.raises(BadConfig, match=said):
        _ = project.config


def test_channels_may_be_urls(project: Project, remote: FakeRemote) -> None:
    project.replace(
        "{training: data/}", "{a: 's3://other/prefix', b: 'file://data/sub', c: data/a.csv}"
    )
    local = plan(project, remote, "local").job.channels
    assert local["a"] == "s3://other/prefix"
    assert local["b"] == (project.root / "data" / "sub").as_uri()
    run(project, remote, "production")
    assert any(key.endswith("/b.csv") for key in remote.uploads)
    assert any("/channels/c/" in key and key.endswith("/a.csv") for key in remote.uploads)


def test_a_missing_or_empty_channel_names_its_line(project: Project, remote: FakeRemote) -> None:
    project.replace("training: data/", "training: nowhere/")
    with pytest.raises(BadConfig, match=r"train\.channels\.training: there is no"):
        plan(project, remote, "local")
    (project.root / "nowhere").mkdir()
    with pytest.raises(BadConfig, match="there is nothing in"):
        plan(project, remote, "production")


def test_training_outside_this_machine_needs_an_instance_type(
    project: Project, remote: FakeRemote
) -> None:
    project.replace("  instance_type: ml.m5.xlarge\n", "")
    assert plan(project, remote, "local").job.instance_type == "local"
    with pytest.raises(BadConfig, match="`instance_type:`"):
        plan(project, remote, "production")


def test_a_serving_image_does_not_train_and_another_does(
    project: Project, remote: FakeRemote
) -> None:
    assert plan(project, remote, "production").job.image == "my/image"
    project.replace("my/image", "x/pytorch-inference:1")
    assert "/pytorch-training:" in plan(project, remote, "production").job.image


def test_another_account_is_refused(project: Project, remote: FakeRemote) -> None:
    project.replace("image: my/image}", "account: '999999999999'}")
    with pytest.raises(WrongAccount):
        plan(project, remote, "production")


def test_a_local_job_with_awss_buckets_needs_one_of_them(
    project: Project, remote: FakeRemote
) -> None:
    project.replace("instance_type: local", "instance_type: local, s3: aws")
    with pytest.raises(BadConfig, match="`bucket:` is missing: with `s3: aws`"):
        plan(project, remote, "local")
    project.replace("s3: aws", "s3: aws, bucket: mine")
    job = plan(project, remote, "local").job
    assert job.output_url == "s3://mine/clf/jobs"
    assert job.channels == {"training": (project.root / "data").as_uri()}


def test_an_interrupted_job_keeps_its_checkpoints_in_a_place_of_its_own(
    project: Project, remote: FakeRemote
) -> None:
    asked = Asked("my-job", interrupt_after_s=30)
    job = plan(project, remote, "local", asked).job
    assert job.interrupt_after_s == 30
    assert job.checkpoints_url == "s3://sagelet-eu-west-1-000000000000/clf/checkpoints/my-job"
    assert plan(project, remote, "local").job.checkpoints_url is None


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("s3://other/prefix", "s3://other/prefix"),
        ("file:///there/ckpt", "file:///there/ckpt"),
        ("ckpt", "{project}/ckpt"),
    ],
)
def test_checkpoints_lie_where_the_configuration_says(
    project: Project, remote: FakeRemote, written: str, url: str
) -> None:
    project.replace("channels: {training: data/}", f"checkpoints: {written!r}")
    job = plan(project, remote, "local", Asked(interrupt_after_s=1)).job
    assert job.checkpoints_url == url.format(project=project.root.as_uri())


def test_on_aws_checkpoints_lie_in_s3(project: Project, remote: FakeRemote) -> None:
    project.replace("channels: {training: data/}", "checkpoints: ckpt")
    with pytest.raises(BadConfig, match="s3://"):
        plan(project, remote, "production")
