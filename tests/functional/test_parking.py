"""Idle endpoints: their workers are stopped, and the next request starts them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from sagelet.errors import EndpointNotInService
from sagelet.hosting.settings import HostingSettings
from tests.hosting_rig import Rig, until
from tests.scripted_workers import ScriptedLauncher

Hosting: TypeAlias = Callable[..., AbstractAsyncContextManager[Rig]]


@pytest.fixture
def launcher() -> ScriptedLauncher:
    return ScriptedLauncher()


@pytest.fixture
def hosting(tmp_path: Path, launcher: ScriptedLauncher) -> Hosting:
    @asynccontextmanager
    async def hosting(**settings: object) -> AsyncIterator[Rig]:
        chosen = HostingSettings(workers=1, stop_s=2, **settings)  # type: ignore[arg-type]  # as told
        rig = Rig(tmp_path / "home", launcher, chosen)
        await rig.host.start()
        yield rig
        await rig.host.close()

    return hosting


def parked(rig: Rig, name: str = "sentiment") -> bool:
    (variant,) = rig.host.facts(name).variants
    return variant.is_parked


async def test_an_endpoint_is_parked_when_it_was_idle_for_long(
    hosting: Hosting, launcher: ScriptedLauncher
) -> None:
    async with hosting(park_after_s=0.2) as rig:
        rig.create(None)
        await rig.in_service()
        await until(lambda: parked(rig))
        assert await rig.noted("parked") == "parked: the next request wakes it"
        await until(lambda: launcher.children[0].has_ended)
        answers = await asyncio.gather(*(rig.ask(b"%d" % number) for number in range(5)))
        assert [answer.body for answer in answers] == [b"echo %d" % n for n in range(5)]
        assert len(launcher.workers) == 2
        await until(lambda: parked(rig))


async def test_a_model_says_how_long_it_may_be_idle(hosting: Hosting) -> None:
    async with hosting() as rig:
        rig.create(None, name="stays")
        rig.create(None, name="rests", environment={"SAGELET_PARK_AFTER": "1"})
        await rig.in_service("stays")
        await rig.in_service("rests")
        await until(lambda: parked(rig, "rests"))
        assert not parked(rig, "stays")


async def test_where_too_many_workers_live_those_that_were_idle_longest_rest(
    hosting: Hosting,
) -> None:
    async with hosting(live_workers=2) as rig:
        names = ("first", "second", "third")
        for name in names:
            rig.create(None, name=name)
            await rig.in_service(name)
        await rig.ask(name="second")
        await rig.ask(name="first")
        await until(lambda: any(parked(rig, name) for name in names))
        assert [name for name in names if parked(rig, name)] == ["third"]


async def test_a_parked_endpoint_is_deleted_like_others(hosting: Hosting) -> None:
    async with hosting(park_after_s=0.1) as rig:
        rig.create(None)
        await rig.in_service()
        await until(lambda: parked(rig))
        rig.delete()
        await until(lambda: rig.find() is None)


async def test_facts_tell_what_serves(hosting: Hosting) -> None:
    async with hosting() as rig:
        with pytest.raises(EndpointNotInService):
            rig.host.facts("sentiment")
        rig.create(None)
        await rig.in_service()
        await rig.ask()
        facts = rig.host.facts("sentiment")
        (variant,) = facts.variants
        assert (facts.endpoint, facts.port) == ("sentiment", None)
        assert (variant.variant, variant.generation, variant.requests) == ("AllTraffic", 1, 1)
        assert len(variant.workers) == 1
