from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sagelet.deploy.observe import JobSeen, Seen
from sagelet.deploy.plan import (
    CreateBucket,
    CreateEndpoint,
    CreateEndpointConfig,
    CreateModel,
    DeleteFailedEndpoint,
    KeepAsIs,
    StageModel,
    StartTrainingJob,
    UpdateEndpoint,
    UploadArchive,
    UploadFolder,
    make_plan,
    make_training_plan,
    sentence,
)
from sagelet.deploy.remote import EndpointSeen, WantedEndpointConfig, WantedJob, WantedModel
from sagelet.deploy.wanted import Upload, Wanted
from sagelet.errors import Busy

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TAGS = {"sagelet:project": "p"}
MODEL = WantedModel("clf-1", "image", "s3://b/k", "role", {})
CONFIG = WantedEndpointConfig("clf-2", "clf-1", "ml.m5.large")
UPLOAD = Upload(Path(__file__), "b", "k")
WANTED = Wanted("clf", MODEL, CONFIG, UPLOAD, TAGS)
NOTHING = Seen(False, False, False, False, None)
ALL = Seen(True, True, True, True, EndpointSeen("clf", "InService", "clf-2", NOW))


def endpoint(status: str, config: str = "old", reason: str | None = None) -> Seen:
    return replace(ALL, endpoint=EndpointSeen("clf", status, config, NOW, reason))


def kinds(wanted: Wanted, seen: Seen) -> list[type]:
    return [type(step) for step in make_plan(wanted, seen).steps]


def test_where_nothing_is_there_everything_is_made() -> None:
    assert kinds(WANTED, NOTHING) == [
        CreateBucket,
        UploadArchive,
        CreateModel,
        CreateEndpointConfig,
        CreateEndpoint,
    ]


def test_where_everything_is_there_nothing_is_done() -> None:
    plan = make_plan(WANTED, ALL)
    assert {type(step) for step in plan.steps} == {KeepAsIs}
    assert plan.changes == ()


def test_an_endpoint_on_another_configuration_is_updated_not_deleted() -> None:
    steps = make_plan(WANTED, endpoint("InService")).changes
    assert steps == (UpdateEndpoint("clf", "clf-2", replaces="old"),)


def test_a_failed_endpoint_is_deleted_first_since_nothing_else_is_allowed() -> None:
    steps = make_plan(WANTED, endpoint("Failed", reason="no ping")).changes
    assert steps == (DeleteFailedEndpoint("clf", "no ping"), CreateEndpoint("clf", "clf-2", TAGS))


@pytest.mark.parametrize("status", ["Creating", "Updating", "Deleting", "RollingBack"])
def test_an_endpoint_in_progress_cannot_be_planned_for(status: str) -> None:
    with pytest.raises(Busy):
        make_plan(WANTED, endpoint(status))


def test_an_interrupted_deployment_goes_on_where_it_stopped() -> None:
    seen = replace(NOTHING, bucket_exists=True, source_exists=True, model_exists=True)
    assert [type(step) for step in make_plan(WANTED, seen).changes] == [
        CreateEndpointConfig,
        CreateEndpoint,
    ]


def test_a_bucket_that_is_there_is_not_made() -> None:
    assert kinds(WANTED, replace(NOTHING, bucket_exists=True))[0] is UploadArchive


def test_existing_data_needs_no_upload() -> None:
    assert kinds(replace(WANTED, source=None), NOTHING)[0] is CreateModel


JOB = WantedJob(
    name="clf-job",
    image="image",
    role="role",
    program="train.py",
    source_url="s3://b/k",
    output_url="s3://b/out",
    region="us-east-1",
    instance_type="ml.m5.xlarge",
    hosts=2,
    hyperparameters={},
    channels={},
    metrics={},
)


def test_a_training_plan_uploads_what_is_missing_and_starts_the_job() -> None:
    missing = UploadFolder("s3://b/c/", "b", {"c/a": Path("a")})
    there = UploadFolder("s3://b/d/", "b", {})
    steps = make_training_plan(JOB, UPLOAD, (missing, there), JobSeen(False, False), TAGS).steps
    assert steps == (
        CreateBucket("b"),
        UploadArchive(UPLOAD),
        missing,
        KeepAsIs("channel", "s3://b/d/"),
        StartTrainingJob(JOB, TAGS),
    )
    steps = make_training_plan(JOB, UPLOAD, (), JobSeen(True, True), TAGS).steps
    assert steps == (KeepAsIs("archive", "s3://b/k"), StartTrainingJob(JOB, TAGS))


def test_every_step_has_words() -> None:
    steps = (
        *make_plan(WANTED, NOTHING).steps,
        *make_plan(WANTED, endpoint("Failed", reason="no ping")).steps,
        UpdateEndpoint("clf", "new", "old"),
        UploadFolder("s3://b/c/", "b", {"c/a": Path("a")}),
        StartTrainingJob(JOB, TAGS),
    )
    said = [sentence(step) for step in steps]
    assert "create endpoint clf" in said
    assert "update endpoint clf from old to new" in said
    assert "delete endpoint clf, which failed: no ping" in said
    assert "create endpoint configuration clf-2 (1 x ml.m5.large)" in said
    assert "start training job clf-job (2 x ml.m5.xlarge)" in said
    assert StageModel not in {type(step) for step in steps}
