"""A host's own /opt/ml, /etc/hosts and name: as root, without root, and where it cannot be."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from sagelet.supervision import package_path
from sagelet.supervision.launcher import Launcher
from sagelet.worker import namespace
from sagelet.worker.overlaying import Overlays
from sagelet.worker.spec import Mounts, Overlay
from tests.host_orders import HostFolder, ranks, run

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOBODY = 65534

# Stands for `python` where the tests run as root: the same interpreter, as nobody. What is
# imported afterwards has to be imported before, since nobody may not look into root's folders.
AS_NOBODY = f"""#!{sys.executable}
import encodings.idna, fcntl, json, multiprocessing, os, runpy, socket, subprocess, sys
import sagelet.worker.child, sagelet.worker.serving.loop
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid({NOBODY})
    os.setuid({NOBODY})
assert sys.argv[1] == "-m"
sys.argv = sys.argv[2:]
module = sys.argv[0]
sys.modules.pop(module, None)
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""

LOOK = """
    import json, os, socket, sys
    with open("/opt/ml/model/weights", "w") as file:
        file.write(sys.argv[1])
    status = open("/proc/self/status").read()
    print(json.dumps({
        "cwd": os.getcwd(),
        "opt": sorted(os.listdir("/opt")),
        "ml": sorted(os.listdir("/opt/ml")),
        "algo-1": socket.gethostbyname("algo-1"),
        "name": os.uname().nodename,
        "uid": os.getuid(),
        "capabilities": status.split("CapEff:")[1].split()[0],
        "deeper": {name: len(os.listdir("/opt/" + name)) for name in os.listdir("/opt")
                   if name != "ml" and os.path.isdir("/opt/" + name)},
    }))
    """


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that nobody can reach, which pytest's own is not."""
    root = Path(tempfile.mkdtemp(prefix="sagelet-test-"))
    root.chmod(0o755)
    yield root
    shutil.rmtree(root)


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["root", "rootless", "cold"])
async def launcher(request: pytest.FixtureRequest, place: Path) -> AsyncIterator[Launcher]:
    python = Path(sys.executable)
    if request.param == "rootless":
        python = place / "python"
        python.write_text(AS_NOBODY)
        python.chmod(0o755)
    packages = package_path.ensure(place / "package")
    packages.chmod(0o755)
    launcher = Launcher(
        python,
        package_path=packages,
        preload=("json", "socket"),
        warm=request.param != "cold",
        on_note=lambda _: None,
    )
    yield launcher
    await launcher.close()


@pytest.fixture
def host(place: Path) -> HostFolder:
    return _host(Path(tempfile.mkdtemp(dir=place)))


def _host(root: Path) -> HostFolder:
    host = HostFolder(root)
    (root / "ml" / "model").mkdir(parents=True)
    host.code.rename(root / "ml" / "code")
    host.code.symlink_to(root / "ml" / "code")
    (root / "hosts").write_text("127.0.0.1 localhost\n127.0.0.2 algo-1\n")
    host.log.parent.mkdir()
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o777)
    return host


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _mounts(host: HostFolder) -> Mounts:
    return Mounts(str(host.root / "ml"), str(host.root / "hosts"), "algo-1")


async def test_a_host_has_its_own_tree_names_and_nothing_else_new(
    launcher: Launcher, host: HostFolder
) -> None:
    outside = _names(Path("/opt"))
    hosts_outside = Path("/etc/hosts").read_text()
    name_outside = os.uname().nodename
    order = host.order(LOOK, "seven", mounts=_mounts(host), cwd="/opt/ml/code")

    assert await run(launcher, order) == 0, host.lines()

    seen = json.loads(host.lines()[0])
    assert seen["cwd"] == "/opt/ml/code"
    assert seen["ml"] == ["code", "model"]
    assert seen["opt"] == sorted({*outside, "ml"})
    assert seen["deeper"] == {
        name: len(_names(Path("/opt", name)))
        for name in outside
        if name != "ml" and Path("/opt", name).is_dir()
    }
    assert seen["algo-1"] == "127.0.0.2"
    assert seen["name"] == "algo-1"
    assert (host.root / "ml" / "model" / "weights").read_text() == "seven"
    assert _names(Path("/opt")) == outside
    assert Path("/etc/hosts").read_text() == hosts_outside
    assert os.uname().nodename == name_outside


async def test_a_host_keeps_its_user_and_gains_no_capability(
    launcher: Launcher, host: HostFolder, request: pytest.FixtureRequest
) -> None:
    order = host.order(LOOK, "x", mounts=_mounts(host), cwd="/opt/ml/code")
    await run(launcher, order)

    seen = json.loads(host.lines()[0])
    is_rootless = "rootless" in request.node.name or os.geteuid() != 0
    if is_rootless:
        assert seen["uid"] == (NOBODY if os.geteuid() == 0 else os.geteuid())
        assert int(seen["capabilities"], 16) == 0
    else:
        assert seen["uid"] == 0


