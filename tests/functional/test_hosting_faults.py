"""Handlers at their worst, in real workers: one endpoint, whose requests say what goes wrong."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from sagelet.domain.invocation import Answer, Invocation, StreamedAnswer
from sagelet.errors import ModelStreamBroken
from sagelet.hosting.host import HostingSettings
from sagelet.supervision import package_path
from sagelet.supervision.launcher import Launchers
from tests.hosting_rig import Rig, until
from tests.serving_projects import write

HANDLERS = """
    import os
    import subprocess
    import threading
    import time


    def model_fn(model_dir):
        return "model"


    def input_fn(body, content_type):
        return bytes(body).decode() if not isinstance(body, str) else body


    def predict_fn(fault, model):
        return globals()[fault]() or str(os.getpid())


    def output_fn(prediction, accept):
        return prediction


    def nothing():
        return None


    def slow():
        time.sleep(30)


    def loop_in_c():
        return str(sum(range(10**15)))


    def flood():
        for _ in range(16):
            os.write(1, b"x" * 2**20)


    def gibberish():
        os.write(1, bytes(range(256)) * 4)
        os.write(2, b"no end")


    def close_output():
        os.close(1)
        os.close(2)


    def close_all():
        os.closerange(3, 256)


    def too_much_memory():
        return str(len(bytearray(2**62)))


    def children():
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
        return str(subprocess.Popen(["sleep", "600"]).pid)


    def large():
        return b"r" * (30 * 2**20)


    def parts():
        yield "one "
        yield "two"


    def dies_half_way():
        yield "one "
        time.sleep(0.05)
        os._exit(4)
"""


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """A host with an endpoint in service: one worker, two seconds a request."""
    launchers = Launchers(
        package_path=package_path.ensure(tmp_path / "pythonpath"),
        preload=("json",),
        on_note=lambda text: None,
    )
    rig = Rig(tmp_path / "home", launchers, HostingSettings(drain_s=5, stop_s=2))
    await rig.host.start()
    project = write(tmp_path / "project", {"code/inference.py": HANDLERS})
    environment = {"SAGEMAKER_MODEL_SERVER_TIMEOUT": "2", "SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
    rig.create(f"file://{project}", environment=environment)
    await rig.in_service()
    yield rig
    await rig.host.close()
    await launchers.close()


async def pid(rig: Rig) -> int:
    answer = await rig.ask(b"nothing")
    assert answer.status == 200, answer.body
    return int(answer.body)


def message(answer: Answer) -> str:
    return str(json.loads(answer.body)["message"])


async def test_a_worker_that_is_killed_is_answered_for_and_replaced_within_a_second(
    rig: Rig,
) -> None:
    victim = await pid(rig)
    asked = asyncio.ensure_future(rig.ask(b"slow"))
    await until(lambda: rig.host.facts("sentiment").variants[0].workers[0].is_busy)
    begun = time.monotonic()
    os.kill(victim, signal.SIGKILL)
    answer = await asked
    assert time.monotonic() - begun < 1
    assert answer.status == 507
    assert message(answer) == (
        "Worker died. It was killed by SIGKILL (the system may have run out of memory)."
    )
    assert await pid(rig) != victim
    assert time.monotonic() - begun < 2
    note = await rig.noted("a worker was killed by SIGKILL")
    assert "MiB); another one starts" in note


async def test_a_loop_in_c_is_ended_and_the_log_has_the_line_that_called_it(rig: Rig) -> None:
    answer = await rig.ask(b"loop_in_c")
    assert answer.status == 0
    assert answer.body.decode() == (
        "Your invocation timed out while waiting for a response from container primary. Review "
        "the latency metrics for each container in Amazon CloudWatch, resolve the issue, and try "
        "again."
    )
    assert await pid(rig) > 0
    number = 1 + HANDLERS.splitlines().index("        return str(sum(range(10**15)))")
    await rig.logged("Fatal Python error: Aborted")
    await rig.logged(f'code/inference.py", line {number} in loop_in_c')


async def test_output_that_is_no_text_and_none_at_all_costs_nothing(rig: Rig) -> None:
    before = await pid(rig)
    assert (await rig.ask(b"gibberish")).status == 200
    assert (await rig.ask(b"close_output")).status == 200
    await rig.logged("no end")
    assert await pid(rig) == before


async def test_a_flood_of_output_costs_nothing(rig: Rig) -> None:
    before = await pid(rig)
    assert (await rig.ask(b"flood")).status == 200
    assert await pid(rig) == before


async def test_a_worker_that_closes_its_own_socket_is_replaced(rig: Rig) -> None:
    before = await pid(rig)
    answer = await rig.ask(b"close_all")
    assert answer.status in (500, 507)
    assert message(answer).startswith("Worker died.")
    assert await pid(rig) != before


async def test_memory_that_python_refuses_is_an_answer_and_the_worker_stays(rig: Rig) -> None:
    before = await pid(rig)
    answer = await rig.ask(b"too_much_memory")
    assert answer.status == 500
    assert b"MemoryError" in answer.body
    assert await pid(rig) == before


async def test_what_a_handler_has_started_ends_with_its_worker(rig: Rig) -> None:
    child = psutil.Process(int((await rig.ask(b"children")).body))
    assert child.is_running()
    rig.delete()
    await until(lambda: rig.find() is None)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


async def test_thirty_megabytes_come_back_whole(rig: Rig) -> None:
    answer = await rig.ask(b"large")
    assert (answer.status, len(answer.body)) == (200, 30 * 2**20)


async def test_a_generator_is_streamed_joined_and_broken_when_its_worker_dies(rig: Rig) -> None:
    joined = await rig.ask(b"parts")
    assert joined.body == b"one two"
    streamed = await rig.host.stream(Invocation("sentiment", b"parts", content_type="text/plain"))
    assert isinstance(streamed, StreamedAnswer)
    assert [part async for part in streamed.parts] == [b"one ", b"two"]
    broken = await rig.host.stream(
        Invocation("sentiment", b"dies_half_way", content_type="text/plain")
    )
    assert isinstance(broken, StreamedAnswer)
    with pytest.raises(ModelStreamBroken) as error:
        assert [part async for part in broken.parts] == [b"one "]
    assert (error.value.code, error.value.message) == ("StreamBroken", "Worker died.")
    assert await pid(rig) > 0


async def test_a_worker_that_dies_over_a_broken_edit_is_replaced_after_the_next_good_one(
    rig: Rig, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    victim = await pid(rig)
    write(project, {"code/inference.py": HANDLERS.replace("def nothing():", "def nothing(:")})
    await rig.noted("is not served")
    assert await pid(rig) == victim
    os.kill(victim, signal.SIGKILL)
    note = await rig.noted("a new worker did not come up")
    assert "SyntaxError: invalid syntax" in note
    assert note.endswith("; no worker is left")
    waiting = asyncio.ensure_future(rig.ask(b"nothing"))
    write(project, {"code/inference.py": HANDLERS + "\n    # good again\n"})
    answer = await waiting
    assert answer.status == 200, answer.body
    assert int(answer.body) != victim
