"""The pages of training jobs, on a control plane with a scripted runner."""

from __future__ import annotations

import html
import io
import json
import re
import tarfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sagelet.domain.home import Home
from sagelet.domain.hosting import EndpointStatus
from sagelet.domain.training import SecondaryStatus
from sagelet.journal.job_metrics import JobMetrics
from sagelet.journal.series import Sample
from tests.archives import an_archive
from tests.web_bench import WebBench, a_web_bench

NAME = "train-1"
COMPLETED = (
    SecondaryStatus.DOWNLOADING,
    SecondaryStatus.TRAINING,
    SecondaryStatus.UPLOADING,
    SecondaryStatus.COMPLETED,
)
FAILED = (SecondaryStatus.DOWNLOADING, SecondaryStatus.TRAINING, SecondaryStatus.FAILED)
HOSTILE = "<script>alert(1)</script>"
ALGORITHM = {"TrainingImage": "pytorch-training:2.3.0", "TrainingInputMode": "File"}
PROGRAM = {
    "sagemaker_program": "train.py",
    "sagemaker_submit_directory": "s3://code/train-1/sourcedir.tar.gz",
}
SERVES = "def model_fn(model_dir):\n    return None\n"


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebBench]:
    async with a_web_bench(tmp_path) as bench:
        yield bench


async def page_of(web: WebBench, path: str = f"/jobs/{NAME}", status: int = 200) -> str:
    answer = await web.owner.get(path)
    assert answer.status_code == status, answer.text
    return answer.text


async def post(web: WebBench, what: str, **fields: str) -> tuple[int, str, str]:
    answer = await web.owner.post(f"/jobs/{NAME}/{what}", data={"csrf": web.csrf, **fields})
    return answer.status_code, answer.headers.get("location", ""), answer.text


async def a_completed_job(web: WebBench, files: Mapping[str, bytes], **members: Any) -> str:  # noqa: ANN401  AWS's
    """Make a job that has left these files; return its model's URI."""
    await web.bench.create_job(NAME, **members)
    web.bench.move_job(NAME, *COMPLETED)
    job = await web.bench.ask("DescribeTrainingJob", TrainingJobName=NAME)
    uri: str = job["ModelArtifacts"]["S3ModelArtifacts"]
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    web.bench.put_object(bucket, key, an_archive(files))
    return uri


def folder_of(web: WebBench, name: str = NAME) -> Path:
    with web.bench.store.reading() as snapshot:
        folder: Path = web.app.site.backend.home.job(snapshot.training_jobs.get(name).ulid)
    return folder


async def test_jobs_are_listed_filtered_and_sorted(web: WebBench) -> None:
    for name in ("alpha", "beta", "alpha-2"):
        await web.bench.create_job(name)
    web.bench.move_job("beta", *FAILED, reason="AlgorithmError: x")
    page = await page_of(web, "/jobs?sort=name")
    assert re.findall(r'href="/jobs/([\w-]+)"', page) == ["alpha", "alpha-2", "beta"]
    page = await page_of(web, "/jobs?q=alpha")
    assert sorted(re.findall(r'href="/jobs/([\w-]+)"', page)) == ["alpha", "alpha-2"]
    page = await page_of(web, "/jobs?status=Failed&sort=nonsense")
    assert re.findall(r'href="/jobs/([\w-]+)"', page) == ["beta"]
    assert "No training job is like that" in await page_of(web, "/jobs?status=Stopped")
    assert HOSTILE not in await page_of(web, f"/jobs?q={HOSTILE}")


async def test_a_long_list_of_jobs_has_pages(web: WebBench) -> None:
    for number in range(30):
        await web.bench.create_job(f"job-{number:02}")
    first = await page_of(web, "/jobs?sort=name")
    following = re.search(r'href="([^"]+)" rel="next"', first)
    assert following is not None
    second = await page_of(web, html.unescape(following[1]))
    assert re.findall(r'href="/jobs/([\w-]+)"', second) == [f"job-{n:02}" for n in range(25, 30)]
    assert (await web.owner.get("/jobs?after=nonsense")).status_code == 400


async def test_a_job_shows_its_course_with_times_and_messages(web: WebBench) -> None:
    await web.bench.create_job(NAME)
    web.bench.move_job(NAME, *COMPLETED)
    page = await page_of(web)
    course = page[page.index('data-testid="timeline"') :]
    for status in ("Starting", "Downloading", "Training", "Uploading"):
        assert f"<li><span>{status}</span>" in course
    assert 'data-status="Completed"' in course
    assert page.count("10 s") >= 3


async def test_what_a_job_was_asked_for_is_shown_as_text(web: WebBench) -> None:
    parameters = {"epochs": "3", "note": HOSTILE, "api_token": "tk-123", "sagemaker_region": "x"}
    await web.bench.create_job(NAME, HyperParameters=PROGRAM | parameters)
    page = await page_of(web)
    assert HOSTILE not in page
    assert html.escape(HOSTILE) in page
    assert "tk-123" not in page
    assert "s3://data/train" in page
    assert "sagelet train -p" in html.unescape(page)


