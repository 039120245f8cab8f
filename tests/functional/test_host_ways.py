"""A module, a line of shell and a literal command in a host, beside the real interpreter."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from sagelet.supervision.launcher import Launcher
from tests.host_orders import HostFolder, a_launcher, run

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODULE = """
    import json, os, sys
    print(json.dumps([
        sys.argv, sys.path[0], sys.orig_argv[1:], __file__, __name__, __package__,
        __spec__.name, __spec__.origin, sys.modules["__main__"].__spec__ is __spec__,
        type(__loader__).__name__, sorted(vars()),
    ]))
    """


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["warm", "cold"])
async def launcher(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Launcher]:
    folder = tmp_path_factory.mktemp("package")
    async with a_launcher(
        folder, preload=("multiprocessing", "queue"), warm=request.param == "warm"
    ) as launcher:
        yield launcher


@pytest.fixture
def host(tmp_path: Path) -> HostFolder:
    return HostFolder(tmp_path)


def _plainly(host: HostFolder, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=host.code, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", ["train", "job", "job.steps", "queue"])
async def test_a_module_runs_as_after_python_m(
    launcher: Launcher, host: HostFolder, name: str
) -> None:
    (host.code / "job").mkdir()
    order = host.order(MODULE, argv=(name, "--epochs", "a b"), way="module")
    for file in ("job/__init__.py", "job/__main__.py", "job/steps.py", "queue.py"):
        (host.code / file).write_text((host.code / "train.py").read_text())
    (host.code / "job/__init__.py").write_text("")
    plain = _plainly(host, name, "--epochs", "a b")

    assert await run(launcher, order) == 0
    assert host.lines() == plain.stdout.splitlines()


@pytest.mark.parametrize("name", ["nowhere", "job.nowhere", "folder"])
async def test_a_module_that_is_not_there_is_told_as_python_tells_it(
    launcher: Launcher, host: HostFolder, name: str
) -> None:
    (host.code / "job").mkdir()
    (host.code / "job/__init__.py").touch()
    (host.code / "folder").mkdir()
    plain = _plainly(host, name)

    assert await run(launcher, host.order("", argv=(name,), way="module")) == plain.returncode == 1
    assert host.lines() == plain.stderr.splitlines()
    assert host.exit().error == plain.stderr.strip()
    assert host.exit().where == ""


async def test_an_error_in_a_module_is_printed_as_python_prints_it_and_recorded_without_runpy(
    launcher: Launcher, host: HostFolder
) -> None:
    order = host.order("def f():\n    raise ValueError('no')\nf()\n", argv=("train",), way="module")
    plain = _plainly(host, "train")

    assert await run(launcher, order) == 1
    assert host.lines() == plain.stderr.splitlines()
    ended = host.exit()
    assert (ended.error, ended.where) == ("ValueError: no", f"{host.code}/train.py:2")
    assert "runpy" not in ended.traceback


async def test_a_module_may_exit_with_a_number(launcher: Launcher, host: HostFolder) -> None:
    order = host.order("import sys\nsys.exit(4)\n", argv=("train",), way="module")

    assert await run(launcher, order) == 4
    assert (host.exit().error, host.exit().where) == ("", f"{host.code}/train.py:2")


async def test_a_line_runs_in_a_shell(launcher: Launcher, host: HostFolder) -> None:
    order = host.order("", argv=('echo $((1 + 2)) "$PWD" | tr a-z A-Z; exit 6',), way="shell")

    assert await run(launcher, order) == 6
    assert host.lines() == [f"3 {host.code}".upper()]


async def test_a_command_runs_literally(launcher: Launcher, host: HostFolder) -> None:
    argv = ("printf", "%s|", "$HOME", "a b", "*.py", "")
    assert await run(launcher, host.order("", argv=argv, way="literal")) == 0

    assert host.lines() == ["$HOME|a b|*.py||"]


async def test_a_command_is_looked_for_on_the_path_of_its_own_variables(
    launcher: Launcher, host: HostFolder
) -> None:
    program = host.root / "bin" / "train"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf \'%s\\n\' "$0" "$@"\n')
    program.chmod(0o755)
    variables = {"PATH": f"{program.parent}:/usr/bin:/bin"}
    order = host.order("", argv=("train", "x.py"), way="literal", environment=variables)
    assert await run(launcher, order) == 0

    assert host.lines() == [str(program), "x.py"]


@pytest.mark.parametrize(
    ("command", "code", "why"),
    [
        ("no-such-command", 127, "command not found"),
        ("./nowhere/train", 127, "command not found"),
        ("train.py/x", 127, "command not found"),
        ("./train.py", 126, "Permission denied"),
        ("./", 126, "Permission denied"),
        ("./bare", 126, "Exec format error"),
        ("./strange", 126, "the interpreter that its first line names is not there"),
    ],
)
async def test_a_command_that_cannot_be_run_is_told(
    launcher: Launcher, host: HostFolder, command: str, code: int, why: str
) -> None:
    for name, text in (("bare", "x"), ("strange", "#!/no/such/interpreter\n")):
        (host.code / name).write_text(text)
        (host.code / name).chmod(0o755)
    assert await run(launcher, host.order("", argv=(command,), way="literal")) == code

    assert host.lines() == [f"{command}: {why}"]
    assert (host.exit().exit_code, host.exit().error) == (code, f"{command}: {why}")


async def test_a_killed_command_is_named_by_its_signal(
    launcher: Launcher, host: HostFolder
) -> None:
    order = host.order("", argv=("sh", "-c", "kill -9 $$"), way="literal")
    assert await run(launcher, order) == 137

    assert host.exit().error == "killed by SIGKILL (signal 9)"


WHERE = """
    import extra, queue, subprocess, sys
    print(extra.NAME, queue.__name__, sys.path[-1])
    print(subprocess.run([sys.executable, "-c", "import extra; print(extra.NAME)"],
          capture_output=True, text=True).stdout.strip())
    """


async def test_folders_of_packages_are_searched_last_and_by_programs_too(
    launcher: Launcher, host: HostFolder
) -> None:
    site = host.root / "site"
    site.mkdir()
    (site / "extra.py").write_text("NAME = 'installed'\n")
    (site / "queue.py").write_text("raise ImportError('hidden by the standard library')\n")
    assert await run(launcher, host.order(WHERE, site_dirs=(str(site),))) == 0

    assert host.lines() == [f"installed queue {site}", "installed"]


@pytest.mark.parametrize("way", ["shell", "literal"])
async def test_a_program_finds_folders_of_packages_after_its_own_path(
    launcher: Launcher, host: HostFolder, way: str
) -> None:
    script = "printf '%s\\n' \"$PYTHONPATH\""
    argv = (script,) if way == "shell" else ("/bin/sh", "-c", script)
    order = host.order(
        "", argv=argv, way=way, site_dirs=("/s/1", "/s/2"), environment={"PYTHONPATH": "/own"}
    )
    await run(launcher, order)

    assert host.lines() == ["/own:/s/1:/s/2"]
