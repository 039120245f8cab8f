"""boto3's own waiters, which ask every 30 s or 120 s, come back as soon as the work has ended."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from tests.end_to_end.local_aws import LocalAws

WORKING = """
import time
print("working", flush=True)
time.sleep({seconds})
"""
SLOW_TO_LOAD = """
import time

def model_fn(model_dir):
    time.sleep(1.5)
    {then}

def transform_fn(model, data, content_type, accept):
    return data, accept
"""
WITHIN_S = 1.0
LONG_S = 17
"""Longer than a client that is held is left without a word."""


def a_job(local: LocalAws, name: str, folder: Path, seconds: float) -> None:
    source = folder / "source"
    source.mkdir()
    (source / "train.py").write_text(WORKING.format(seconds=seconds))
    local.train(name, source)


def wait_for_job(local: LocalAws, name: str) -> float:
    """Wait for a job with boto3's waiter; return how long after the job's end it came back."""
    local.sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=name)
    back = time.time()
    described = local.sagemaker.describe_training_job(TrainingJobName=name)
    training = next(
        each for each in described["SecondaryStatusTransitions"] if each["Status"] == "Training"
    )
    # The script's end: what comes after it, packing and uploading, is part of the second.
    return back - float(training["EndTime"].timestamp())


@pytest.fixture(scope="module")
def long_wait(local: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Future[float]]:
    """A waiter on a job that runs on while the other tests of this story do."""
    a_job(local, "waited-for-long", tmp_path_factory.mktemp("long"), LONG_S)
    with ThreadPoolExecutor() as threads:
        yield threads.submit(wait_for_job, local, "waited-for-long")


@pytest.mark.usefixtures("long_wait")
def test_a_person_who_asks_is_answered_at_once(local: LocalAws) -> None:
    started = time.monotonic()
    described = local.sagemaker.describe_training_job(TrainingJobName="waited-for-long")
    assert time.monotonic() - started < WITHIN_S
    assert described["TrainingJobStatus"] == "InProgress"


def test_the_waiter_of_a_job_comes_back_within_a_second_of_its_end(
    local: LocalAws, tmp_path: Path
) -> None:
    a_job(local, "waited-for", tmp_path, 3)
    assert wait_for_job(local, "waited-for") < WITHIN_S


def test_the_waiter_of_an_endpoint_comes_back_within_a_second_of_its_start(
    local: LocalAws, tmp_path: Path
) -> None:
    (tmp_path / "inference.py").write_text(SLOW_TO_LOAD.format(then="return 'model'"))
    local.deploy("waited-for", tmp_path)
    local.wait_in_service("waited-for")
    back = time.time()
    described = local.sagemaker.describe_endpoint(EndpointName="waited-for")
    assert described["EndpointStatus"] == "InService"
    assert back - described["LastModifiedTime"].timestamp() < WITHIN_S
    local.sagemaker.delete_endpoint(EndpointName="waited-for")
    local.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="waited-for")


def test_the_waiter_of_an_endpoint_that_fails_says_so_at_once(
    local: LocalAws, tmp_path: Path
) -> None:
    (tmp_path / "inference.py").write_text(SLOW_TO_LOAD.format(then="raise ValueError('no')"))
    local.deploy("waited-for-in-vain", tmp_path)
    with pytest.raises(WaiterError) as caught:
        local.wait_in_service("waited-for-in-vain")
    back = time.time()
    described: Any = caught.value.last_response
    assert described["EndpointStatus"] == "Failed"
    assert back - described["LastModifiedTime"].timestamp() < WITHIN_S


def test_a_waiter_that_waits_for_long_hears_of_the_end_as_soon(long_wait: Future[float]) -> None:
    assert long_wait.result(3 * LONG_S) < WITHIN_S
