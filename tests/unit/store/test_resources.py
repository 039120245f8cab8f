from __future__ import annotations

from datetime import timedelta

import pytest

from sagelet.domain.training import Channel, Cluster, MetricDefinition, TrainingJobStatus
from sagelet.errors import (
    AlreadyExists,
    EndpointConfigNotFound,
    EndpointNotFound,
    ModelNotFound,
    TrainingJobNotFound,
)
from sagelet.store.store import Store
from tests.builders import (
    ACCOUNT,
    BEGINNING,
    a_job,
    a_model,
    a_serving,
    a_store,
    an_endpoint,
    an_endpoint_config,
)


@pytest.fixture
def store() -> Store:
    return a_store()


def test_what_was_put_is_read_back_equal(store: Store) -> None:
    model = a_model(environment={"SAGEMAKER_PROGRAM": "inference.py", "ü": "é"})
    config = an_endpoint_config()
    endpoint = an_endpoint(serving=a_serving(an_endpoint_config("sentiment-0")))
    job = a_job(
        status=TrainingJobStatus.COMPLETED,
        channels=(Channel("a", "s3://b/c", content_type="text/csv"), Channel("b", "file:///d")),
        cluster=Cluster.of(2, "local"),
        metrics=(MetricDefinition("loss", "loss: ([0-9.]+)"),),
    )

    with store.writing() as tx:
        tx.models.put(model)
        tx.endpoint_configs.put(config)
        tx.endpoints.put(endpoint)
        tx.training_jobs.put(job)

    with store.reading() as snapshot:
        assert snapshot.models.get("sentiment") == model
        assert snapshot.endpoint_configs.get("sentiment-1") == config
        assert snapshot.endpoints.get("sentiment") == endpoint
        assert snapshot.training_jobs.get("train-1") == job


def test_times_keep_their_microseconds(store: Store) -> None:
    at = BEGINNING + timedelta(microseconds=123457)

    with store.writing() as tx:
        tx.models.put(a_model(created_at=at))

    with store.reading() as snapshot:
        assert snapshot.models.get("sentiment").created_at == at


def test_put_replaces_and_add_refuses_what_is_there(store: Store) -> None:
    with store.writing() as tx:
        tx.models.add(a_model(data_url="s3://models/one"))
        tx.models.put(a_model(data_url="s3://models/two"))

    with store.writing() as tx, pytest.raises(AlreadyExists) as caught:
        tx.models.add(a_model())

    assert (caught.value.kind, caught.value.name) == ("model", ACCOUNT.arn("model", "sentiment"))
    with store.reading() as snapshot:
        assert snapshot.models.get("sentiment").data_url == "s3://models/two"


def test_a_name_is_taken_whatever_its_case_and_keeps_the_case_it_came_in(store: Store) -> None:
    with store.writing() as tx:
        tx.endpoints.add(an_endpoint("Sentiment"))

    with store.writing() as tx, pytest.raises(AlreadyExists):
        tx.endpoints.add(an_endpoint("sentiment"))

    with store.reading() as snapshot:
        assert snapshot.endpoints.get("SENTIMENT").name == "Sentiment"


def test_each_family_names_what_it_misses_by_arn(store: Store) -> None:
    with store.reading() as snapshot:
        with pytest.raises(ModelNotFound, match="us-east-1:000000000000:model/gone"):
            snapshot.models.get("Gone")
        with pytest.raises(EndpointConfigNotFound, match=":endpoint-config/gone"):
            snapshot.endpoint_configs.get("gone")
        with pytest.raises(EndpointNotFound, match=":endpoint/gone"):
            snapshot.endpoints.get("gone")
        with pytest.raises(TrainingJobNotFound, match=":training-job/gone"):
            snapshot.training_jobs.get("gone")
        assert snapshot.models.find("gone") is None


def test_what_was_removed_is_gone(store: Store) -> None:
    with store.writing() as tx:
        tx.models.put(a_model())
    with store.writing() as tx:
        tx.models.remove("sentiment")

    with store.reading() as snapshot:
        assert snapshot.models.find("sentiment") is None
    with store.writing() as tx, pytest.raises(ModelNotFound):
        tx.models.remove("sentiment")


def test_running_jobs_are_found_for_a_restart(store: Store) -> None:
    with store.writing() as tx:
        for job_status in TrainingJobStatus:
            tx.training_jobs.put(a_job(f"j-{job_status}", status=job_status))

    with store.reading() as snapshot:
        running = {job.name for job in snapshot.training_jobs.running()}

    assert running == {"j-InProgress", "j-Stopping"}


def test_all_gives_every_resource_oldest_first(store: Store) -> None:
    with store.writing() as tx:
        for number in (2, 0, 1):
            made = BEGINNING + timedelta(seconds=number)
            tx.models.put(a_model(f"m{number}", created_at=made))

    with store.reading() as snapshot:
        assert [model.name for model in snapshot.models.all()] == ["m0", "m1", "m2"]


def test_tags_are_set_read_and_removed_by_arn(store: Store) -> None:
    with store.writing() as tx:
        tx.models.put(a_model())
        tx.tags.put(a_model().arn, {"team": "nlp", "cost": "1"})
        tx.tags.put(a_model().arn, {"team": "vision"})
        tx.tags.remove(a_model().arn, ["cost", "never there"])

    with store.reading() as snapshot:
        assert snapshot.tags.of(a_model().arn) == {"team": "vision"}
        assert snapshot.tags.of("arn:other") == {}


def test_a_resource_takes_its_tags_along(store: Store) -> None:
    endpoint = an_endpoint()
    with store.writing() as tx:
        tx.endpoints.put(endpoint)
        tx.tags.put(endpoint.arn, {"team": "nlp"})
    with store.writing() as tx:
        tx.endpoints.remove(endpoint.name)

    with store.reading() as snapshot:
        assert snapshot.tags.of(endpoint.arn) == {}
