"""Endpoints with real workers: processes, /opt/ml, torch, edits, signals."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sagelet.artifacts.archives import pack
from sagelet.domain.hosting import EndpointStatus
from sagelet.domain.invocation import Answer
from sagelet.hosting.host import HostingSettings
from sagelet.supervision import package_path
from sagelet.supervision.launcher import Launchers
from sagelet.worker import namespace
from tests.hosting_rig import Rig, until
from tests.serving_projects import write

HANDLERS = """
    import os
    import sys

    import kit

    def model_fn(model_dir, context):
        print("loading from", model_dir)
        with open(os.path.join(model_dir, "weights.txt")) as file:
            return {"weights": file.read().strip(), "dir": model_dir}

    def input_fn(body, content_type):
        return body.decode()

    def predict_fn(data, model):
        return {
            "data": kit.clean(data),
            "weights": model["weights"],
            "dir": model["dir"],
            "pid": os.getpid(),
            "cwd": os.getcwd(),
            "environment": dict(os.environ),
        }

    def output_fn(prediction, accept):
        import json
        return json.dumps(prediction)
"""
FILES = {
    "code/inference.py": HANDLERS,
    "kit.py": "def clean(text):\n    return text.strip()\n",
    "weights.txt": "first\n",
}


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """A host whose workers are forks of a zygote that has imported nothing large."""
    launchers = Launchers(
        package_path=package_path.ensure(tmp_path / "pythonpath"),
        preload=("json",),
        on_note=lambda text: None,
    )
    settings = HostingSettings(drain_s=5, stop_s=2, timeout_s=5)
    rig = Rig(tmp_path / "home", launchers, settings)
    await rig.host.start()
    yield rig
    await rig.host.close()
    await launchers.close()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write(tmp_path / "project", FILES)


def said(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer.body.decode()
    facts: dict[str, Any] = json.loads(answer.body)
    return facts


async def test_a_folder_is_served_as_the_container_would(
    rig: Rig, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.create(f"file://{project}", environment={"DEPLOY_ENV": "local"})
    await rig.in_service()
    facts = said(await rig.ask(b" hello "))
    assert (facts["data"], facts["weights"]) == ("hello", "first")
    assert facts["environment"]["DEPLOY_ENV"] == "local"
    assert facts["environment"]["AWS_REGION"] == "us-east-1"
    assert os.path.realpath(facts["cwd"]) == str(project.resolve())
    if namespace.probe():
        assert os.path.realpath(facts["dir"]) == str(project.resolve())
    else:
        assert facts["dir"] == "/opt/ml/model"
    await rig.logged("loading from")


async def test_where_there_is_no_namespace_the_models_folder_is_named_instead(
    rig: Rig, project: Path
) -> None:
    rig.create(f"file://{project}", environment={"SAGELET_NAMESPACE": "off"})
    await rig.in_service()
    facts = said(await rig.ask())
    assert os.path.realpath(facts["dir"]) == str(project.resolve())
    assert facts["environment"]["SAGEMAKER_SUBMIT_DIRECTORY"].startswith(str(rig.home.root))


async def test_no_credential_of_the_shell_reaches_a_handler(tmp_path: Path, project: Path) -> None:
    launchers = Launchers(
        package_path=package_path.ensure(tmp_path / "pythonpath"),
        warm=False,
        on_note=lambda text: None,
    )
    machine = {**os.environ, "AWS_SECRET_ACCESS_KEY": "s3cret", "MY_TOKEN": "t0ken"}
    rig = Rig(tmp_path / "home", launchers, HostingSettings(environ=machine, stop_s=2))
    await rig.host.start()
    rig.create(f"file://{project}", environment={"SAGEMAKER_MODEL_SERVER_WORKERS": "1"})
    await rig.in_service()
    environment = said(await rig.ask())["environment"]
    assert not {"s3cret", "t0ken"} & set(environment.values())
    await rig.host.close()
    await launchers.close()


async def test_an_archive_is_unpacked_and_served(rig: Rig, project: Path, tmp_path: Path) -> None:
    pack(project, tmp_path / "model.tar.gz")
    rig.create(f"file://{tmp_path}/model.tar.gz")
    await rig.in_service()
    assert said(await rig.ask())["weights"] == "first"


async def test_a_corrupt_archive_fails_the_endpoint_with_its_reason(
    rig: Rig, tmp_path: Path
) -> None:
    (tmp_path / "model.tar.gz").write_bytes(b"<html>404</html>")
    rig.create(f"file://{tmp_path}/model.tar.gz")
    endpoint = await rig.settled()
    assert endpoint.status is EndpointStatus.FAILED
    assert "model.tar.gz was refused" in (endpoint.failure_reason or "")


async def test_the_two_workers_are_two_processes(rig: Rig, project: Path) -> None:
    slow = HANDLERS.replace("return body.decode()", "import time; time.sleep(.05); return 'x'")
    write(project, {"code/inference.py": slow})
    rig.create(f"file://{project}")
    await rig.in_service()
    answers = await asyncio.gather(*(rig.ask() for _ in range(4)))
    assert len({said(answer)["pid"] for answer in answers}) == 2


async def test_an_edited_handler_is_served_by_the_same_process(rig: Rig, project: Path) -> None:
    rig.create(f"file://{project}", environment={"SAGEMAKER_MODEL_SERVER_WORKERS": "1"})
    await rig.in_service()
    before = said(await rig.ask(b"x"))
    write(project, {"kit.py": "def clean(text):\n    return text.upper()\n"})
    text = await rig.noted("reloaded kit.py")
    assert text.endswith("(model kept)")
    after = said(await rig.ask(b"x"))
    assert (after["data"], after["pid"]) == ("X", before["pid"])


async def test_an_edited_model_is_served_by_another_process(rig: Rig, project: Path) -> None:
    rig.create(f"file://{project}", environment={"SAGEMAKER_MODEL_SERVER_WORKERS": "1"})
    await rig.in_service()
    before = said(await rig.ask())
    write(project, {"weights.txt": "second\n"})
    await rig.noted("model reloaded")
    after = said(await rig.ask())
    assert (before["weights"], after["weights"]) == ("first", "second")
    assert after["pid"] != before["pid"]


async def test_no_request_is_lost_while_edits_come_and_go(rig: Rig, project: Path) -> None:
    rig.create(f"file://{project}")
    await rig.in_service()
    asking = True
    seen: list[int] = []

    async def ask_on() -> None:
        while asking:
            answer = await rig.ask()
            assert answer.status == 200
            seen.append(answer.generation)

    askers = [asyncio.create_task(ask_on()) for _ in range(4)]
    for number in range(3):
        write(project, {"kit.py": f"def clean(text):\n    return 'kit {number}'\n"})
        await until(lambda number=number: _notes(rig, "model kept") == number + 1)  # type: ignore[misc]
        write(project, {"weights.txt": f"{number}\n"})
        await until(lambda number=number: _notes(rig, "model reloaded") == number + 1)  # type: ignore[misc]
    asking = False
    await asyncio.gather(*askers)
    assert said(await rig.ask())["data"] == "kit 2"
    assert len(set(seen)) > 3


async def test_a_broken_edit_is_not_served_and_the_next_good_one_is(
    rig: Rig, project: Path
) -> None:
    rig.create(f"file://{project}")
    await rig.in_service()
    write(project, {"kit.py": "def clean(text:\n"})
    await rig.noted("is not served")
    answer = await rig.ask(b"x")
    assert said(answer)["data"] == "x"
    shown = answer.headers["x-sagelet-reload-error"]
    assert shown == f"SyntaxError: '(' was never closed ({project.resolve()}/kit.py:1)"
    write(project, {"kit.py": "def clean(text):\n    return 'good'\n"})
    await rig.noted("reloaded kit.py")
    answer = await rig.ask()
    assert said(answer)["data"] == "good"
    assert "x-sagelet-reload-error" not in answer.headers


async def test_a_broken_model_fn_is_not_served(rig: Rig, project: Path) -> None:
    rig.create(f"file://{project}")
    await rig.in_service()
    write(
        project,
        {"code/inference.py": HANDLERS.replace('return {"weights"', "raise ValueError('no') #")},
    )
    text = await rig.noted("is not served")
    assert "ValueError: no" in text
    assert f"{project.resolve()}/code/inference.py:" in text
    assert said(await rig.ask())["weights"] == "first"


async def test_an_error_of_the_users_at_load_is_the_failure_reason(rig: Rig, project: Path) -> None:
    (project / "weights.txt").unlink()
    rig.create(f"file://{project}")
    endpoint = await rig.settled()
    reason = endpoint.failure_reason or ""
    assert endpoint.status is EndpointStatus.FAILED
    assert "did not pass the ping health check" in reason
    assert "FileNotFoundError: [Errno 2] No such file or directory" in reason
    assert f"{project.resolve()}/code/inference.py:9" in reason
    assert "hint: the model's folder holds code/inference.py, kit.py" in reason
    await rig.logged("FileNotFoundError")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGKILL, 507), (signal.SIGSEGV, 500)])
async def test_a_killed_worker_costs_its_request_only(
    rig: Rig, project: Path, number: signal.Signals, status: int
) -> None:
    slow = HANDLERS.replace(
        "return body.decode()",
        "import time\n        if body == b'slow': time.sleep(30)\n        return body.decode()",
    )
    write(project, {"code/inference.py": slow})
    rig.create(f"file://{project}")
    await rig.in_service()
    pids = {said(await rig.ask())["pid"]}
    asked = asyncio.create_task(rig.ask(b"slow"))
    await asyncio.sleep(0)
    pids.add(said(await rig.ask())["pid"])
    (victim,) = pids - {said(await rig.ask())["pid"]}
    os.kill(victim, number)
    answer = await asked
    assert answer.status == status
    said_of_it = json.loads(answer.body)["message"]
    assert said_of_it.startswith(f"Worker died. It was killed by {number.name}")
    assert said(await rig.ask())["weights"] == "first"
    await rig.noted(f"a worker was killed by {number.name}")


async def test_a_hung_handler_is_answered_for_and_its_stacks_are_in_the_log(
    rig: Rig, project: Path
) -> None:
    hung = HANDLERS.replace(
        "return body.decode()",
        "\n        while body == b'hang': pass\n        return body.decode()",
    )
    write(project, {"code/inference.py": hung})
    rig.create(
        f"file://{project}",
        environment={"SAGEMAKER_MODEL_SERVER_TIMEOUT": "1", "SAGEMAKER_MODEL_SERVER_WORKERS": "1"},
    )
    await rig.in_service()
    answer = await rig.ask(b"hang")
    assert answer.status == 0
    assert answer.body.startswith(b"Your invocation timed out")
    assert said(await rig.ask())["weights"] == "first"
    await rig.logged("Fatal Python error: Aborted")
    await rig.logged("in input_fn")


async def test_exit_in_a_handler_is_an_answer_and_os_exit_a_death(rig: Rig, project: Path) -> None:
    exits = HANDLERS.replace(
        "return body.decode()",
        "\n        if body == b'exit': sys.exit(3)\n        if body == b'die': os._exit(3)\n"
        "        return body.decode()",
    )
    write(project, {"code/inference.py": exits})
    rig.create(f"file://{project}", environment={"SAGEMAKER_MODEL_SERVER_WORKERS": "1"})
    await rig.in_service()
    pid = said(await rig.ask())["pid"]
    answer = await rig.ask(b"exit")
    assert answer.status == 500
    assert b"SystemExit: 3" in answer.body
    assert said(await rig.ask())["pid"] == pid
    assert (await rig.ask(b"die")).status == 500
    await rig.noted("a worker ended with exit code 3")
    assert said(await rig.ask())["pid"] != pid


async def test_workers_end_with_their_endpoint(rig: Rig, project: Path) -> None:
    rig.create(f"file://{project}")
    await rig.in_service()
    pid = said(await rig.ask())["pid"]
    rig.delete()
    await until(lambda: rig.find() is None)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert (project / "weights.txt").read_text() == "first\n"


async def test_another_interpreter_serves_with_what_is_installed_there(
    rig: Rig, project: Path
) -> None:
    shows = HANDLERS.replace('"cwd": os.getcwd()', '"cwd": sys.executable')
    write(project, {"code/inference.py": shows})
    base = str(Path(sys.base_prefix, "bin", "python3"))
    rig.create(f"file://{project}", environment={"SAGELET_PYTHON": base})
    await rig.in_service()
    assert said(await rig.ask())["cwd"].startswith(sys.base_prefix)


async def test_an_interpreter_that_is_not_there_fails_the_endpoint(rig: Rig, project: Path) -> None:
    rig.create(f"file://{project}", environment={"SAGELET_PYTHON": "/nowhere/python"})
    endpoint = await rig.settled()
    assert endpoint.status is EndpointStatus.FAILED
    assert "/nowhere/python" in (endpoint.failure_reason or "")


def _notes(rig: Rig, text: str) -> int:
    return sum(text in note.text for note in rig.host.notes.after())
