"""The page of a training job in a browser: it grows with the job, and ends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.end_to_end.documents import a_training_job
from tests.web.conftest import Pages
from tests.web.served import Web
from tests.web.watched import Faults

PATIENCE_MS = 20_000
_FOLLOW = """
import os
import pathlib
import time

print("ready", flush=True)
done = 0
with open({pipe!r}) as told:
    while True:
        line = told.readline()
        if line == "end\\n":
            break
        if not line:
            time.sleep(0.05)
            continue
        done += 1
        print(f"step={{done}} loss={{1 / done:.4f}} <script>alert(1)</script>", flush=True)
model = pathlib.Path(os.environ["SM_MODEL_DIR"])
(model / "code").mkdir()
(model / "code" / "inference.py").write_text("def model_fn(model_dir):\\n    return None\\n")
(model / "weights.bin").write_bytes(b"x" * 1500)
"""


class Told:
    """A job that takes a step when it is told to, and ends when it is told nothing more."""

    def __init__(self, web: Web, name: str, root: Path) -> None:
        self.name = name
        self.path = f"/jobs/{name}"
        pipe = root / "told"
        source = root / "source"
        source.mkdir()
        pipe.touch()
        (source / "train.py").write_text(_FOLLOW.format(pipe=str(pipe)))
        self._pipe = pipe
        job = a_training_job(name, source)
        job["AlgorithmSpecification"]["MetricDefinitions"] = [
            {"Name": "loss", "Regex": "loss=([0-9.]+)"}
        ]
        web.local.sagemaker.create_training_job(**job)

    def step(self, count: int = 1) -> None:
        with self._pipe.open("a") as pipe:
            pipe.write("step\n" * count)

    def end(self) -> None:
        with self._pipe.open("a") as pipe:
            pipe.write("end\n")


@pytest.fixture
def told(web: Web, tmp_path: Path) -> Iterator[Told]:
    job = Told(web, "told-what-to-do", tmp_path)
    yield job
    job.end()
    web.local.wait_ended(job.name)
    web.local.sagemaker.delete_training_job(TrainingJobName=job.name)


def test_a_page_grows_with_its_job_to_its_end(
    web: Web, told: Told, page: Page, axe: Callable[[Page], None]
) -> None:
    page.goto(told.path)
    log = page.get_by_role("log")
    expect(log.get_by_text("ready", exact=True)).to_have_count(1, timeout=PATIENCE_MS)
    hosts = page.get_by_test_id("hosts")
    expect(hosts.locator(".pill")).to_have_text("running", timeout=PATIENCE_MS)
    chart = page.get_by_test_id("metric-chart")
    told.step()
    expect(log.get_by_text("step=1 loss=1.0000 <script>alert(1)</script>")).to_be_attached()
    expect(chart.locator("canvas")).to_have_count(1, timeout=PATIENCE_MS)
    page.evaluate("document.querySelector('canvas').dataset.drawn = 'before'")
    told.step(2)
    expect(log.get_by_text("step=3")).to_be_attached()
    expect(chart).to_contain_text("last 0.", timeout=PATIENCE_MS)
    # The drawing went on; it was not made anew.
    expect(chart.locator("canvas[data-drawn=before]")).to_have_count(1)
    slider = chart.get_by_role("slider")
    slider.focus()
    page.keyboard.press("Home")
    expect(slider).to_have_attribute("aria-valuenow", "0")
    told.end()
    expect(page.get_by_test_id("timeline")).to_contain_text("Completed", timeout=PATIENCE_MS)
    expect(page.get_by_test_id("tree").first).to_contain_text("weights.bin")
    expect(page.get_by_test_id("final-metrics")).to_contain_text("loss")
    expect(page.get_by_test_id("stop")).to_have_count(0)
    axe(page)
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download model.tar.gz").click()
    assert downloading.value.suggested_filename == f"{told.name}-model.tar.gz"


def test_a_job_is_stopped_without_a_script(web: Web, told: Told, a_page: Pages) -> None:
    page = a_page(web, scripts=False, width=320)
    page.goto(told.path)
    page.get_by_test_id("stop").click()
    expect(page.locator("h1")).to_have_text(told.name)
    web.local.wait_ended(told.name)
    page.reload()
    expect(page.locator("#job_head .pill")).to_have_text("Stopped")


def test_what_a_job_made_is_deployed_from_its_page(
    web: Web, told: Told, page: Page, faults: Faults
) -> None:
    faults.allow("status of 400")  # a name that is none
    page.goto(told.path)
    told.end()
    form = page.get_by_test_id("deploy")
    field = form.get_by_label("Endpoint", exact=True)
    expect(field).to_have_value(told.name, timeout=PATIENCE_MS)
    field.fill("no name!")
    form.get_by_role("button", name="Deploy").click()
    expect(page.locator(".error")).to_contain_text("endpointName")
    field.fill("from-a-job")
    form.get_by_role("button", name="Deploy").click()
    page.wait_for_url("**/endpoints/from-a-job")
    web.local.wait_settled("from-a-job")
    page.goto("/")  # a page of an endpoint that goes would complain
    web.local.sagemaker.delete_endpoint(EndpointName="from-a-job")
