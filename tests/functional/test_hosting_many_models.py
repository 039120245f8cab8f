"""A container of several models, with scripted workers."""

from __future__ import annotations

import asyncio
import hashlib
import io
import tarfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sagelet.artifacts.uris import FileUri
from sagelet.domain.container import LoadedModel, ManyModels
from sagelet.domain.hosting import EndpointStatus
from sagelet.domain.invocation import Answer, Invocation
from sagelet.errors import (
    InvalidRequest,
    ModelAlreadyLoaded,
    ModelDataMissing,
    ModelNotLoaded,
    ModelNotReady,
    NoRoomForModel,
    TargetModelMissing,
    TargetModelNotSupported,
    TargetModelRequired,
    UnsafeArchive,
    WorkerStartFailed,
)
from sagelet.hosting.host import HostingSettings
from sagelet.worker.frames import Frame
from tests.builders import an_endpoint
from tests.hosting_rig import Rig, a_serving_of, until
from tests.scripted_workers import ScriptedLauncher, ScriptedWorker, answer
from tests.serving_projects import write

SETTINGS = HostingSettings(workers=2, drain_s=5, stop_s=2)
MANY = {"SAGEMAKER_MULTI_MODEL": "true", "SAGEMAKER_BIND_TO_PORT": "8080"}


class Reads(ScriptedWorker):
    """Answers with the file `name` of its model and what it was asked."""

    def answer(self, header: dict[str, Any], body: bytes) -> Frame | None:
        return answer(self.name + b" " + body)

    @property
    def name(self) -> bytes:
        assert self.order.mounts is not None
        place = self.order.model_dir.removeprefix("/opt/ml/")
        return (Path(self.order.mounts.opt_ml) / place / "name").read_bytes()


class Loading(Reads):
    def first_words(self) -> dict[str, Any] | None:
        return None

    def loaded(self) -> None:
        self.say(Frame(Reads.first_words(self) or {}))


class Slow(Reads):
    """Answers when it is told to."""

    def answer(self, header: dict[str, Any], body: bytes) -> Frame | None:
        self.asked_id = header["id"]
        return None

    def finish(self) -> None:
        self.say(answer(self.name, id=self.asked_id))


class DoesNotLoad(ScriptedWorker):
    def first_words(self) -> dict[str, Any]:
        return {
            "op": "load_failed",
            "error": "ValueError: no",
            "where": "",
            "traceback": "tb",
            "advice": "",
        }


@pytest.fixture
def launcher() -> ScriptedLauncher:
    return ScriptedLauncher(Reads)


@pytest.fixture
async def rig(tmp_path: Path, launcher: ScriptedLauncher) -> AsyncIterator[Rig]:
    rig = Rig(tmp_path / "home", launcher, SETTINGS)
    rig.buckets.create_bucket("models")
    for name in ("a", "b", "c"):
        rig.buckets.put("models", f"many/{name}.tar.gz", io.BytesIO(_archive(name)))
    await rig.host.start()
    yield rig
    await rig.host.close()