async def test_two_hosts_at_a_time_have_a_tree_each(launcher: Launcher, place: Path) -> None:
    hosts = [_host(Path(tempfile.mkdtemp(dir=place))) for _ in range(2)]
    orders = [
        host.order(LOOK, str(number), mounts=_mounts(host), cwd="/opt/ml/code")
        for number, host in enumerate(hosts)
    ]
    await asyncio.gather(*(run(launcher, order) for order in orders))

    weights = [(host.root / "ml" / "model" / "weights").read_text() for host in hosts]
    assert weights == ["0", "1"]


async def test_a_shell_entry_has_the_tree_too(launcher: Launcher, host: HostFolder) -> None:
    script = "#!/bin/sh\npwd\nls /opt/ml\nhostname 2>/dev/null || uname -n\n"
    order = host.order(script, entry="train.sh", mounts=_mounts(host), cwd="/opt/ml/code")
    (host.code / "train.sh").chmod(0o755)
    await run(launcher, order)

    assert host.lines() == ["/opt/ml/code", "code", "model", "algo-1"]


async def test_without_a_namespace_the_variables_say_where_the_tree_is(
    launcher: Launcher, host: HostFolder
) -> None:
    script = """
        import os, sys
        print(os.getcwd(), os.environ["SM_MODEL_DIR"], sys.argv[1:], __file__)
        print(os.environ["SM_TRAINING_ENV"])
        """
    variables = {
        "SAGELET_NAMESPACE": "off",
        "SM_MODEL_DIR": "/opt/ml/model",
        "SM_TRAINING_ENV": '{"a":"/opt/ml/input","b":"/opt/mlflow","c":"x/opt/ml"}',
    }
    order = host.order(
        script,
        "--out=/opt/ml/output",
        environment=variables,
        mounts=_mounts(host),
        cwd="/opt/ml/code",
    )
    assert await run(launcher, order) == 0

    ml = host.root / "ml"
    said, first, second = host.lines()
    assert said.startswith("/opt/ml is not ours alone here (SAGELET_NAMESPACE=off)")
    assert first == f"{ml}/code {ml}/model ['--out={ml}/output'] {ml}/code/train.py"
    assert second == f'{{"a":"{ml}/input","b":"/opt/mlflow","c":"x/opt/ml"}}'


async def test_where_the_tree_is_missing_the_kernel_is_not_asked(
    launcher: Launcher, host: HostFolder
) -> None:
    mounts = Mounts(str(host.root / "nowhere"))
    await run(launcher, host.order("print('ran')", mounts=mounts))

    said, ran = host.lines()
    assert f"there is no folder {host.root}/nowhere" in said
    assert ran == "ran"


async def test_what_was_mounted_is_undone_where_the_rest_is_refused(
    launcher: Launcher, host: HostFolder
) -> None:
    mounts = Mounts(str(host.root / "ml"), str(host.root / "no-such-hosts-file"))
    script = "import os\nprint(sorted(os.listdir('/opt')), os.path.exists('/opt/ml/model'))\n"
    await run(launcher, host.order(script, mounts=mounts))

    said, seen = host.lines()
    assert "No such file or directory" in said
    assert seen == f"{_names(Path('/opt'))} False"


async def test_the_probe_agrees_that_it_works_here() -> None:
    assert namespace.probe() == ""


CHANNEL = """
    import json, os, shutil
    os.chdir("/opt/ml/input/data/train")
    seen = sorted(os.listdir("."))
    if os.environ["RANK"] == "0":
        with open("kept.txt", "a") as file:
            file.write(" and more")
        os.remove("gone.txt")
        shutil.rmtree("folder")
        os.mkdir("folder")
        open("made.txt", "w").close()
        open("/opt/ml/model/ready", "w").close()
    while not os.path.exists("/opt/ml/model/ready"):
        pass
    now = [sorted(os.listdir(".")), os.listdir("folder"), open("kept.txt").read()]
    print(json.dumps([seen, *now]))
    """


def _channel(host: HostFolder, name: str = "a:b,c \\d") -> Overlay:
    """Make a channel's folder, whose name means something to mount, and the rest of an overlay."""
    lower = host.root / name
    (lower / "folder" / "below").mkdir(parents=True)
    for file in ("kept.txt", "gone.txt", "folder/below/x"):
        (lower / file).write_text("data")
    upper, work = host.root / "upper:1", host.root / "work,1"
    for folder in (upper, work):
        folder.mkdir()
    for path in (lower, upper, work, *lower.rglob("*")):
        if os.geteuid() == 0:
            os.chown(path, NOBODY, NOBODY)  # whoever the job runs as may write
        path.chmod(0o777 if path.is_dir() else 0o666)
    return Overlay(str(lower), "input/data/train", str(upper), str(work))


