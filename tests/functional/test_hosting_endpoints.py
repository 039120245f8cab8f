"""Endpoints from creation to deletion, with scripted workers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sagelet.domain.hosting import EndpointStatus, Variant
from sagelet.errors import EndpointNotInService, VariantNotFound
from sagelet.hosting.host import HostingSettings
from sagelet.worker.frames import Frame
from sagelet.worker.spec import ServeOrder
from tests.hosting_rig import Rig, a_serving_of, until
from tests.scripted_workers import ScriptedLauncher, ScriptedWorker, answer
from tests.serving_projects import write

LOAD_FAILED = {
    "op": "load_failed",
    "advice": "",
    "error": "ValueError: no weights",
    "where": "/p/inference.py:3",
    "traceback": "Traceback (most recent call last):\n  the user's frames\nValueError: no\n",
}


class DoesNotLoad(ScriptedWorker):
    def first_words(self) -> dict[str, Any]:
        return LOAD_FAILED


class Tells(ScriptedWorker):
    """Answers with the generation that it was started for."""

    def answer(self, header: dict[str, Any], body: bytes) -> Frame | None:
        return answer(b"generation %d" % self.order.generation)


class NeedsFresh(Tells):
    def prepared(self, header: dict[str, Any]) -> dict[str, Any]:
        return {"op": "needs_fresh", "generation": header["generation"], "why": "weights"}


class Loading(NeedsFresh):
    """Loads for as long as it is let."""

    def first_words(self) -> dict[str, Any] | None:
        return None

    def loaded(self) -> None:
        self.say(Frame({"op": "loaded", "generation": self.order.generation, "load_ms": 1.0}))


@pytest.fixture
def launcher() -> ScriptedLauncher:
    return ScriptedLauncher(Tells)


@pytest.fixture
async def rig(tmp_path: Path, launcher: ScriptedLauncher) -> AsyncIterator[Rig]:
    rig = Rig(tmp_path / "home", launcher)
    await rig.host.start()
    yield rig
    await rig.host.close()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write(tmp_path / "project", {"code/inference.py": "x = 1\n", "model.bin": "w"})


async def test_an_endpoint_is_in_service_once_every_worker_has_loaded(
    rig: Rig, launcher: ScriptedLauncher
) -> None:
    launcher.plans.extend([Loading, Loading])
    rig.create(None)
    await until(lambda: len(launcher.workers) == 2)
    first, second = launcher.workers
    assert isinstance(first, Loading)
    assert isinstance(second, Loading)
    first.loaded()
    await asyncio.sleep(0)
    assert rig.get().status is EndpointStatus.CREATING
    with pytest.raises(EndpointNotInService):
        await rig.ask()
    second.loaded()
    endpoint = await rig.in_service()
    assert endpoint.serving == endpoint.wanted
    assert (await rig.ask()).body == b"generation 1"


async def test_a_model_that_does_not_load_is_a_failed_endpoint_with_the_users_error(
    rig: Rig, launcher: ScriptedLauncher
) -> None:
    launcher.kind = DoesNotLoad
    rig.create(None)
    endpoint = await rig.settled()
    assert endpoint.status is EndpointStatus.FAILED
    assert endpoint.failure_reason == (
        f"ValueError: no weights at /p/inference.py:3\n{LOAD_FAILED['traceback'].strip()}\n"
        "The primary container for production variant AllTraffic did not pass the ping health "
        "check. Please check CloudWatch logs for this endpoint."
    )
    with pytest.raises(EndpointNotInService):
        await rig.ask()
    assert all(child.has_ended for child in launcher.children)


async def test_model_data_that_is_not_there_is_named(rig: Rig, tmp_path: Path) -> None:
    rig.create(f"file://{tmp_path}/none.tar.gz")
    endpoint = await rig.settled()
    assert endpoint.failure_reason == f"Could not find model data at file://{tmp_path}/none.tar.gz."


async def test_a_setting_that_makes_no_sense_is_named(rig: Rig) -> None:
    rig.create(None, environment={"SAGEMAKER_MODEL_SERVER_WORKERS": "x"})
    endpoint = await rig.settled()
    assert "SAGEMAKER_MODEL_SERVER_WORKERS is 'x'" in (endpoint.failure_reason or "")


async def test_an_update_serves_the_new_version_and_ends_the_old_one(
    rig: Rig, launcher: ScriptedLauncher
) -> None:
    rig.create(None)
    await rig.in_service()
    rig.update(None, environment={"A": "1"})
    endpoint = await rig.in_service()
    assert endpoint.config_name == "sentiment-2"
    assert (await rig.ask()).body == b"generation 2"
    await until(
        lambda: [child.has_ended for child in launcher.children] == [True, True, False, False]
    )


async def test_a_failed_update_keeps_the_old_version_and_says_why(
    rig: Rig, launcher: ScriptedLauncher
) -> None:
    rig.create(None)
    await rig.in_service()
    launcher.kind = DoesNotLoad
    rig.update(None)
    answers = []
    while rig.get().status is EndpointStatus.UPDATING:
        answers.append((await rig.ask()).body)
    endpoint = await rig.in_service()
    assert set(answers) <= {b"generation 1"}
    assert (await rig.ask()).body == b"generation 1"
    assert endpoint.config_name == "sentiment-1"
    assert "ValueError: no weights" in (endpoint.failure_reason or "")


async def test_after_a_failed_update_the_next_one_clears_the_reason(
    rig: Rig, launcher: ScriptedLauncher
) -> None:
    rig.create(None)
    await rig.in_service()
    launcher.plans.extend([DoesNotLoad, DoesNotLoad])
    rig.update(None)
    await rig.in_service()
    rig.update(None)
    endpoint = await rig.in_service()
    assert (endpoint.config_name, endpoint.failure_reason) == ("sentiment-2", None)


async def test_an_endpoint_that_is_deleted_answers_what_has_come_in_and_is_gone(
    rig: Rig, launcher: ScriptedLauncher
) -> None:
    class Held(ScriptedWorker):
        def answer(self, header: dict[str, Any], body: bytes) -> Frame | None:
            return None

    launcher.kind = Held
    rig.create(None)
    await rig.in_service()
    asked = asyncio.create_task(rig.ask())
    await until(lambda: any(worker.asked for worker in launcher.workers))
    rig.delete()
    await asyncio.sleep(0)
    with pytest.raises(EndpointNotInService):
        await rig.ask()
    busy = next(worker for worker in launcher.workers if worker.asked)
    busy.say(answer(b"late"))
    assert (await asked).body == b"late"
    await until(lambda: rig.find() is None)
    assert all(child.has_ended for child in launcher.children)
    assert not rig.home.endpoint("ULID-sentiment").exists()


async def test_a_name_may_be_used_again_after_deletion(rig: Rig) -> None:
    for _ in range(2):
        rig.create(None)
        await rig.in_service()
        assert (await rig.ask()).status == 200
        rig.delete()
        await until(lambda: rig.find() is None)


async def test_endpoints_do_not_know_each_other(rig: Rig) -> None:
    for name in ("one", "two"):
        rig.create(None, name=name)
        await rig.in_service(name)
    rig.delete("one")
    await until(lambda: rig.find("one") is None)
    assert (await rig.ask(name="two")).status == 200


async def test_variants_share_the_traffic_and_can_be_asked_for(rig: Rig) -> None:
    variants = (
        Variant("blue", "sentiment", "local", weight=1),
        Variant("green", "sentiment", "local", weight=1),
    )
    rig.create(None, variants=variants)
    await rig.in_service()
    seen = {(await rig.ask()).variant for _ in range(60)}
    assert seen == {"blue", "green"}
    assert (await rig.ask(target_variant="green")).variant == "green"
    with pytest.raises(VariantNotFound):
        await rig.ask(target_variant="red")


async def test_the_model_names_workers_interpreter_and_threads(
    rig: Rig, launcher: ScriptedLauncher
) -> None:
    environment = {
        "SAGEMAKER_MODEL_SERVER_WORKERS": "3",
        "SAGELET_PYTHON": "/venv/bin/python",
        "SAGELET_THREADS": "2",
        "SAGEMAKER_PROGRAM": "serve.py",
    }
    rig.create(None, environment=environment)
    await rig.in_service()
    assert len(launcher.workers) == 3
    assert launcher.pythons == [Path("/venv/bin/python")]
    order: ServeOrder = launcher.workers[0].order
    assert (order.program, order.threads, order.model_dir) == ("serve.py", 2, "/opt/ml/model")
    assert order.mounts is not None
    assert Path(order.mounts.opt_ml, "model").is_dir()


async def test_what_workers_print_is_in_the_endpoints_log(
    rig: Rig, launcher: ScriptedLauncher
) -> None:
    rig.create(None)
    await rig.in_service()
    launcher.workers[0].write(b"loading \xff\nhalf")
    launcher.workers[0].write(b" a line\r\n\nno newline")
    await rig.logged("half a line")
    rig.delete()
    await until(lambda: rig.find() is None)
    assert rig.log() == ["loading \ufffd", "half a line", "", "no newline"]
    assert rig.logs.streams("/aws/sagemaker/Endpoints/sentiment") == ["AllTraffic/ulid-sentiment"]


async def test_a_flood_of_output_blocks_nobody_and_is_cut(
    rig: Rig, launcher: ScriptedLauncher
) -> None:
    rig.create(None)
    await rig.in_service()
    write_all = asyncio.to_thread(
        lambda: [launcher.workers[0].write(b"x" * 60_000) for _ in range(200)]
    )
    await asyncio.gather(write_all, rig.ask())
    rig.delete()
    await until(lambda: rig.find() is None)
    lines = rig.log()
    assert max(map(len, lines)) == 250_000
    assert sum(map(len, lines)) <= 12_000_000


async def test_a_restart_brings_back_what_was_in_service(
    tmp_path: Path, launcher: ScriptedLauncher
) -> None:
    first = Rig(tmp_path / "home", launcher)
    await first.host.start()
    first.create(None)
    await first.in_service()
    await first.host.close()
    assert first.get().status is EndpointStatus.IN_SERVICE
    assert all(child.has_ended for child in launcher.children)
    second = Rig(tmp_path / "home", launcher, store=first.store)
    await second.host.start()
    assert second.get().status is EndpointStatus.UPDATING
    await second.in_service()
    assert (await second.ask()).status == 200
    await second.host.close()


async def test_an_endpoint_that_does_not_come_back_is_failed(
    tmp_path: Path, launcher: ScriptedLauncher
) -> None:
    first = Rig(tmp_path / "home", launcher)
    await first.host.start()
    first.create(None)
    await first.in_service()
    await first.host.close()
    launcher.kind = DoesNotLoad
    second = Rig(tmp_path / "home", launcher, store=first.store)
    await second.host.start()
    endpoint = await second.settled()
    assert endpoint.status is EndpointStatus.FAILED
    await second.host.close()


async def test_an_update_that_a_restart_interrupted_falls_back_to_what_served(
    tmp_path: Path, launcher: ScriptedLauncher
) -> None:
    rig = Rig(tmp_path / "home", launcher)
    await rig.host.start()
    endpoint = rig.create(None)
    await rig.in_service()
    await rig.host.close()
    with rig.store.writing() as tx:
        found = tx.endpoints.get("sentiment")
        updating = replace(found, wanted=a_serving_of(None, config="sentiment-2")).moved_to(
            EndpointStatus.UPDATING, at=endpoint.created_at
        )
        tx.endpoints.put(updating)
    launcher.plans.extend([DoesNotLoad, DoesNotLoad])
    again = Rig(tmp_path / "home", launcher, store=rig.store)
    await again.host.start()
    endpoint = await again.in_service()
    assert endpoint.config_name == "sentiment-1"
    assert "ValueError: no weights" in (endpoint.failure_reason or "")
    assert (await again.ask()).status == 200
    await again.host.close()


async def test_a_deletion_that_a_restart_interrupted_is_finished(
    tmp_path: Path, launcher: ScriptedLauncher
) -> None:
    rig = Rig(tmp_path / "home", launcher)
    endpoint = rig.create(None)
    with rig.store.writing() as tx:
        tx.endpoints.put(replace(endpoint, status=EndpointStatus.DELETING))
    write(rig.home.endpoint(endpoint.ulid), {"versions/1/x": "x"})
    write(rig.home.endpoint("nobodys"), {"versions/1/x": "x"})
    await rig.host.start()
    await until(lambda: rig.find() is None)
    assert not rig.home.endpoint(endpoint.ulid).exists()
    assert not rig.home.endpoint("nobodys").exists()
    await rig.host.close()


async def test_an_edit_is_swapped_in_and_told(rig: Rig, project: Path) -> None:
    rig.create(f"file://{project}")
    await rig.in_service()
    write(project, {"code/inference.py": "x = 2\n"})
    text = await rig.noted("reloaded inference.py")
    assert text.startswith("reloaded inference.py in ")
    assert text.endswith(" ms (model kept)")
    await rig.logged(text)
    assert (await rig.ask()).generation == 2


async def test_a_touch_reloads_nothing(rig: Rig, project: Path, launcher: ScriptedLauncher) -> None:
    rig.create(f"file://{project}")
    await rig.in_service()
    (project / "code/inference.py").touch()
    write(project, {"model.bin": "w"})
    write(project, {"code/other.py": "y = 1\n"})
    await rig.noted("reloaded other.py")
    assert [note.text for note in rig.host.notes.after() if "inference" in note.text] == []


async def test_an_edit_that_needs_fresh_workers_gets_them_beside_the_old_ones(
    rig: Rig, project: Path, launcher: ScriptedLauncher
) -> None:
    launcher.kind = NeedsFresh
    rig.create(f"file://{project}")
    await rig.in_service()
    launcher.kind = Loading
    write(project, {"model.bin": "other"})
    await until(lambda: len(launcher.workers) == 4)
    assert (await rig.ask()).body == b"generation 1"
    for worker in launcher.workers[2:]:
        assert isinstance(worker, Loading)
        worker.loaded()
    text = await rig.noted("model reloaded")
    assert text.startswith("reloaded model.bin in ")
    assert text.endswith("(model reloaded, 0.0 s)")
    assert (await rig.ask()).body == b"generation 2"
    await until(lambda: launcher.children[0].has_ended and launcher.children[1].has_ended)


async def test_the_latest_save_wins(rig: Rig, project: Path, launcher: ScriptedLauncher) -> None:
    launcher.kind = NeedsFresh
    rig.create(f"file://{project}")
    await rig.in_service()
    launcher.plans.extend([Loading, Loading])
    write(project, {"model.bin": "second"})
    await until(lambda: len(launcher.workers) == 4)
    write(project, {"model.bin": "third"})
    await rig.noted("model reloaded")
    assert (await rig.ask()).body == b"generation 3"
    assert [child.has_ended for child in launcher.children[2:4]] == [True, True]


async def test_a_broken_edit_keeps_the_last_good_version_and_says_so_in_every_answer(
    rig: Rig, project: Path, launcher: ScriptedLauncher
) -> None:
    launcher.kind = NeedsFresh
    rig.create(f"file://{project}")
    await rig.in_service()
    launcher.kind = DoesNotLoad
    write(project, {"model.bin": "broken"})
    text = await rig.noted("model.bin is not served, the last good version is")
    assert LOAD_FAILED["traceback"].strip() in text
    said = await rig.ask()
    assert said.body == b"generation 1"
    assert said.headers == {"x-sagelet-reload-error": "ValueError: no weights (/p/inference.py:3)"}
    await rig.logged("the user's frames")
    launcher.kind = NeedsFresh
    write(project, {"model.bin": "good"})
    text = await rig.noted("reloaded model.bin")
    assert text.endswith(", mended")
    assert (await rig.ask()).headers == {}


async def test_going_back_to_what_is_served_clears_the_error(
    rig: Rig, project: Path, launcher: ScriptedLauncher
) -> None:
    launcher.kind = NeedsFresh
    rig.create(f"file://{project}")
    await rig.in_service()
    launcher.kind = DoesNotLoad
    write(project, {"model.bin": "broken"})
    await rig.noted("is not served")
    launcher.kind = Tells
    for worker in launcher.workers[:2]:
        worker.prepared = lambda header: {  # type: ignore[method-assign]  # it has nothing to do now
            "op": "prepared", "generation": header["generation"], "model": "kept", "modules": []
        }  # fmt: skip
    write(project, {"model.bin": "w"})
    await rig.noted("what was there before")
    said = await rig.ask()
    assert (said.body, said.headers) == (b"generation 1", {})


async def test_an_endpoint_that_failed_is_repaired_by_an_edit(
    rig: Rig, project: Path, launcher: ScriptedLauncher
) -> None:
    launcher.kind = DoesNotLoad
    rig.create(f"file://{project}")
    await rig.settled()
    launcher.kind = Tells
    write(project, {"code/inference.py": "x = 2\n"})
    await until(lambda: rig.get().status is EndpointStatus.IN_SERVICE)
    assert (await rig.ask()).status == 200
    write(project, {"code/inference.py": "x = 3\n"})
    await rig.noted("reloaded inference.py")


async def test_a_file_that_handlers_write_again_and_again_is_left_alone(
    rig: Rig, project: Path, launcher: ScriptedLauncher
) -> None:
    launcher.kind = NeedsFresh
    rig.create(f"file://{project}")
    await rig.in_service()
    for number in range(5):
        write(project, {"requests.csv": f"{number}\n"})
        await until(lambda number=number: _reloads(rig) == number + 1)  # type: ignore[misc]
    text = await rig.noted("requests.csv keeps changing")
    assert text == "requests.csv keeps changing while it is served; it is left alone"
    started = len(launcher.workers)
    write(project, {"requests.csv": "again\n"})
    write(project, {"code/inference.py": "x = 9\n"})
    await until(lambda: len(launcher.workers) == started + 2)


def _reloads(rig: Rig) -> int:
    return sum("model reloaded" in note.text for note in rig.host.notes.after())


async def test_an_update_ends_the_watch_on_the_old_folder(
    rig: Rig, project: Path, tmp_path: Path, launcher: ScriptedLauncher
) -> None:
    rig.create(f"file://{project}")
    await rig.in_service()
    other = write(tmp_path / "other", {"code/inference.py": "x = 1\n"})
    rig.update(f"file://{other}")
    await rig.in_service()
    write(project, {"code/inference.py": "x = 2\n"})
    write(other, {"code/serve.py": "x = 2\n"})
    await rig.noted("reloaded serve.py")
    assert not [note for note in rig.host.notes.after() if "inference" in note.text]


async def test_workers_that_die_are_replaced_and_it_is_noted(
    rig: Rig, launcher: ScriptedLauncher
) -> None:
    rig.create(None)
    await rig.in_service()
    await rig.ask()
    launcher.workers[0].end(-9)
    await rig.noted("a worker was killed by SIGKILL")
    await rig.logged("a worker was killed by SIGKILL")
    await until(lambda: len(launcher.workers) == 3)
    assert (await rig.ask()).status == 200


async def test_a_defect_of_ours_is_a_failed_endpoint_and_not_one_that_is_created_for_ever(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(ScriptedLauncher):
        def for_python(self, python: Path | None) -> ScriptedLauncher:
            raise KeyError("a defect")

    rig = Rig(tmp_path / "home", Broken(), HostingSettings(environ={}))
    await rig.host.start()
    rig.create(None)
    endpoint = await rig.settled()
    assert endpoint.failure_reason == "Internal failure of the host: KeyError('a defect')"
    assert "endpoint sentiment" in caplog.text
    await rig.host.close()
