"""ListTrainingJobs: every filter, every order, page after page; tags of jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sagelet.domain.training import SecondaryStatus
from sagelet.wire.faults import Fault
from tests.control_bench import Bench

ENDS = {
    "digits-1": SecondaryStatus.COMPLETED,
    "digits-2": SecondaryStatus.FAILED,
    "letters-1": SecondaryStatus.STOPPED,
    "letters-2": SecondaryStatus.MAX_RUNTIME_EXCEEDED,
    "letters-3": SecondaryStatus.TRAINING,
}


@pytest.fixture
async def jobs(bench: Bench) -> Bench:
    """Five jobs, created a minute apart; each moves on 10 s after its creation."""
    for name, status in ENDS.items():
        bench.clock.move(50)
        await bench.create_job(name)
        bench.move_job(name, status)
    return bench


async def names(bench: Bench, **asked: Any) -> list[str]:  # noqa: ANN401  AWS's members
    """The names that a request lists, from all its pages of two."""
    found: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = await bench.ask("ListTrainingJobs", **asked, MaxResults=2, **token)
        found += [job["TrainingJobName"] for job in page["TrainingJobSummaries"]]
        if "NextToken" not in page:
            return found
        assert len(page["TrainingJobSummaries"]) == 2
        token = {"NextToken": page["NextToken"]}


@pytest.mark.parametrize(
    ("asked", "listed"),
    [
        ({}, [*ENDS]),
        ({"SortOrder": "Descending"}, [*reversed(ENDS)]),
        ({"SortBy": "Name", "SortOrder": "Descending"}, sorted(ENDS, reverse=True)),
        ({"SortBy": "Name"}, sorted(ENDS)),
        (
            {"SortBy": "Status"},  # then by name
            ["digits-1", "digits-2", "letters-3", "letters-1", "letters-2"],
        ),
        (
            {"SortBy": "Status", "SortOrder": "Descending"},
            ["letters-2", "letters-1", "letters-3", "digits-2", "digits-1"],
        ),
        ({"StatusEquals": "Stopped"}, ["letters-1", "letters-2"]),
        ({"StatusEquals": "InProgress"}, ["letters-3"]),
        ({"NameContains": "LETTERS"}, ["letters-1", "letters-2", "letters-3"]),
        ({"NameContains": "nothing"}, []),
        ({"TrainingPlanArnEquals": f"arn:aws:sagemaker:us-east-1:{'0' * 12}:training-plan/p"}, []),
    ],
)
async def test_jobs_are_filtered_and_sorted(
    jobs: Bench, asked: dict[str, Any], listed: list[str]
) -> None:
    assert await names(jobs, **asked) == listed


async def test_times_are_from_after_up_to_before(jobs: Bench) -> None:
    now = jobs.clock.now()  # letters-3 was created 10 s ago, and began to train just now
    minute = timedelta(minutes=1)
    created = now - timedelta(seconds=10)
    assert await names(jobs, CreationTimeAfter=created - minute) == ["letters-2", "letters-3"]
    assert await names(jobs, CreationTimeBefore=created - 3 * minute) == ["digits-1"]
    assert await names(jobs, LastModifiedTimeAfter=now) == ["letters-3"]
    assert await names(jobs, LastModifiedTimeBefore=now - 3 * minute) == ["digits-1"]
    window = {"CreationTimeAfter": created - 2 * minute, "LastModifiedTimeBefore": now}
    assert await names(jobs, **window, SortBy="Name", SortOrder="Descending") == [
        "letters-2",
        "letters-1",
    ]
    assert await names(jobs, **window, StatusEquals="Completed") == []


async def test_jobs_have_tags(bench: Bench) -> None:
    await bench.create_job(Tags=[{"Key": "team", "Value": "vision"}])
    arn = (await bench.ask("DescribeTrainingJob", TrainingJobName="train-1"))["TrainingJobArn"]
    added = [{"Key": "stage", "Value": "trial"}]
    await bench.ask("AddTags", ResourceArn=arn, Tags=added)
    await bench.ask("DeleteTags", ResourceArn=arn, TagKeys=["team"])
    assert (await bench.ask("ListTags", ResourceArn=arn))["Tags"] == added


async def test_a_job_cannot_be_updated(bench: Bench) -> None:
    await bench.create_job()
    with pytest.raises(Fault, match="UpdateTrainingJob of sagemaker is not served"):
        await bench.ask("UpdateTrainingJob", TrainingJobName="train-1")
