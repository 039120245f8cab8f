"""What holds after workers were killed: each request was answered, and nothing is left behind."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from botocore.exceptions import ClientError

from sagelet.domain.home import Home
from sagelet.environments.credentials import load_or_create
from sagelet.environments.local_api import LocalApi
from tests.end_to_end.local_aws import REGION, LocalAws, eventually
from tests.end_to_end.visitors import Load
from tests.serving_projects import write

WORKERS = 2
KILLS = 20
CYCLES = 300
SETTLED = 30
"""Cycles after which sizes are compared: by then allocators and caches have what they want."""
MORE_MB = 12

HANDLERS = """
    import os
    import subprocess
    import time

    def model_fn(model_dir):
        return "model"

    def transform_fn(model, body, content_type, accept):
        if body == b"starts":
            return str(subprocess.Popen(["sleep", "600"]).pid)
        if body == b"dies":
            os._exit(1)
        time.sleep(0.002)
        return str(os.getpid())
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A daemon of these tests' own, whose temporary files are in a folder that only it uses."""
    folder = tmp_path_factory.mktemp("after-faults")
    (folder / "temporary").mkdir()
    own = LocalAws(Home(folder / "home"), {"TMPDIR": str(folder / "temporary")})
    own.sagelet("up", "--port", "0")
    yield own
    own.sagelet("down")


@pytest.fixture(scope="module")
def served(own: LocalAws) -> Iterator[str]:
    """An endpoint that tells its worker's process id; the zygote has no more to import."""
    folder = write(own.home.root.parent / "model", {"inference.py": HANDLERS})
    variables = {"SAGEMAKER_MODEL_SERVER_WORKERS": str(WORKERS)}
    with own.deployed("victim", folder, environment=variables) as described:
        assert described["EndpointStatus"] == "InService", described
        eventually(lambda: "the zygote is ready" in own.home.daemon_log.read_text(), "a zygote")
        yield "victim"


def workers(own: LocalAws, *, without: int = 0) -> list[int]:
    """Return the process ids of the endpoint's workers, once all have loaded and one has gone."""
    api = LocalApi(own.info.address, load_or_create(own.home), REGION)

    def all_of_them() -> list[int] | None:
        facts = api.endpoint("victim")
        assert facts is not None
        pids = [worker["pid"] for worker in facts["variants"][0]["workers"]]
        return pids if len(pids) == WORKERS and without not in pids else None

    return eventually(all_of_them, "all workers serve")


def test_each_request_is_answered_once_and_only_those_under_way_fail(
    own: LocalAws, served: str
) -> None:
    with Load(own, served) as load:
        load.is_heard()
        for number in range(KILLS):
            victim = workers(own)[number % WORKERS]
            eventually(lambda pid=str(victim): pid in answering(load), "it serves")  # type: ignore[misc]
            psutil.Process(victim).kill()
            before = sum(map(len, load.heard))
            eventually(
                lambda least=before + 20: sum(map(len, load.heard)) > least,  # type: ignore[misc]
                "people are served",
            )
    assert load.failures == []
    seen = Counter(heard.status for visitor in load.heard for heard in visitor)
    assert set(seen) <= {200, 424}
    assert seen[424] <= KILLS
    assert seen[200] >= 20 * KILLS
    assert len(answering(load)) > KILLS


def answering(load: Load) -> set[str]:
    """The process ids of the workers that have answered."""
    return {heard.text for visitor in load.heard for heard in visitor if heard.status == 200}


@dataclass(frozen=True)
class Sizes:
    """What the daemon and its zygote take."""

    descriptors: int
    threads: int
    daemon_mb: float
    zygote_mb: float
    processes: int


def sizes(own: LocalAws) -> Sizes:
    workers(own)
    daemon = psutil.Process(own.info.pid)
    (zygote,) = daemon.children()
    return Sizes(
        descriptors=daemon.num_fds() + zygote.num_fds(),
        threads=daemon.num_threads() + zygote.num_threads(),
        daemon_mb=daemon.memory_info().rss / 2**20,
        zygote_mb=zygote.memory_info().rss / 2**20,
        processes=len(daemon.children(recursive=True)),
    )


def kill_again_and_again(own: LocalAws, served: str, cycles: int, settled: int) -> None:
    """Kill workers, by hand and by requests, and compare what the daemon takes with before.

    Each has answered before: those that only die are given up.
    """
    before = sizes(own)
    for number in range(cycles):
        if number == settled:
            before = sizes(own)
        victim = int(own.invoke(served, "x", ContentType="text/plain"))
        if number % 2:
            psutil.Process(victim).kill()
        else:
            with pytest.raises(ClientError):
                own.invoke(served, "dies", ContentType="text/plain")
        workers(own, without=victim)
    after = sizes(own)
    assert after.descriptors <= before.descriptors + 4
    assert after.threads <= before.threads + 2
    assert after.processes == before.processes
    assert after.daemon_mb <= before.daemon_mb + MORE_MB
    assert after.zygote_mb <= before.zygote_mb + MORE_MB


def test_killing_workers_leaves_descriptors_threads_and_memory_as_they_were(
    own: LocalAws, served: str
) -> None:
    kill_again_and_again(own, served, 30, 10)


@pytest.mark.full
def test_killing_three_hundred_workers_leaves_everything_as_it_was(
    own: LocalAws, served: str
) -> None:
    kill_again_and_again(own, served, CYCLES, SETTLED)


def test_after_faults_and_a_stop_nothing_runs_listens_or_lies_about(
    own: LocalAws, served: str
) -> None:
    child = int(own.invoke(served, "starts", ContentType="text/plain"))
    for _ in range(2):
        with pytest.raises(ClientError):
            own.invoke(served, "dies", ContentType="text/plain")
    psutil.Process(workers(own)[0]).kill()
    daemon, place = psutil.Process(own.info.pid), own.place
    family = [daemon, *daemon.children(recursive=True)]
    assert own.invoke(served, "x", ContentType="text/plain")
    for process in family:
        assert all_on_loopback(process)
    own.sagelet("down")
    eventually(lambda: not own.processes(), "every process has ended")
    assert [p for p in family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(place, timeout=5)
    assert not own.home.root.joinpath("daemon.json").exists()
    left = [path.name for path in Path(own.variables["TMPDIR"]).iterdir()]
    assert [name for name in left if not name.startswith("torchinductor_")] == []  # torch's own
    assert [path for path in own.home.root.rglob("*") if path.is_socket()] == []
    own.sagelet("up", "--port", "0")
    own.wait_in_service(served)
    assert own.invoke(served, "x", ContentType="text/plain")
    assert "Traceback" not in own.home.daemon_log.read_text()


def all_on_loopback(process: psutil.Process) -> bool:
    """Whether a process listens to this machine only; one that has ended does not listen."""
    try:
        found = process.net_connections("inet")
    except psutil.Error:
        return True
    listening = [each.laddr.ip for each in found if each.status == psutil.CONN_LISTEN]
    return all(ip in ("127.0.0.1", "::1") for ip in listening)
