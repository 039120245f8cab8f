"""Weights of a running endpoint's variants, with scripted workers."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sagelet.domain.hosting import EndpointStatus, Variant
from sagelet.errors import VariantNotFound
from sagelet.hosting.host import HostingSettings
from tests.hosting_rig import Rig
from tests.scripted_workers import ScriptedLauncher

BLUE = Variant("blue", "sentiment", "local", weight=1.0)
GREEN = Variant("green", "sentiment", "local", weight=0.0)
SETTINGS = HostingSettings(workers=1, drain_s=5, stop_s=2)


@pytest.fixture
def launcher() -> ScriptedLauncher:
    return ScriptedLauncher()


@pytest.fixture
async def rig(tmp_path: Path, launcher: ScriptedLauncher) -> AsyncIterator[Rig]:
    rig = Rig(tmp_path / "home", launcher, SETTINGS)
    await rig.host.start()
    yield rig
    await rig.host.close()


async def _seen(rig: Rig, times: int = 20) -> Counter[str]:
    return Counter([(await rig.ask()).variant for _ in range(times)])


async def test_new_weights_take_effect_while_the_workers_go_on(
    rig: Rig, launcher: ScriptedLauncher
) -> None:
    rig.create(None, variants=(BLUE, GREEN))
    await rig.in_service()
    assert await _seen(rig) == {"blue": 20}
    generation = (await rig.ask()).generation

    rig.reweigh(Variant("blue", "sentiment", "local", weight=0.0), GREEN)
    await rig.in_service()
    with pytest.raises(VariantNotFound):
        await rig.ask()
    rig.reweigh(
        Variant("blue", "sentiment", "local", weight=0.0),
        Variant("green", "sentiment", "local", 3, 4.0),
    )
    endpoint = await rig.in_service()

    assert await _seen(rig) == {"green": 20}
    assert (await rig.ask()).generation == generation
    assert len(launcher.workers) == 2
    assert endpoint.serving is not None
    assert [v.weight for v in endpoint.serving.config.variants] == [0.0, 4.0]
    assert [v.instance_count for v in endpoint.serving.config.variants] == [1, 3]


async def test_a_restart_keeps_the_weights(rig: Rig, launcher: ScriptedLauncher) -> None:
    rig.create(None, variants=(BLUE, GREEN))
    await rig.in_service()
    rig.reweigh(
        Variant("blue", "sentiment", "local", weight=0.0),
        Variant("green", "sentiment", "local", weight=2.0),
    )
    await rig.in_service()
    await rig.host.close()

    again = Rig(rig.home.root, launcher, SETTINGS, store=rig.store)
    await again.host.start()

    assert (await again.in_service()).status is EndpointStatus.IN_SERVICE
    assert await _seen(again) == {"green": 20}
    await again.host.close()


async def test_new_weights_that_were_recorded_before_a_crash_are_there_after_it(
    rig: Rig, launcher: ScriptedLauncher
) -> None:
    rig.create(None, variants=(BLUE, GREEN))
    await rig.in_service()
    await rig.host.close()
    rig.reweigh(Variant("blue", "sentiment", "local", weight=0.0), GREEN)

    again = Rig(rig.home.root, launcher, SETTINGS, store=rig.store)
    await again.host.start()

    await again.in_service()
    with pytest.raises(VariantNotFound):
        await again.ask()
    assert (await again.ask(target_variant="green")).variant == "green"
    await again.host.close()


async def test_an_update_to_the_same_configuration_starts_new_workers(
    rig: Rig, launcher: ScriptedLauncher
) -> None:
    rig.create(None)
    await rig.in_service()
    before = (await rig.ask()).generation

    rig.update(None)
    await rig.in_service()

    assert (await rig.ask()).generation > before
    assert len(launcher.workers) == 2
