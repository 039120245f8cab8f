"""The host is closed at each turn of the event loop that something takes: no worker is left."""

from __future__ import annotations

import asyncio
import io
import tarfile
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from sagelet.domain.hosting import Variant
from sagelet.domain.invocation import Invocation
from sagelet.hosting.host import HostingSettings
from sagelet.hosting.parking import Parkable, Parking
from tests.hosting_rig import DEADLINE_S, Rig
from tests.pool_rig import LOAD_FAILED, PoolRig
from tests.scripted_workers import ScriptedLauncher, ScriptedWorker
from tests.serving_projects import write

TURNS = 30
"""More than anything here takes, but for the time that lines of the log may wait."""

Begun: TypeAlias = Callable[[Rig, ScriptedLauncher, Path], Coroutine[Any, Any, None]]


class AtOnce(ThreadPoolExecutor):
    """Does everything in the turn in which it is asked for, so that turns can be counted."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  what it raised is what its future raises
            done.set_exception(error)
        return done


class Prints(ScriptedWorker):
    """Has something in the log that whoever starts it waits for; takes no edit on."""

    def first_words(self) -> dict[str, Any] | None:
        self.write(b"loading\n")
        return super().first_words()

    def prepared(self, header: dict[str, Any]) -> dict[str, Any]:
        return {"op": "needs_fresh", "generation": header["generation"], "why": "weights"}


class DoesNotLoad(ScriptedWorker):
    def first_words(self) -> dict[str, Any]:
        return LOAD_FAILED


async def _turns_until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0)


def _project(folder: Path) -> str:
    return f"file://{write(folder, {'code/inference.py': 'x = 1', 'model.bin': 'w'})}"


async def _creation(rig: Rig, launcher: ScriptedLauncher, folder: Path) -> None:
    del launcher, folder
    rig.create(None)


async def _creation_of_two_variants_of_which_one_fails(
    rig: Rig, launcher: ScriptedLauncher, folder: Path
) -> None:
    del folder
    launcher.plans.extend([Prints, Prints, Prints, DoesNotLoad])
    variants = [Variant(name, "sentiment", "local", weight=1) for name in ("blue", "green")]
    rig.create(None, variants=tuple(variants))


async def _update(rig: Rig, launcher: ScriptedLauncher, folder: Path) -> None:
    del launcher, folder
    rig.create(None)
    await rig.in_service()
    rig.update(None)


async def _edit(rig: Rig, launcher: ScriptedLauncher, folder: Path) -> None:
    rig.create(_project(folder))
    await rig.in_service()
    write(folder, {"code/inference.py": "x = 2"})
    await _turns_until(lambda: any(worker.asked for worker in launcher.workers))


async def _repair(rig: Rig, launcher: ScriptedLauncher, folder: Path) -> None:
    launcher.kind = DoesNotLoad
    rig.create(_project(folder))
    await rig.settled()
    launcher.kind, failed = Prints, len(launcher.workers)
    write(folder, {"model.bin": "other"})
    await _turns_until(lambda: len(launcher.workers) > failed)


async def _model_that_takes_the_room_of_another(
    rig: Rig, launcher: ScriptedLauncher, folder: Path
) -> None:
    del folder
    rig.buckets.create_bucket("models")
    for name in ("a", "b"):
        rig.buckets.put("models", f"many/{name}.tar.gz", io.BytesIO(_archive()))
    environment = {"SAGEMAKER_MULTI_MODEL": "true", "SAGELET_MAX_MODELS": "1"}
    rig.create("s3://models/many/", environment=environment)
    await rig.in_service()
    await rig.host.submit(Invocation("sentiment", b"", target_model="a.tar.gz"))
    loaded = len(launcher.workers)
    asked = rig.host.submit(Invocation("sentiment", b"", target_model="b.tar.gz"))
    asked.add_done_callback(lambda done: done.exception())  # it is answered, or the host is closed
    await _turns_until(lambda: len(launcher.workers) > loaded)


def _archive() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("code/inference.py"))
    return packed.getvalue()


@pytest.mark.parametrize(
    "begun",
    [
        _creation,
        _creation_of_two_variants_of_which_one_fails,
        _update,
        _edit,
        _repair,
        _model_that_takes_the_room_of_another,
    ],
)
async def test_whenever_the_host_is_closed_no_worker_is_left(begun: Begun, tmp_path: Path) -> None:
    asyncio.get_running_loop().set_default_executor(AtOnce())
    left = []
    for turns in range(TURNS):
        launcher = ScriptedLauncher(Prints)
        root = tmp_path / str(turns)
        rig = Rig(root / "home", launcher, HostingSettings(workers=2, drain_s=5, stop_s=2))
        await rig.host.start()
        await begun(rig, launcher, root / "project")
        for _ in range(turns):
            await asyncio.sleep(0)
        await rig.host.close()
        if not all(child.has_ended for child in launcher.children):
            left.append(turns)
    assert left == []


async def test_whenever_the_host_is_closed_a_deletion_that_was_asked_for_is_finished(
    tmp_path: Path,
) -> None:
    asyncio.get_running_loop().set_default_executor(AtOnce())
    left = []
    for turns in range(TURNS):
        launcher = ScriptedLauncher()
        rig = Rig(tmp_path / str(turns), launcher)
        await rig.host.start()
        rig.create(None)
        await rig.in_service()
        rig.delete()
        for _ in range(turns):
            await asyncio.sleep(0)
        await rig.host.close()
        if rig.find() is not None or not all(child.has_ended for child in launcher.children):
            left.append(turns)
    assert left == []


async def test_whenever_parking_is_over_no_worker_that_was_being_parked_is_left() -> None:
    left = []
    for turns in range(TURNS):
        rig = PoolRig(ScriptedWorker)
        await rig.pool.start()
        parkable = Parkable(rig.pool, 0.0, lambda: None)
        parking = Parking(lambda: [parkable], live_workers=2, every_s=0)  # noqa: B023
        parking.start()
        await _turns_until(lambda: rig.pool.is_parked)  # noqa: B023
        for _ in range(turns):
            await asyncio.sleep(0)
        await parking.close()
        if not all(child.has_ended for child in rig.launcher.children):
            left.append(turns)
        await rig.pool.drain(0)
    assert left == []
