"""What a host tells of its endpoints, with real workers: bad edits, processes, files, metrics."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sagelet.artifacts.archives import pack
from sagelet.domain.facts import EndpointFacts, VariantFacts
from sagelet.errors import EndpointNotInService
from sagelet.hosting.host import HostingSettings
from sagelet.hosting.measuring import Measuring
from sagelet.hosting.vitals import VitalSigns
from sagelet.supervision import package_path
from sagelet.supervision.launcher import Launchers
from tests.hosting_rig import Rig, until
from tests.serving_projects import write

HANDLERS = """
    def model_fn(model_dir):
        return "model"

    def input_fn(body, content_type):
        return body.decode()

    def predict_fn(data, model):
        if data == "spin":
            sum(range(3_000_000))
        return data

    def output_fn(prediction, accept):
        return prediction
"""


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    launchers = Launchers(
        package_path=package_path.ensure(tmp_path / "pythonpath"),
        preload=("json",),
        on_note=lambda text: None,
    )
    rig = Rig(tmp_path / "home", launchers, HostingSettings(drain_s=5, stop_s=2, timeout_s=5))
    await rig.host.start()
    yield rig
    await rig.host.close()
    await launchers.close()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write(tmp_path / "project", {"code/inference.py": HANDLERS})


def variant(facts: EndpointFacts) -> VariantFacts:
    (only,) = facts.variants
    return only


async def test_an_edit_that_is_not_served_is_told_until_it_is_mended(
    rig: Rig, project: Path
) -> None:
    rig.create(project.as_uri())
    await rig.in_service()
    before = variant(rig.host.facts("sentiment"))
    assert before.problem is None
    assert before.started_at is not None
    file = project / "code" / "inference.py"
    good = file.read_text()
    file.write_text(good + "\ndef broken(:\n")
    await until(lambda: variant(rig.host.facts("sentiment")).problem is not None)
    problem = variant(rig.host.facts("sentiment")).problem
    assert problem is not None
    assert "SyntaxError" in problem.text
    assert problem.where.endswith(f"inference.py:{good.count(chr(10)) + 2}")
    assert "def broken(:" in problem.traceback
    file.write_text(good + "\n# mended\n")
    await until(lambda: variant(rig.host.facts("sentiment")).problem is None)


async def test_a_generation_goes_live_at_a_time(rig: Rig, project: Path) -> None:
    rig.create(project.as_uri())
    await rig.in_service()
    first = variant(rig.host.facts("sentiment"))
    (project / "code" / "inference.py").write_text(
        (project / "code" / "inference.py").read_text().replace("return data", "return data * 2")
    )
    await rig.answers(b"hellohello")
    second = variant(rig.host.facts("sentiment"))
    assert second.generation > first.generation
    assert first.started_at is not None
    assert second.started_at is not None
    assert second.started_at > first.started_at


async def test_workers_tell_what_they_use(rig: Rig, project: Path) -> None:
    rig.create(project.as_uri())
    await rig.in_service()
    memory = [worker.memory_bytes for worker in variant(rig.host.facts("sentiment")).workers]
    assert all(size is not None and size > 2**20 for size in memory)


async def test_a_process_that_works_is_seen_to(rig: Rig, project: Path) -> None:
    rig.create(project.as_uri())
    await rig.in_service()
    vitals = VitalSigns(fresh_s=0)
    pids = [worker.pid for worker in variant(rig.host.facts("sentiment")).workers]
    assert {vitals.of(pid) is not None for pid in pids} == {True}
    await asyncio.gather(*(rig.ask(b"spin") for _ in range(6)))
    found = [vitals.of(pid) for pid in pids]
    assert sum(each.cpu_percent or 0 for each in found if each is not None) > 5
    assert vitals.of(2**30) is None


async def test_the_models_folder_is_where_what_serves_lies(
    rig: Rig, project: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "model.tar.gz"
    pack(project, archive)
    rig.create(archive.as_uri())
    await rig.in_service()
    folder = rig.host.model_folder("sentiment")
    assert (folder / "code" / "inference.py").is_file()
    assert rig.host.model_folder("sentiment", "AllTraffic") == folder
    with pytest.raises(EndpointNotInService):
        rig.host.model_folder("sentiment", "another")
    with pytest.raises(EndpointNotInService):
        rig.host.model_folder("another")


async def test_a_folder_that_is_served_from_where_it_is_is_the_models(
    rig: Rig, project: Path
) -> None:
    rig.create(project.as_uri())
    await rig.in_service()
    assert rig.host.model_folder("sentiment") == project.resolve()


async def test_what_goes_on_is_measured_and_written_down(rig: Rig, project: Path) -> None:
    endpoint = rig.create(project.as_uri())
    await rig.in_service()
    for _ in range(3):
        await rig.ask()
    series = rig.metrics.find("sentiment")
    assert series is not None
    vitals = VitalSigns(fresh_s=0)
    measuring = Measuring(rig.metrics, vitals, rig.host._measured)
    for _ in range(2):
        await measuring.look(int(time.time() * 1000))
    found = series.of("AllTraffic")
    assert sum(sample.total for sample in found.samples("Invocations")) == 3
    assert found.names() >= {"MemoryUtilization", "CPUUtilization", "ModelLatency"}
    (memory, *_) = found.samples("MemoryUtilization")
    assert 0 < memory.average < 100
    await measuring.close()
    assert (rig.home.endpoint(endpoint.ulid) / "metrics.jsonl").stat().st_size > 100
