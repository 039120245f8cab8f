from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from sagelet.control.context import Caller
from sagelet.control.holding import QUICK_S, Holding, Subject
from sagelet.domain.hosting import EndpointStatus
from sagelet.domain.training import SecondaryStatus
from sagelet.errors import EndpointNotFound
from sagelet.store.changes import Changes
from tests.builders import a_job
from tests.control_bench import WAITER, Bench, a_bench

HOLD_S = 10.0
STREAM = a_job().log_stream(a_job().cluster.hosts[0])


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return a_bench(tmp_path, hold_s=HOLD_S)


async def _is_held(task: asyncio.Task[dict[str, object]]) -> bool:
    done, _ = await asyncio.wait({task}, timeout=0.1)
    return not done


async def test_a_waiter_is_answered_when_the_endpoint_is_in_service(bench: Bench) -> None:
    await bench.create_endpoint()
    asked = asyncio.create_task(bench.ask("DescribeEndpoint", WAITER, EndpointName="sentiment"))
    assert await _is_held(asked)

    started = time.monotonic()
    await asyncio.to_thread(bench.move_endpoint, "sentiment", EndpointStatus.IN_SERVICE)

    assert (await asked)["EndpointStatus"] == "InService"
    assert time.monotonic() - started < 1.0


async def test_a_waiter_for_a_deletion_is_told_that_the_endpoint_is_gone(bench: Bench) -> None:
    await bench.create_endpoint(status=EndpointStatus.IN_SERVICE)
    await bench.ask("DeleteEndpoint", EndpointName="sentiment")
    asked = asyncio.create_task(bench.ask("DescribeEndpoint", WAITER, EndpointName="sentiment"))
    assert await _is_held(asked)

    with bench.store.writing() as tx:
        tx.endpoints.remove("sentiment")

    with pytest.raises(EndpointNotFound):
        await asked


async def test_a_person_is_answered_at_once(bench: Bench) -> None:
    await bench.create_endpoint()
    await bench.create_job()

    started = time.monotonic()
    endpoint = await bench.ask("DescribeEndpoint", EndpointName="sentiment")
    job = await bench.ask("DescribeTrainingJob", TrainingJobName="train-1")

    assert time.monotonic() - started < 1.0
    assert (endpoint["EndpointStatus"], job["TrainingJobStatus"]) == ("Creating", "InProgress")


async def test_a_waiter_is_answered_at_once_when_there_is_nothing_to_wait_for(
    bench: Bench,
) -> None:
    await bench.create_endpoint(status=EndpointStatus.IN_SERVICE)
    started = time.monotonic()

    await bench.ask("DescribeEndpoint", WAITER, EndpointName="sentiment")
    with pytest.raises(EndpointNotFound):
        await bench.ask("DescribeEndpoint", WAITER, EndpointName="none")

    assert time.monotonic() - started < 1.0


async def test_the_hold_ends_when_its_time_is_over(tmp_path: Path) -> None:
    bench = a_bench(tmp_path, hold_s=0.1)
    await bench.create_endpoint()

    shown = await bench.ask("DescribeEndpoint", WAITER, EndpointName="sentiment")

    assert shown["EndpointStatus"] == "Creating"


async def test_boto3s_waiter_is_held_over_steps_and_log_lines_to_the_jobs_end(
    bench: Bench,
) -> None:
    await bench.create_job()
    asked = asyncio.create_task(bench.ask("DescribeTrainingJob", WAITER, TrainingJobName="train-1"))
    assert await _is_held(asked)
    bench.move_job("train-1", SecondaryStatus.DOWNLOADING, SecondaryStatus.TRAINING)
    bench.store.changes.publish(a_job().arn)
    assert await _is_held(asked)

    bench.move_job("train-1", SecondaryStatus.UPLOADING, SecondaryStatus.COMPLETED)

    assert (await asked)["TrainingJobStatus"] == "Completed"


async def test_a_loop_that_prints_the_log_is_answered_when_it_has_grown(bench: Bench) -> None:
    """SDK v3: describe, read the log, five seconds later describe again."""
    await bench.create_job()
    bench.logs.create_stream("/aws/sagemaker/TrainingJobs", STREAM)
    first = asyncio.create_task(bench.ask("DescribeTrainingJob", WAITER, TrainingJobName="train-1"))
    assert await _is_held(first)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await bench.ask_service(
        "logs",
        "GetLogEvents",
        WAITER,
        logGroupName="/aws/sagemaker/TrainingJobs",
        logStreamName=STREAM,
    )
    second = asyncio.create_task(
        bench.ask("DescribeTrainingJob", WAITER, TrainingJobName="train-1")
    )
    assert await _is_held(second)

    bench.store.changes.publish(a_job().arn)

    assert (await second)["TrainingJobStatus"] == "InProgress"


class _Watch:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def _released_by_growth(
    *, away_s: float = 5.0, reads: str | None = "job/algo-1", reader: str = "A"
) -> bool:
    """Describe for a moment, read a log, come back `away_s` later; is a grown log enough?"""
    watch, changes = _Watch(), Changes()
    holding = Holding(changes, 20.0, watch)
    subject = Subject(arn="arn", is_settled=lambda: False, log="job/")
    first = asyncio.create_task(holding.hold(subject, Caller("A", is_waiter=True)))
    await asyncio.wait({first}, timeout=0.05)
    watch.now += 20.0
    changes.publish("arn")
    await first
    if reads is not None:
        holding.log_was_read(Caller(reader), reads)
    watch.now += away_s
    second = asyncio.create_task(holding.hold(subject, Caller("A", is_waiter=True)))
    await asyncio.wait({second}, timeout=0.05)
    changes.publish("arn")
    done, _ = await asyncio.wait({second}, timeout=0.1)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    return bool(done)


async def test_only_who_comes_back_soon_and_has_read_the_log_is_released_by_its_growth() -> None:
    assert await _released_by_growth()
    assert not await _released_by_growth(away_s=QUICK_S + 1)
    assert not await _released_by_growth(reads=None)
    assert not await _released_by_growth(reads="other-job/algo-1")
    assert not await _released_by_growth(reader="B")


async def test_many_waiters_take_no_thread_each(bench: Bench) -> None:
    await bench.create_endpoint()
    asked = [
        asyncio.create_task(bench.ask("DescribeEndpoint", WAITER, EndpointName="sentiment"))
        for _ in range(100)
    ]
    assert await _is_held(asked[-1])

    started = time.monotonic()
    await bench.ask("ListEndpoints")
    assert time.monotonic() - started < 1.0
    await asyncio.to_thread(bench.move_endpoint, "sentiment", EndpointStatus.IN_SERVICE)

    shown = await asyncio.gather(*asked)
    assert {endpoint["EndpointStatus"] for endpoint in shown} == {"InService"}