def _archive(name: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path, text in {"name": name, "code/inference.py": ""}.items():
            member = tarfile.TarInfo(path)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


async def _serve(rig: Rig, url: str = "s3://models/many/", **environment: str) -> None:
    rig.create(url, environment={**MANY, **environment})
    await rig.in_service()


async def _ask(rig: Rig, target: str | None, body: bytes = b"hello") -> Answer:
    return await rig.host.submit(Invocation("sentiment", body, target_model=target))


async def _says(rig: Rig, target: str) -> str:
    return (await _ask(rig, target)).body.decode()


def _many(rig: Rig) -> ManyModels:
    many = rig.ports.behind(8080).many
    assert many is not None
    return many


async def test_a_model_is_loaded_when_it_is_first_asked_for(
    rig: Rig, launcher: ScriptedLauncher
) -> None:
    await _serve(rig)
    before = len(launcher.workers)

    says = [await _says(rig, f"{name}.tar.gz") for name in "aba"]

    assert (before, says) == (0, ["a hello", "b hello", "a hello"])
    assert len(launcher.workers) == 2
    assert launcher.workers[0].order.model_dir.startswith("/opt/ml/models/")
    assert launcher.workers[0].order.code_dir.endswith("/model/code")


async def test_requests_for_a_model_that_is_being_loaded_wait_for_it(
    rig: Rig, launcher: ScriptedLauncher
) -> None:
    await _serve(rig)
    launcher.plans.append(Loading)
    asking = [asyncio.create_task(_says(rig, "a.tar.gz")) for _ in range(3)]
    await until(lambda: bool(launcher.workers))
    worker = launcher.workers[0]
    assert isinstance(worker, Loading)
    worker.loaded()

    assert await asyncio.gather(*asking) == ["a hello"] * 3
    assert len(launcher.workers) == 1


async def test_the_least_recently_used_model_makes_room(
    rig: Rig, launcher: ScriptedLauncher
) -> None:
    await _serve(rig, SAGELET_MAX_MODELS="2")
    for target in ("a.tar.gz", "b.tar.gz", "a.tar.gz", "c.tar.gz"):
        await _ask(rig, target)

    await until(lambda: launcher.children[1].has_ended)
    loaded = {model.name for model in _many(rig).models()}
    assert loaded == {_name_of("a.tar.gz"), _name_of("c.tar.gz")}
    assert await _says(rig, "b.tar.gz") == "b hello"
    assert len(launcher.workers) == 4


async def test_a_model_that_makes_room_answers_what_it_was_asked(
    rig: Rig, launcher: ScriptedLauncher
) -> None:
    await _serve(rig, SAGELET_MAX_MODELS="1")
    launcher.plans.append(Slow)
    asking = asyncio.create_task(_says(rig, "a.tar.gz"))
    await until(lambda: bool(launcher.workers) and hasattr(launcher.workers[0], "asked_id"))

    assert await _says(rig, "b.tar.gz") == "b hello"
    slow = launcher.workers[0]
    assert isinstance(slow, Slow)
    slow.finish()
    assert await asking == "a"


async def test_more_models_than_there_is_room_for_all_answer_at_once(rig: Rig) -> None:
    await _serve(rig, SAGELET_MAX_MODELS="1")

    said = await asyncio.gather(*(_says(rig, f"{name}.tar.gz") for name in "abcabcabc"))

    assert said == [f"{name} hello" for name in "abcabcabc"]
    assert len(_many(rig).models()) == 1


async def test_models_may_be_folders_and_archives_below_a_folder(rig: Rig, tmp_path: Path) -> None:
    folder = write(tmp_path / "many", {"x/name": "x", "x/code/inference.py": ""})
    (folder / "y.tar.gz").write_bytes(_archive("y"))
    await _serve(rig, f"file://{folder}")

    assert await _says(rig, "x") == "x hello"
    assert await _says(rig, "y.tar.gz") == "y hello"


async def test_a_model_that_is_not_there_is_said_in_awss_words(rig: Rig) -> None:
    await _serve(rig)

    with pytest.raises(TargetModelMissing) as caught:
        await _ask(rig, "zzz.tar.gz")

    assert str(caught.value) == (
        "Failed to download model data(bucket: models, key: many/zzz.tar.gz). Please ensure that "
        "there is an object located at the URL and that the role passed to CreateModel has "
        "permissions to download the model."
    )


@pytest.mark.parametrize("target", ["../secret", "/etc", "a/../../b"])
async def test_a_target_outside_of_the_prefix_is_refused(rig: Rig, target: str) -> None:
    await _serve(rig)

    with pytest.raises(InvalidRequest, match="is no path below"):
        await _ask(rig, target)


async def test_an_archive_that_is_refused_is_said_to_be(rig: Rig) -> None:
    rig.buckets.put("models", "many/bad.tar.gz", io.BytesIO(b"<html>"))
    await _serve(rig)

    with pytest.raises(UnsafeArchive):
        await _ask(rig, "bad.tar.gz")


async def test_the_model_must_be_named_where_there_are_several_and_only_there(rig: Rig) -> None:
    await _serve(rig)
    rig.create(None, name="one")
    await rig.in_service("one")

    with pytest.raises(TargetModelRequired):
        await _ask(rig, None)
    with pytest.raises(TargetModelNotSupported) as caught:
        await rig.host.submit(Invocation("one", b"", target_model="a.tar.gz"))
    assert str(caught.value) == (
        "Endpoint one is not a multi-model endpoint and does not support target model header."
    )


async def test_a_model_that_does_not_load_answers_as_the_container_does(
    rig: Rig, launcher: ScriptedLauncher
) -> None:
    await _serve(rig)
    launcher.plans.append(DoesNotLoad)

    answer = await _ask(rig, "a.tar.gz")

    assert (answer.status, answer.variant) == (500, "AllTraffic")
    assert b"Failed to start workers for model" in answer.body
    assert b"ValueError: no" in answer.body
    assert await _says(rig, "a.tar.gz") == "a hello"


async def test_a_model_that_takes_too_long_goes_on_loading(
    rig: Rig, launcher: ScriptedLauncher
) -> None:
    await _serve(rig, SAGEMAKER_MODEL_SERVER_TIMEOUT="1")
    launcher.plans.append(Loading)

    with pytest.raises(ModelNotReady):
        await _ask(rig, "a.tar.gz")
    worker = launcher.workers[0]
    assert isinstance(worker, Loading)
    worker.loaded()

    assert await _says(rig, "a.tar.gz") == "a hello"
    assert len(launcher.workers) == 1


async def test_a_container_is_told_to_load_and_unload(rig: Rig, launcher: ScriptedLauncher) -> None:
    await _serve(rig, SAGELET_MAX_MODELS="2")
    many = _many(rig)

    await many.load("first", "/opt/ml/models/a/model")
    await many.load("second", "s3://models/many/b.tar.gz")

    assert many.models() == (
        LoadedModel("first", "/opt/ml/models/a/model"),
        LoadedModel("second", "s3://models/many/b.tar.gz"),
    )
    said = await rig.ports.behind(8080).answer(
        Invocation("sentiment", b"hello", target_model="second")
    )
    assert isinstance(said, Answer)
    assert said.body == b"b hello"
    with pytest.raises(ModelAlreadyLoaded):
        await many.load("first", "c.tar.gz")
    with pytest.raises(NoRoomForModel):
        await many.load("third", "c.tar.gz")
    await many.unload("first")
    assert launcher.children[0].has_ended
    with pytest.raises(ModelNotLoaded):
        await many.unload("first")
    await many.load("third", "c.tar.gz")


@pytest.mark.parametrize("url", ["/etc", "s3://other/a.tar.gz", "zzz", "../many/a", "file:///etc"])
async def test_a_container_loads_nothing_from_elsewhere(rig: Rig, url: str) -> None:
    await _serve(rig)

    with pytest.raises(ModelDataMissing):
        await _many(rig).load("first", url)


async def test_a_container_loads_from_its_folder_by_path_and_by_url(
    rig: Rig, tmp_path: Path
) -> None:
    folder = write(tmp_path / "so many", {"x/name": "x", "x/code/inference.py": ""})
    await _serve(rig, str(FileUri(folder)))

    for number, url in enumerate((str(folder / "x"), str(FileUri(folder / "x")), "x")):
        await _many(rig).load(f"x{number}", url)
    with pytest.raises(ModelDataMissing):
        await _many(rig).load("other", str(tmp_path))


async def test_a_model_that_a_container_cannot_load_is_not_kept(
    rig: Rig, launcher: ScriptedLauncher
) -> None:
    await _serve(rig)
    launcher.plans.append(DoesNotLoad)

    with pytest.raises(WorkerStartFailed):
        await _many(rig).load("first", "a.tar.gz")

    assert _many(rig).models() == ()


async def test_deleting_the_endpoint_ends_every_model_even_one_that_loads(
    rig: Rig, launcher: ScriptedLauncher
) -> None:
    await _serve(rig)
    await _ask(rig, "a.tar.gz")
    launcher.plans.append(Loading)
    asking = asyncio.create_task(_ask(rig, "b.tar.gz"))
    await until(lambda: len(launcher.workers) == 2)

    rig.delete()
    await until(lambda: rig.find() is None)

    assert all(child.has_ended for child in launcher.children)
    assert not rig.home.endpoint("ULID-sentiment").exists()
    with pytest.raises(ModelNotReady):
        await asking


async def test_mode_multi_model_is_as_good_as_the_variable(rig: Rig) -> None:
    serving = a_serving_of("s3://models/many/")
    model = replace(serving.models["sentiment"], is_multi=True)
    wanted = replace(serving, models={"sentiment": model})
    endpoint = an_endpoint(status=EndpointStatus.CREATING, wanted=wanted)
    with rig.store.writing() as tx:
        tx.endpoints.add(endpoint)
    rig.host.converge(endpoint)
    await rig.in_service()

    assert await _says(rig, "a.tar.gz") == "a hello"


async def test_the_facts_are_of_all_models_together(rig: Rig) -> None:
    await _serve(rig)
    for target in ("a.tar.gz", "b.tar.gz", "b.tar.gz"):
        await _ask(rig, target)

    facts = rig.host.facts("sentiment")

    (variant,) = facts.variants
    assert (variant.requests, len(variant.workers), facts.port) == (3, 2, 8080)


async def test_without_a_place_for_models_the_endpoint_fails(rig: Rig) -> None:
    rig.create(None, environment=MANY)

    endpoint = await rig.settled()

    assert endpoint.status is EndpointStatus.FAILED
    assert "needs a ModelDataUrl" in (endpoint.failure_reason or "")


def _name_of(target: str) -> str:
    return hashlib.sha256(target.encode()).hexdigest()[:32]
