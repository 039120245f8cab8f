"""The log lines of one request, with real workers: Python, C, children, crashes, many at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sagelet.domain.invocation import Answer, Invocation
from sagelet.hosting.host import HostingSettings
from sagelet.supervision import package_path
from sagelet.supervision.launcher import Launchers
from tests.hosting_rig import Rig
from tests.serving_projects import write

HANDLERS = """
    import ctypes
    import os
    import subprocess
    import sys

    C = ctypes.CDLL(None)
    C.puts(b"C while loading, held back")

    def model_fn(model_dir):
        print("loading, without an end", end="")
        return None

    def input_fn(body, content_type):
        return body.decode()

    def predict_fn(data, model):
        if data == "die":
            print("last words")
            sys.stdout.flush()
            os._exit(3)
        if data == "forge":
            print("\\x1e" + "0" * 32 + "-")
        print("python of", data)
        print("error of", data, file=sys.stderr)
        C.puts(b"C of " + data.encode())
        subprocess.run(["echo", "child of", data], check=True)
        print("no end of", data, end="")
        return data

    def output_fn(prediction, accept):
        return prediction

    def predict_batch_fn(inputs, model):
        return [predict_fn(each, model) for each in inputs]
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
    project = write(tmp_path / "project", {"code/inference.py": HANDLERS})
    rig.create(project.as_uri(), environment={"SAGEMAKER_MODEL_SERVER_WORKERS": "2"})
    await rig.in_service()
    yield rig
    await rig.host.close()
    await launchers.close()


async def traced(rig: Rig, body: str) -> tuple[Answer, tuple[str, ...]]:
    asked = Invocation("sentiment", body.encode(), content_type="text/plain", trace=f"run-{body}")
    answer = await rig.host.submit(asked)
    return answer, await rig.host.lines_of(asked.trace, 5)


def wanted(name: str) -> list[str]:
    return sorted(
        [f"python of {name}", f"error of {name}", f"C of {name}", f"child of {name}",
         f"no end of {name}"]
    )  # fmt: skip


def separate(lines: tuple[str, ...]) -> list[str]:
    """Return lines without C's, which comes after what stands before it without an end."""
    text = "\n".join(lines)
    return sorted(part for part in text.replace("C of", "\nC of").split("\n") if part)


async def test_a_request_has_its_own_lines_and_no_others(rig: Rig) -> None:
    for name in ("one", "two"):
        answer, lines = await traced(rig, name)
        assert answer.body == name.encode()
        assert separate(lines) == wanted(name)


async def test_requests_at_the_same_time_do_not_mix(rig: Rig) -> None:
    names = [f"n{number}" for number in range(20)]
    others = [rig.ask(f"o{number}".encode()) for number in range(20)]
    told, _ = await asyncio.gather(
        asyncio.gather(*(traced(rig, name) for name in names)), asyncio.gather(*others)
    )
    for name, (_, lines) in zip(names, told, strict=True):
        assert separate(lines) == wanted(name)


async def test_a_worker_that_dies_leaves_its_lines(rig: Rig) -> None:
    answer, lines = await traced(rig, "die")
    assert answer.status == 500
    assert lines == ("last words",)


async def test_a_mark_that_a_handler_prints_does_not_end_the_request(rig: Rig) -> None:
    _, lines = await traced(rig, "forge")
    assert separate(lines) == sorted(["\x1e" + "0" * 32 + "-", *wanted("forge")])


async def test_the_log_has_everything_and_no_mark(rig: Rig) -> None:
    await traced(rig, "one")
    await rig.ask(b"two")
    await rig.logged("python of two")
    assert not [line for line in rig.log() if "\x1e" in line]
    assert any("python of one" in line for line in rig.log())
