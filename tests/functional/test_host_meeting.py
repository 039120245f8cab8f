"""How the processes of a job find each other where no /etc/hosts can name them, without torch."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from sagelet.supervision.launcher import Launcher
from sagelet.worker.spec import Mounts
from tests.host_orders import HostFolder, a_launcher, run

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAMES = {"algo-1": "127.0.0.1", "algo-2": "127.0.0.2"}
OWN = {"CURRENT_HOST": "algo-2", "MASTER_ADDR": "algo-1"}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def launcher(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Launcher]:
    folder = tmp_path_factory.mktemp("package")
    async with a_launcher(folder, preload=("json", "socket")) as launcher:
        yield launcher


@pytest.fixture
def host(tmp_path: Path) -> HostFolder:
    return HostFolder(tmp_path)


LOOKED_UP = """
    import json, os, socket, sys
    found = {
        "getaddrinfo": socket.getaddrinfo("algo-2", 80, type=socket.SOCK_STREAM)[0][4],
        "keyword": socket.getaddrinfo(host="ALGO-2", port=None)[0][4][0],
        "bytes": socket.getaddrinfo(b"algo-1", 80)[0][4],
        "gethostbyname": socket.gethostbyname("algo-2"),
        "gethostbyname_ex": socket.gethostbyname_ex("algo-2"),
        "gethostname": socket.gethostname(),
        "getfqdn": socket.getfqdn(),
        "localhost": socket.gethostbyname("localhost"),
        "nobody": socket.getaddrinfo(None, 80)[0][4][1],
        "variable": os.environ["MASTER_ADDR"],
    }
    with socket.socket() as server:
        server.bind(("algo-2", 0))
        server.listen()
        port = server.getsockname()[1]
        with socket.create_connection(("algo-2", port)) as client:
            found["connection"] = client.getpeername()[0]
        with socket.socket() as client:
            client.connect(("algo-2", port))
            found["connect"] = client.getpeername()[0]
        with socket.socket() as client:
            found["connect_ex"] = client.connect_ex(("algo-2", port))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("unix")
    print(json.dumps(found))
    print("torch" in sys.modules)
    """


async def test_hosts_names_are_known_to_pythons_sockets(
    launcher: Launcher, host: HostFolder
) -> None:
    order = host.order(LOOKED_UP, names=NAMES, environment=OWN)
    assert await run(launcher, order) == 0, host.lines()

    assert json.loads(host.lines()[0]) == {
        "getaddrinfo": ["127.0.0.2", 80],
        "keyword": "127.0.0.2",
        "bytes": ["127.0.0.1", 80],
        "gethostbyname": "127.0.0.2",
        "gethostbyname_ex": ["algo-2", [], ["127.0.0.2"]],
        "gethostname": "algo-2",
        "getfqdn": "algo-2",
        "localhost": "127.0.0.1",
        "nobody": 80,
        "variable": "127.0.0.1",
        "connection": "127.0.0.2",
        "connect": "127.0.0.2",
        "connect_ex": 0,
    }
    assert host.lines()[1] == "False"


async def test_with_an_etc_hosts_of_its_own_nothing_is_replaced(
    launcher: Launcher, host: HostFolder
) -> None:
    script = """
        import os, socket
        address = socket.gethostbyname("algo-2")
        print(socket.getaddrinfo.__module__, address, os.environ["MASTER_ADDR"])
        """
    (host.root / "ml").mkdir()
    (host.root / "hosts").write_text("127.0.0.3 algo-2\n")
    mounts = Mounts(str(host.root / "ml"), str(host.root / "hosts"), "algo-2")
    order = host.order(script, names=NAMES, environment=OWN, mounts=mounts)
    assert await run(launcher, order) == 0, host.lines()

    assert host.lines() == ["socket 127.0.0.3 algo-1"]


async def test_a_program_is_given_the_address_of_the_first_host(
    launcher: Launcher, host: HostFolder
) -> None:
    order = host.order("", argv=("echo $MASTER_ADDR",), way="shell", names=NAMES, environment=OWN)
    await run(launcher, order)

    assert host.lines() == ["127.0.0.1"]


# Stands for torch: what it says is what its store was asked, and whether somebody listened then.
FAKE_TORCH = {
    "torch/__init__.py": "",
    "torch/_C/__init__.py": "",
    "torch/_C/_distributed_c10d.py": """
import socket
class TCPStore:
    def __init__(self, host_name, port, world_size=None, is_master=False, **options):
        with socket.socket() as probe:
            listens = probe.connect_ex((host_name, port)) == 0
        print(host_name, world_size, is_master, options, listens, flush=True)
""",
    "torch/distributed.py": "from torch._C._distributed_c10d import TCPStore\n",
}

MEET = """
    import socket, threading, torch.distributed as dist
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        late = threading.Timer(0.1, server.listen)
        dist.TCPStore("algo-1", port, 2, True)
        late.start()
        store = dist.TCPStore("algo-1", port, 2, False, timeout=1)
        dist.TCPStore(host_name="algo-1", port=port, is_master=False)
        dist.TCPStore("127.0.0.1", port)
        late.join()
    print(isinstance(store, dist.TCPStore), type(dist.__loader__).__name__)
    """


async def test_a_store_is_given_an_address_and_waits_until_somebody_listens(
    launcher: Launcher, host: HostFolder
) -> None:
    for name, text in FAKE_TORCH.items():
        (host.code / name).parent.mkdir(parents=True, exist_ok=True)
        (host.code / name).write_text(text)
    order = host.order(MEET, names=NAMES, environment=OWN)
    assert await run(launcher, order) == 0, host.lines()

    assert host.lines() == [
        "127.0.0.1 2 True {} False",
        "127.0.0.1 2 False {'timeout': 1} True",
        "127.0.0.1 None False {} True",
        "127.0.0.1 None False {} True",
        "True SourceFileLoader",
    ]
