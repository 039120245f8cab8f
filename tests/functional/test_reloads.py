"""Edits of a served folder beyond the plain ones: samples, numbers, parking, packages, messages."""

from __future__ import annotations

import asyncio
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sagelet.domain.hosting import EndpointStatus
from sagelet.hosting.settings import HostingSettings
from sagelet.worker.frames import Frame
from tests.hosting_rig import Rig, until
from tests.scripted_workers import ScriptedLauncher, ScriptedWorker, answer
from tests.serving_projects import write

TRACEBACK = "Traceback (most recent call last):\n  the user's frames\nKeyError: 'label'\n"
BROKEN = {
    "status": 500,
    "error": "KeyError: 'label'",
    "where": "/p/inference.py:7",
    "handler": "output_fn",
}


class Plain(ScriptedWorker):
    """Answers what it is asked, with the generation that it was started for."""

    def answer(self, header: dict[str, Any], body: bytes) -> Frame | None:
        return answer(body + b" %d" % self.order.generation)


class FailsTheSample(Plain):
    def answer(self, header: dict[str, Any], body: bytes) -> Frame | None:
        if body == b"[1]":
            return answer(f"'label'\n{TRACEBACK}".encode(), **BROKEN)
        return super().answer(header, body)


class NeedsFresh(Plain):
    def prepared(self, header: dict[str, Any]) -> dict[str, Any]:
        return {"op": "needs_fresh", "generation": header["generation"], "why": "weights"}


class RefusesTheSample(Plain):
    def prepared(self, header: dict[str, Any]) -> dict[str, Any]:
        if "sample" not in header:
            return super().prepared(header)
        return {
            "op": "prepare_failed",
            "generation": header["generation"],
            "error": "KeyError: 'label'",
            "where": "/p/inference.py:7",
            "traceback": TRACEBACK,
        }


@pytest.fixture
def launcher() -> ScriptedLauncher:
    return ScriptedLauncher(Plain)


@pytest.fixture
async def rig(tmp_path: Path, launcher: ScriptedLauncher) -> AsyncIterator[Rig]:
    rig = Rig(tmp_path / "home", launcher)
    await rig.host.start()
    yield rig
    await rig.host.close()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write(tmp_path / "project", {"code/inference.py": "x = 1\n", "model.bin": "w"})


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    return write(tmp_path / "payloads", {"sample.json": "[1]"}) / "sample.json"


async def test_a_model_that_does_not_answer_the_sample_does_not_come_up(
    rig: Rig, launcher: ScriptedLauncher, sample: Path
) -> None:
    launcher.kind = FailsTheSample
    rig.create(None, environment={"SAGELET_SAMPLE": str(sample)})
    endpoint = await rig.settled()
    assert endpoint.status is EndpointStatus.FAILED
    assert (endpoint.failure_reason or "").startswith("KeyError: 'label' at /p/inference.py:7\n")
    await until(lambda: all(child.has_ended for child in launcher.children))


async def test_an_update_that_does_not_answer_the_sample_keeps_the_old_model(
    rig: Rig, launcher: ScriptedLauncher, sample: Path
) -> None:
    rig.create(None)
    await rig.in_service()
    launcher.kind = FailsTheSample
    rig.update(None, environment={"SAGELET_SAMPLE": str(sample)})
    endpoint = await rig.in_service()
    assert endpoint.config_name == "sentiment-1"
    assert "KeyError: 'label' at /p/inference.py:7" in (endpoint.failure_reason or "")
    assert (await rig.ask()).body == b"hello 1"


async def test_a_sample_goes_with_the_edit_to_the_first_worker(
    rig: Rig, launcher: ScriptedLauncher, project: Path, sample: Path
) -> None:
    rig.create(f"file://{project}", environment={"SAGELET_SAMPLE": str(sample)})
    await rig.in_service()
    write(project, {"code/inference.py": "x = 2\n"})
    await rig.noted("reloaded inference.py")
    prepares = [
        header.get("sample")
        for worker in launcher.workers
        for header in worker.asked
        if header["op"] == "prepare"
    ]
    with_sample = {"content_type": "application/json", "accept": "application/json"}
    assert sorted(prepares, key=bool) == [None, with_sample]


async def test_an_edit_that_does_not_answer_the_sample_is_refused(
    rig: Rig, launcher: ScriptedLauncher, project: Path, sample: Path
) -> None:
    launcher.kind = RefusesTheSample
    rig.create(f"file://{project}", environment={"SAGELET_SAMPLE": str(sample)})
    await rig.in_service()
    write(project, {"code/inference.py": "x = 2\n"})
    text = await rig.noted("inference.py is not served, the last good version is")
    assert "at /p/inference.py:7: KeyError: 'label'" in text
    said = await rig.ask()
    assert said.body == b"hello 1"
    assert said.headers == {"x-sagelet-reload-error": "KeyError: 'label' (/p/inference.py:7)"}


