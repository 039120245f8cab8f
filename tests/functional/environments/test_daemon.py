"""Starting and stopping, with a stand-in for the daemon: a few lines that announce and answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

import sagelet
from sagelet.domain.home import Home
from sagelet.environments.daemon import DaemonInfo, ensure, find_home, read, stop
from sagelet.errors import DaemonStartFailed, StateError, VersionSkew

STAND_IN = """\
import http.server, json, os, pathlib, sys
from sagelet.supervision.process import started_at
home = pathlib.Path(os.environ["SAGELET_HOME"])
with (home / "starts").open("a") as file:
    file.write(f"{os.getpid()}\\n")
(home / "environment.json").write_text(json.dumps(dict(os.environ)))
print("starting", flush=True)
if sys.argv[2] == "fail":
    print("RuntimeError: no such luck", file=sys.stderr)
    sys.exit(3)
if sys.argv[2] == "hang":
    import time
    time.sleep(60)
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *arguments):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Health)
(home / "new.json").write_text(json.dumps({
    "pid": os.getpid(), "started_at": started_at(os.getpid()), "version": sys.argv[1],
    "address": f"http://127.0.0.1:{server.server_port}"}))
os.replace(home / "new.json", home / "daemon.json")
server.serve_forever()
"""


@pytest.fixture
def home(home_path: Path) -> Iterator[Home]:
    home = Home(home_path)
    yield home
    stop(home, grace_s=5)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    file = tmp_path / "stand_in.py"
    file.write_text(STAND_IN, encoding="utf-8")
    return file


def command(script: Path, what: str = "serve", version: str = sagelet.__version__) -> list[str]:
    return [sys.executable, str(script), version, what]


def starts(home: Home) -> list[str]:
    return (home.root / "starts").read_text(encoding="utf-8").split()


def test_a_daemon_is_started_once_and_then_found(home: Home, script: Path) -> None:
    told: list[DaemonInfo] = []
    first = ensure(home, command=command(script), on_start=told.append)
    assert ensure(home, command=command(script), on_start=told.append) == first
    assert read(home) == first
    assert told == [first]
    assert starts(home) == [str(first.pid)]
    assert home.daemon_log.read_text(encoding="utf-8") == "starting\n"
    assert home.root.stat().st_mode & 0o077 == 0


def test_two_starters_get_one_daemon(home: Home, script: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: ensure(home, command=command(script)), range(4)))
    assert len(found) == 1
    assert len(starts(home)) == 1


def test_two_starting_programs_get_one_daemon(home: Home, script: Path) -> None:
    program = (
        "import sys; from sagelet.environments.daemon import ensure, find_home\n"
        "print(ensure(find_home(), command=sys.argv[1:]).pid)"
    )
    children = [
        subprocess.Popen(
            [sys.executable, "-c", program, *command(script)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    pids = {child.communicate(timeout=30)[0].strip() for child in children}
    assert pids == set(starts(home))
    assert len(pids) == 1


def test_a_daemon_that_ends_shows_the_end_of_its_log(home: Home, script: Path) -> None:
    home.root.mkdir()
    home.daemon_log.write_text("an older daemon's words\n", encoding="utf-8")
    with pytest.raises(DaemonStartFailed) as raised:
        ensure(home, command=command(script, "fail"))
    assert raised.value.log == str(home.daemon_log)
    assert raised.value.log_tail == "starting\nRuntimeError: no such luck"
    assert raised.value.exit_code == 3


def test_a_daemon_that_hangs_is_given_up_and_ended(home: Home, script: Path) -> None:
    with pytest.raises(DaemonStartFailed):
        ensure(home, command=command(script, "hang"), deadline_s=1.0)
    for pid in starts(home):
        _wait_until_gone(int(pid))


def test_a_daemon_of_another_release_is_refused(home: Home, script: Path) -> None:
    with pytest.raises(VersionSkew) as raised:
        ensure(home, command=command(script, version="9.9.9"))
    assert (raised.value.daemon, raised.value.ours) == ("9.9.9", sagelet.__version__)
    assert stop(home) is not None


def test_stopping_ends_the_process(home: Home, script: Path) -> None:
    info = ensure(home, command=command(script))
    assert stop(home) == info
    assert read(home) is None
    assert stop(home) is None


def test_a_daemon_whose_exit_code_nobody_collects_has_ended(home: Home, script: Path) -> None:
    home.root.mkdir()
    environment = {**os.environ, "SAGELET_HOME": str(home.root)}
    with subprocess.Popen(command(script), env=environment, stdout=subprocess.DEVNULL) as daemon:
        while read(home) is None:
            assert daemon.poll() is None
        started = time.monotonic()
        assert stop(home) is not None  # and this test, its parent, has not waited for it yet
        assert time.monotonic() - started < 2
        assert read(home) is None


@pytest.mark.parametrize("signal_name", ["terminate", "kill"])
def test_after_a_death_the_next_call_starts_another(
    home: Home, script: Path, signal_name: str
) -> None:
    first = ensure(home, command=command(script))
    getattr(psutil.Process(first.pid), signal_name)()
    _wait_until_gone(first.pid)
    assert ensure(home, command=command(script)).pid != first.pid


def test_a_pid_that_another_process_has_now_is_no_daemon(home: Home) -> None:
    home.root.mkdir()
    said = {"pid": os.getpid(), "started_at": 1.0, "address": "http://x", "version": "1"}
    home.daemon_file.write_text(json.dumps(said), encoding="utf-8")
    assert read(home) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x"}'])
def test_a_damaged_file_is_no_daemon(home: Home, text: str) -> None:
    home.root.mkdir()
    home.daemon_file.write_text(text, encoding="utf-8")
    assert read(home) is None


def test_the_daemon_does_not_keep_what_its_starter_had(
    home: Home, script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of an account")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://x")
    monkeypatch.setenv("DEPLOY_ENV", "production")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    ensure(home, command=command(script))
    got = json.loads((home.root / "environment.json").read_text(encoding="utf-8"))
    assert got["AWS_REGION"] == "eu-west-1"
    assert not {"AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_S3", "DEPLOY_ENV"} & set(got)


def test_a_home_that_cannot_be_made_is_a_state_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StateError):
        ensure(Home(tmp_path / "file" / "home"), command=["true"])


def test_the_home_is_the_variables_or_the_platforms(home_path: Path) -> None:
    assert find_home().root == home_path
    assert find_home({}).root.name == "sagelet"


def test_reading_settings_does_not_import_boto3() -> None:
    program = (
        "import sys, sagelet\nenv = sagelet.DeployEnv()\nenv.is_local()\n"
        "print([name for name in ('boto3', 'botocore') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "[]\n"


def _wait_until_gone(pid: int) -> None:
    try:
        psutil.Process(pid).wait(10)
    except psutil.NoSuchProcess:
        return
