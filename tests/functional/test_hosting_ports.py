"""Containers of endpoints at ports of their own, with scripted workers and scripted ports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sagelet.domain.hosting import EndpointStatus, Variant
from sagelet.domain.invocation import Answer, Invocation
from sagelet.hosting.host import HostingSettings
from sagelet.worker.frames import Frame
from tests.hosting_rig import Rig, until
from tests.scripted_workers import ScriptedLauncher, ScriptedWorker, answer

PORT = {"SAGEMAKER_BIND_TO_PORT": "8080"}
SETTINGS = HostingSettings(workers=2, drain_s=5, stop_s=2)
ASKED = Invocation("sentiment", b"hello")


class Tells(ScriptedWorker):
    def answer(self, header: dict[str, Any], body: bytes) -> Frame | None:
        return answer(b"generation %d" % self.order.generation)


class Loading(Tells):
    """Loads for as long as it is let."""

    def first_words(self) -> dict[str, Any] | None:
        return None

    def loaded(self) -> None:
        self.say(Frame(Tells.first_words(self) or {}))


class DoesNotLoad(ScriptedWorker):
    def first_words(self) -> dict[str, Any]:
        return {
            "op": "load_failed",
            "error": "ValueError: no",
            "where": "",
            "traceback": "no",
            "advice": "",
        }


@pytest.fixture
def launcher() -> ScriptedLauncher:
    return ScriptedLauncher(Tells)


@pytest.fixture
async def rig(tmp_path: Path, launcher: ScriptedLauncher) -> AsyncIterator[Rig]:
    rig = Rig(tmp_path / "home", launcher, SETTINGS)
    await rig.host.start()
    yield rig
    await rig.host.close()


async def _says(rig: Rig, port: int = 8080) -> bytes:
    said = await rig.ports.behind(port).answer(ASKED)
    assert isinstance(said, Answer)
    return said.body


async def test_a_port_is_opened_only_where_a_model_asks_for_one(rig: Rig) -> None:
    rig.create(None)
    await rig.in_service()

    assert rig.ports.open_ports == {}


async def test_a_container_is_healthy_once_all_workers_have_loaded(
    rig: Rig, launcher: ScriptedLauncher
) -> None:
    launcher.plans.extend([Tells, Loading])
    rig.create(None, environment=PORT)
    await until(lambda: len(launcher.workers) == 2)
    before = rig.ports.behind(8080).why_unhealthy
    asking = asyncio.create_task(_says(rig))
    worker = launcher.workers[1]
    assert isinstance(worker, Loading)
    worker.loaded()
    await rig.in_service()

    assert before == "its workers are loading the model"
    assert rig.ports.behind(8080).why_unhealthy == ""
    assert await asking == b"generation 1"
    assert rig.ports.behind(8080).workers == 2
    assert rig.ports.behind(8080).many is None


async def test_a_dead_worker_is_told_until_another_has_loaded(
    rig: Rig, launcher: ScriptedLauncher
) -> None:
    rig.create(None, environment=PORT)
    await rig.in_service()
    launcher.plans.append(Loading)

    launcher.workers[0].end(1)
    await until(lambda: len(launcher.workers) == 3)

    assert rig.ports.behind(8080).why_unhealthy == "1 of 2 workers have loaded"
    replacement = launcher.workers[2]
    assert isinstance(replacement, Loading)
    replacement.loaded()
    await until(lambda: rig.ports.behind(8080).why_unhealthy == "")


async def test_a_port_that_is_taken_fails_the_endpoint(rig: Rig) -> None:
    rig.ports.taken = (8080,)
    rig.create(None, environment=PORT)

    endpoint = await rig.settled()

    assert endpoint.status is EndpointStatus.FAILED
    assert endpoint.failure_reason == "port 8080 is used by pid 1 (init)"


async def test_a_port_of_another_endpoint_is_taken(rig: Rig) -> None:
    rig.create(None, environment=PORT)
    await rig.in_service()
    rig.create(None, name="other", environment=PORT)

    endpoint = await rig.settled("other")

    assert endpoint.failure_reason == "port 8080 is used by endpoint sentiment"
    assert await _says(rig) == b"generation 1"


async def test_two_variants_cannot_have_one_port(rig: Rig) -> None:
    variants = (Variant("a", "sentiment", "local"), Variant("b", "sentiment", "local"))
    rig.create(None, environment=PORT, variants=variants)

    endpoint = await rig.settled()

    assert endpoint.failure_reason == "port 8080 is used by endpoint sentiment"
    assert rig.ports.open_ports == {}


async def test_an_update_takes_the_port_over_without_a_gap(
    rig: Rig, launcher: ScriptedLauncher
) -> None:
    rig.create(None, environment=PORT)
    await rig.in_service()
    launcher.plans.extend([Loading, Loading])
    rig.update(None, environment=PORT)
    await until(lambda: len(launcher.workers) == 4)

    assert await _says(rig) == b"generation 1"
    for worker in launcher.workers[2:]:
        assert isinstance(worker, Loading)
        worker.loaded()
    await rig.in_service()

    assert await _says(rig) == b"generation 2"
    assert rig.ports.closed == []


async def test_an_update_that_fails_leaves_the_port_as_it_was(
    rig: Rig, launcher: ScriptedLauncher
) -> None:
    rig.create(None, environment=PORT)
    await rig.in_service()
    launcher.kind = DoesNotLoad
    rig.update(None, environment=PORT)
    await rig.settled()

    assert await _says(rig) == b"generation 1"


async def test_an_update_to_another_port_closes_the_old_one(rig: Rig) -> None:
    rig.create(None, environment=PORT)
    await rig.in_service()
    rig.update(None, environment={"SAGEMAKER_BIND_TO_PORT": "9090"})
    await rig.in_service()

    await until(lambda: [port for port, _ in rig.ports.closed] == [8080])
    assert [*rig.ports.open_ports] == [9090]


async def test_what_does_not_load_has_no_port(rig: Rig, launcher: ScriptedLauncher) -> None:
    launcher.kind = DoesNotLoad
    rig.create(None, environment=PORT)
    await rig.settled()

    assert rig.ports.open_ports == {}


async def test_who_waits_for_a_model_that_does_not_load_is_answered(
    rig: Rig, launcher: ScriptedLauncher
) -> None:
    launcher.plans.append(Loading)
    rig.create(None, environment=PORT)
    await until(lambda: 8080 in rig.ports.open_ports)
    asking = asyncio.create_task(_says(rig))
    await until(lambda: bool(launcher.workers))
    launcher.workers[0].end(1)

    assert b"its model did not load" in await asking


async def test_deleting_an_endpoint_closes_its_port(rig: Rig) -> None:
    rig.create(None, environment=PORT)
    await rig.in_service()
    rig.delete()
    await until(lambda: rig.find() is None)

    assert rig.ports.open_ports == {}
    assert rig.ports.closed == [(8080, 5)]


async def test_a_restart_opens_the_port_again(rig: Rig, launcher: ScriptedLauncher) -> None:
    rig.create(None, environment=PORT)
    await rig.in_service()
    await rig.host.close()
    assert rig.ports.open_ports == {}

    again = Rig(rig.home.root, launcher, SETTINGS, store=rig.store)
    await again.host.start()
    await again.in_service()

    assert again.ports.behind(8080).endpoint == "sentiment"
    await again.host.close()


@pytest.mark.parametrize("value", ["eighty", "0", "65536"])
async def test_a_port_that_makes_no_sense_is_named(rig: Rig, value: str) -> None:
    rig.create(None, environment={"SAGEMAKER_BIND_TO_PORT": value})

    endpoint = await rig.settled()

    assert "SAGEMAKER_BIND_TO_PORT" in (endpoint.failure_reason or "")