async def test_fresh_workers_that_do_not_answer_the_sample_are_refused(
    rig: Rig, launcher: ScriptedLauncher, project: Path, sample: Path
) -> None:
    launcher.kind = NeedsFresh
    rig.create(f"file://{project}", environment={"SAGELET_SAMPLE": str(sample)})
    await rig.in_service()
    launcher.kind = FailsTheSample
    write(project, {"model.bin": "other"})
    text = await rig.noted("model.bin is not served, the last good version is")
    assert TRACEBACK.strip() in text
    assert (await rig.ask()).body == b"hello 1"
    await until(lambda: all(child.has_ended for child in launcher.children[2:]))


async def test_a_sample_that_is_not_there_is_noted_and_stops_nothing(
    rig: Rig, project: Path, tmp_path: Path
) -> None:
    missing = tmp_path / "none.json"
    rig.create(f"file://{project}", environment={"SAGELET_SAMPLE": str(missing)})
    await rig.in_service()
    said = f"new code is not tried: the sample {missing} cannot be read (No such file or directory)"
    assert await rig.noted("new code is not tried") == said
    write(project, {"code/inference.py": "x = 2\n"})
    await rig.noted("reloaded inference.py")
    assert (await rig.ask()).status == 200


async def test_generations_go_on_after_a_restart(
    tmp_path: Path, project: Path, launcher: ScriptedLauncher
) -> None:
    first = Rig(tmp_path / "home", launcher)
    await first.host.start()
    first.create(f"file://{project}")
    await first.in_service()
    for number in (2, 3):
        write(project, {"code/inference.py": f"x = {number}\n"})
        await until(lambda number=number: _reloads(first) == number - 1)  # type: ignore[misc]
    assert (await first.ask()).generation == 3
    await first.host.close()
    second = Rig(tmp_path / "home", launcher, store=first.store)
    await second.host.start()
    await second.in_service()
    assert (await second.ask()).generation == 4
    await second.host.close()


async def test_a_parked_endpoint_takes_an_edit_when_it_wakes(
    tmp_path: Path, project: Path, launcher: ScriptedLauncher
) -> None:
    rig = Rig(tmp_path / "home", launcher, HostingSettings(stop_s=2, park_after_s=0.1))
    await rig.host.start()
    rig.create(f"file://{project}")
    await rig.in_service()
    await until(lambda: all(child.has_ended for child in launcher.children))
    write(project, {"code/inference.py": "x = 2\n"})
    assert await rig.noted("is taken") == "inference.py is taken when the endpoint wakes"
    assert len(launcher.workers) == 2
    said = await rig.ask()
    assert (said.body, said.generation) == (b"hello 2", 2)
    await rig.host.close()


async def test_a_save_while_packages_are_installed_wins(
    rig: Rig, project: Path, launcher: ScriptedLauncher
) -> None:
    launcher.kind = NeedsFresh
    rig.create(f"file://{project}")
    await rig.in_service()
    write(project, {"code/requirements.txt": "/no/such/package\n"})
    text = await rig.noted("requirements.txt is not served")
    assert "InstallRequirementsError" in text
    assert (await rig.ask()).body == b"hello 1"
    (project / "code/requirements.txt").unlink()
    await rig.noted("mended")


async def test_an_archive_is_served_as_it_was_whatever_becomes_of_the_file(
    rig: Rig, project: Path, tmp_path: Path, launcher: ScriptedLauncher
) -> None:
    def pack() -> None:
        with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
            archive.add(project, ".")

    pack()
    watched = write(tmp_path / "other", {"code/inference.py": "x = 1\n"})
    rig.create(f"file://{tmp_path}/model.tar.gz")
    rig.create(f"file://{watched}", name="watched")
    await rig.in_service()
    await rig.in_service("watched")
    started = len(launcher.workers)
    write(project, {"code/inference.py": "x = 2\n"})
    pack()
    write(watched, {"code/inference.py": "x = 2\n"})
    await rig.noted("reloaded inference.py")
    assert [note.endpoint for note in rig.host.notes.after()] == ["watched"]
    assert len(launcher.workers) == started
    assert (await rig.ask()).generation == 1


async def test_a_handler_module_that_is_gone_is_an_edit_for_fresh_workers(
    rig: Rig, project: Path, launcher: ScriptedLauncher
) -> None:
    launcher.kind = NeedsFresh
    rig.create(f"file://{project}")
    await rig.in_service()
    (project / "code/inference.py").unlink()
    await rig.noted("reloaded inference.py")
    assert (await rig.ask()).body == b"hello 2"


async def test_the_edits_of_an_afternoon_are_one_reload_each(
    rig: Rig, project: Path, launcher: ScriptedLauncher
) -> None:
    rig.create(f"file://{project}")
    await rig.in_service()
    for number in range(20):
        write(project, {"code/inference.py": f"x = {number + 2}\n"})
        await until(lambda number=number: _reloads(rig) == number + 1)  # type: ignore[misc]
        await asyncio.sleep(0)
    assert (await rig.ask()).generation == 21


def _reloads(rig: Rig) -> int:
    return sum(note.text.startswith("reloaded") for note in rig.host.notes.after())