async def test_a_failed_job_shows_the_users_own_frames_first(web: WebBench) -> None:
    await web.bench.create_job(NAME)
    web.bench.move_job(NAME, *FAILED, reason="AlgorithmError: ExecuteUserScriptError:\nExitCode 1")
    folder = folder_of(web)
    events = folder / "journal" / "events.jsonl"
    events.parent.mkdir(parents=True)
    host = {"event": "host", "at": 1.0, "host": "algo-1", "pid": 1, "started_at": 1.0}
    events.write_text(json.dumps({**host, "warm": True, "log_offset": 0}) + "\n")
    ended = folder / "hosts" / "algo-1" / "exit.json"
    ended.parent.mkdir(parents=True)
    traceback = (
        "Traceback (most recent call last):\n"
        '  File "/home/ada/train.py", line 6, in <module>\n    raise ValueError("no")\n'
        f"ValueError: {HOSTILE}"
    )
    said = {"error": f"ValueError: {HOSTILE}", "where": "train.py:6", "traceback": traceback}
    ended.write_text(json.dumps({"exit_code": 1, "ended_at": 2.0, **said}))
    page = await page_of(web)
    assert 'data-testid="failure-where">train.py:6<' in page
    assert "exit 1" in page
    assert HOSTILE not in page
    assert page.index("/home/ada/train.py") < page.index("ExecuteUserScriptError")
    ended.write_text('{"exit_code": "nonsense"')
    assert "ExecuteUserScriptError" in await page_of(web)


async def test_metrics_are_tables_with_a_sentence_each(web: WebBench, tmp_path: Path) -> None:
    metrics = [{"Name": "<b>loss", "Regex": "x"}, {"Name": "empty", "Regex": "y"}]
    await web.bench.create_job(
        NAME, AlgorithmSpecification=ALGORITHM | {"MetricDefinitions": metrics}
    )
    web.bench.move_job(NAME, SecondaryStatus.TRAINING)
    stored = JobMetrics(Home(tmp_path).job(folder_of(web).name) / "metrics")
    stored.name(["<b>loss", "empty"])
    begun_ms = round(web.bench.clock.now().timestamp() * 1000)
    stored.series("algo-1", 0).append(
        [Sample.of(begun_ms + 1000 * n, value) for n, value in enumerate((2.0, 0.5, 1e308))]
    )
    page = await page_of(web)
    assert "3 points, last 1e+308, lowest 0.5, highest 1e+308." in page
    assert "No values yet." in page
    assert "&lt;b&gt;loss" in page
    assert "<b>loss" not in page
    web.bench.move_job(NAME, SecondaryStatus.UPLOADING, SecondaryStatus.COMPLETED)
    assert "No values: its expression matched no line of the log." in await page_of(web)


async def test_a_block_of_the_page_comes_alone(web: WebBench) -> None:
    await web.bench.create_job(NAME)
    for block in ("job_head", "job_course", "job_metrics", "job_artifacts", "job_deploy"):
        answer = await web.owner.get(f"/jobs/{NAME}", headers={"x-fragment": block})
        assert answer.status_code == 200, (block, answer.text)
        assert f'id="{block}"' in answer.text
        assert "<html" not in answer.text


async def test_a_job_that_is_deleted_under_an_open_page_is_not_found(web: WebBench) -> None:
    await web.bench.create_job(NAME)
    web.bench.move_job(NAME, *COMPLETED)
    await web.bench.ask("DeleteTrainingJob", TrainingJobName=NAME)
    answer = await web.owner.get(f"/jobs/{NAME}", headers={"x-fragment": "job_head"})
    assert answer.status_code == 404


async def test_a_job_is_stopped_then_killed(web: WebBench) -> None:
    await web.bench.create_job(NAME)
    web.bench.move_job(NAME, SecondaryStatus.TRAINING)
    assert "Kill it now" not in await page_of(web)
    assert await post(web, "stop") == (303, f"/jobs/{NAME}", "")
    assert "Kill it now" in await page_of(web)
    assert (await post(web, "kill"))[:2] == (303, f"/jobs/{NAME}")
    assert [job.name for job in web.bench.runner.killed] == [NAME]


async def test_stopping_what_has_ended_says_so(web: WebBench) -> None:
    await web.bench.create_job(NAME)
    web.bench.move_job(NAME, *COMPLETED)
    for what in ("stop", "kill"):
        status, _, page = await post(web, what)
        assert status == 400
        assert "had ended before it could be stopped" in page


async def test_a_form_without_the_sessions_token_does_nothing(web: WebBench) -> None:
    await web.bench.create_job(NAME)
    for what in ("stop", "kill", "deploy"):
        assert (await web.owner.post(f"/jobs/{NAME}/{what}")).status_code == 403
        assert (await web.visitor.post(f"/jobs/{NAME}/{what}")).status_code == 401
    assert (await web.visitor.get(f"/jobs/{NAME}")).status_code == 303