def _overlaid(host: HostFolder, *overlays: Overlay) -> Mounts:
    return Mounts(str(host.root / "ml"), str(host.root / "hosts"), "algo-1", overlays)


def _contents(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_text() for path in files}


async def test_what_is_written_to_an_overlay_is_seen_by_all_and_leaves_the_data_alone(
    launcher: Launcher, host: HostFolder
) -> None:
    channel = _channel(host)
    before = _contents(Path(channel.lower))
    order = host.order(CHANNEL, mounts=_overlaid(host, channel), ranks=ranks(2))
    assert await run(launcher, order) == 0, host.lines()

    everything = ["folder", "gone.txt", "kept.txt"]
    lines = [json.loads(line.removeprefix("[rank 1] ")) for line in host.lines()]
    assert everything in [line[0] for line in lines]
    for line in lines:
        assert line[1:] == [["folder", "kept.txt", "made.txt"], [], "data and more"]
    assert _contents(Path(channel.lower)) == before
    assert (Path(channel.upper) / "kept.txt").read_text() == "data and more"
    assert not any((host.root / "ml" / "input" / "data" / "train").iterdir())
    shutil.rmtree(channel.work)


async def test_a_shell_sees_an_overlay_too(launcher: Launcher, host: HostFolder) -> None:
    script = "cd /opt/ml/input/data/train && ls && echo 1 > kept.txt && cat kept.txt\n"
    order = host.order("", argv=(script,), way="shell", mounts=_overlaid(host, _channel(host)))
    assert await run(launcher, order) == 0

    assert host.lines() == ["folder", "gone.txt", "kept.txt", "1"]


async def test_nothing_can_be_written_where_there_is_no_upper_folder(
    launcher: Launcher, host: HostFolder
) -> None:
    script = """
        import os
        os.chdir("/opt/ml/input/data/train")
        print(open("kept.txt").read(), open("/opt/ml/input/file").read())
        for path in ("kept.txt", "new.txt", "folder/below/x", "/opt/ml/input/file"):
            try:
                open(path, "w")
            except OSError as error:
                print(error.strerror)
        """
    lower = _channel(host).lower
    one = Overlay(f"{lower}/kept.txt", "input/file")
    mounts = _overlaid(host, Overlay(lower, "input/data/train"), one)
    assert await run(launcher, host.order(script, mounts=mounts)) == 0

    assert host.lines() == ["data data", *["Read-only file system"] * 4]


@pytest.mark.parametrize("namespace", ["on", "off"])
async def test_what_cannot_be_overlaid_is_copied_and_said_once(
    launcher: Launcher, host: HostFolder, namespace: str
) -> None:
    script = """
        import os
        folder = os.environ["SM_CHANNEL_TRAIN"]
        print(sorted(os.listdir(folder)))
        open(folder + "/kept.txt", "w").write("mine")
        """
    channel = _channel(host)
    if namespace == "on":
        channel = replace(channel, work=f"{channel.work}/nowhere")
    mounts = _overlaid(host, channel)
    variables = {"SAGELET_NAMESPACE": namespace, "SM_CHANNEL_TRAIN": "/opt/ml/input/data/train"}
    order = host.order(script, mounts=mounts, environment=variables)
    assert await run(launcher, order) == 0, host.lines()

    why = "SAGELET_NAMESPACE=off" if namespace == "off" else "No such file or directory"
    assert host.lines()[-1] == "['folder', 'gone.txt', 'kept.txt']"
    said = [line for line in host.lines() if line.startswith("copied")]
    assert said == [
        f"copied into the tree, since it cannot be overlaid here ({why}): input/data/train"
    ]
    assert (host.root / "ml/input/data/train/kept.txt").read_text() == "mine"
    assert (Path(mounts.overlays[0].lower) / "kept.txt").read_text() == "data"


async def test_a_folder_with_another_file_system_in_it_is_not_overlaid(tmp_path: Path) -> None:
    overlays = Overlays([Overlay("/", "x", str(tmp_path), str(tmp_path))])
    assert overlays.mount(tmp_path, rootless=False) == []
    overlays.close()

    [missed] = overlays.missed
    assert missed.why == "another file system is mounted in /"


async def test_the_trial_agrees_that_overlays_work_here(place: Path) -> None:
    before = sorted(place.iterdir())
    assert namespace.probe_overlay(str(place)) == ""
    assert sorted(place.iterdir()) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
async def test_the_trial_works_for_nobody_too(place: Path) -> None:
    folder = place / "trial"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    code = (
        "import os, sys; from pathlib import Path; from sagelet.worker import overlay_trial\n"
        f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
        "print(overlay_trial.try_out(Path(sys.argv[1])) or 'works')"
    )
    tried = subprocess.run(
        [sys.executable, "-c", code, folder], capture_output=True, text=True, check=False
    )
    assert (tried.stdout, tried.stderr) == ("works\n", "")