async def test_what_a_job_left_is_listed_and_downloaded(web: WebBench) -> None:
    await a_completed_job(web, {"model.pt": b"x" * 1500, "code/inference.py": b"pass"})
    page = await page_of(web)
    assert "model.pt" in page
    assert "1.5 kB" in page
    answer = await web.owner.get(f"/jobs/{NAME}/artifacts/model.tar.gz")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith(
        f'attachment; filename="{NAME}-model.tar.gz"'
    )
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as tar:
        assert tar.getnames() == ["model.pt", "code/inference.py"]
    for file in ("output.tar.gz", "other", "..%2f..%2fcredentials"):
        assert (await web.owner.get(f"/jobs/{NAME}/artifacts/{file}")).status_code == 404
    there = f"/jobs/{NAME}/artifacts/model.tar.gz"
    assert (await web.visitor.get(there)).status_code == 303


async def test_a_model_with_its_code_is_deployed(web: WebBench) -> None:
    uri = await a_completed_job(web, {"model.pt": b"x", "code/inference.py": b"pass"})
    assert "inference.py, in the model" in await page_of(web)
    status, location, _ = await post(web, "deploy", endpoint="digits", program="model:inference.py")
    assert (status, location) == (303, "/endpoints/digits")
    endpoint = await web.bench.ask("DescribeEndpoint", EndpointName="digits")
    config = await web.bench.ask(
        "DescribeEndpointConfig", EndpointConfigName=endpoint["EndpointConfigName"]
    )
    model = await web.bench.ask(
        "DescribeModel", ModelName=config["ProductionVariants"][0]["ModelName"]
    )
    assert model["PrimaryContainer"]["ModelDataUrl"] == uri
    assert model["PrimaryContainer"]["Environment"]["SAGEMAKER_PROGRAM"] == "inference.py"


async def test_a_model_without_code_is_packed_anew_with_the_jobs_source(
    web: WebBench, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "train.py").write_text(SERVES)
    (source / "data.py").write_text("x = 1")
    parameters = {"sagemaker_submit_directory": json.dumps(source.as_uri())}
    left = {"model.pt": b"x", "code/requirements.txt": b"torch"}
    await a_completed_job(web, left, HyperParameters=PROGRAM | parameters)
    page = await page_of(web)
    assert "train.py, from the job&#39;s source" in page
    assert "data.py," not in page
    status, _, _ = await post(web, "deploy", endpoint="digits", program="source:train.py")
    assert status == 303
    (model,) = (await web.bench.ask("ListModels"))["Models"]
    shown = await web.bench.ask("DescribeModel", ModelName=model["ModelName"])
    url = shown["PrimaryContainer"]["ModelDataUrl"]
    assert url.endswith("/with-code/model.tar.gz")
    bucket, _, key = url.removeprefix("s3://").partition("/")
    with tarfile.open(web.bench.buckets.path(bucket, key)) as tar:
        assert {"model.pt", "code/train.py", "code/data.py"} <= set(tar.getnames())
        assert "code/requirements.txt" not in tar.getnames()


async def test_what_cannot_be_deployed_is_said_at_the_field(web: WebBench) -> None:
    await a_completed_job(web, {"code/inference.py": b"pass"})
    status, _, page = await post(web, "deploy", endpoint="not a name!")
    assert status == 400
    assert "endpointName" in page
    assert 'aria-invalid="true"' in page
    assert 'value="not a name!"' in page
    assert (await post(web, "deploy", endpoint="digits"))[0] == 303
    status, _, page = await post(web, "deploy", endpoint="digits")
    assert status == 409
    assert "choose another name, or update it" in page
    web.bench.move_endpoint("digits", EndpointStatus.FAILED, "no model.pt")
    status, _, page = await post(web, "deploy", endpoint="digits", update="yes")
    assert status == 409
    assert "“sagelet rm digits” deletes it" in page


async def test_a_command_with_masked_values_says_that_they_are_to_be_put_in(web: WebBench) -> None:
    await web.bench.create_job(NAME, HyperParameters=PROGRAM)
    assert "what is masked here" not in await page_of(web)
    await web.bench.create_job("other", HyperParameters=PROGRAM | {"api_token": "hunter2"})
    assert "what is masked here" in await page_of(web, "/jobs/other")


async def test_a_job_without_a_model_offers_no_deployment(web: WebBench) -> None:
    await web.bench.create_job(NAME)
    web.bench.move_job(NAME, *COMPLETED)
    assert "Deploy this model" not in await page_of(web)
    assert (await post(web, "deploy", endpoint="digits"))[0] == 409


async def test_an_archive_that_is_damaged_or_hostile_is_told_of(web: WebBench) -> None:
    await a_completed_job(web, {"../../etc/passwd": b"x"})
    assert "would not be unpacked" in await page_of(web)


async def test_a_job_of_instance_groups_has_all_their_hosts(web: WebBench) -> None:
    group = {"InstanceType": "ml.m5.large", "InstanceCount": 2}
    groups = [{**group, "InstanceGroupName": name} for name in ("one", "two")]
    resources = {"InstanceGroups": groups, "VolumeSizeInGB": 1}
    await web.bench.create_job(NAME, ResourceConfig=resources)
    assert ">4</td>" in await page_of(web, "/jobs")
    assert ">4</td>" in await page_of(web, "/")
    assert "algo-4" in await page_of(web)
