"""The public listener on an address that is not loopback's, in a network of the test's own.

The daemon, its clients and its guests run in a thread that has left the machine's network: nobody
outside sees what is opened here. Where the system does not allow that, these tests are left out.
"""

from __future__ import annotations

import asyncio
import base64
import ctypes
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from sagelet.domain.home import Home
from sagelet.environments import credentials
from sagelet.environments.local_api import LocalApi
from sagelet.errors import SageletError
from tests.end_to_end.local_aws import REGION, LocalAws, eventually
from tests.signed_requests import signed
from tests.web.article import BODY, a_model_folder
from tests.web_bench import a_web_bench
from tests.web_routes import Known, known_routes

OURS, ANOTHER = "10.77.0.1", "10.77.0.2"
NAME = "text-classification"
PREDICT = f"/api/v1/predict/{NAME}"
JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
# What both ports have, by the same path.
SHARED = frozenset(
    {
        "POST /api/v1/predict/{endpoint}",
        "GET /api/v1/endpoints/{name}/schema",
        "GET /api/v1/endpoints/{name}/examples",
        "GET /api/v1/endpoints/{name}/openapi.json",
    }
)
PATIENCE_S = 20.0
_CLONE_NEWNET = 0x40000000
_SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK = 0x8914, 0x8916, 0x891C
_IFF_UP = 0x1

T = TypeVar("T")


def leave_the_network() -> None:
    """Give this thread, and what it starts, a network with two addresses of its own."""
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))
        for number, address in enumerate((OURS, ANOTHER)):
            name = f"lo:{number}".encode()
            for request, value in ((_SIOCSIFADDR, address), (_SIOCSIFNETMASK, "255.255.255.255")):
                packed = struct.pack("16sHH4s8x", name, socket.AF_INET, 0, socket.inet_aton(value))
                fcntl.ioctl(control, request, packed)


# Runs there as a process of its own, since tests reach nothing but loopback: it connects from an
# address, once or several times, sends bytes, and tells what came.
GUEST = """
import base64, json, socket, sys
for line in sys.stdin:
    at, source, raw, count, whole = json.loads(line)
    raw, told = base64.b64decode(raw), []
    try:
        held = [socket.create_connection(tuple(at), 20, (source, 0)) for _ in range(count)]
        for each in held:
            try:
                each.sendall(raw)
            except OSError:
                pass
            read = lambda: each.recv(65536)
            told.append(b"".join(iter(read, b"")) if whole else read())
        for each in held:
            each.close()
    except ConnectionRefusedError:
        told = None
    print(json.dumps(told and [base64.b64encode(each).decode() for each in told]), flush=True)
"""


class NobodyThere(Exception):
    """A connection was refused."""


@dataclass
class Net:
    """A daemon that serves the article's model in a network of its own. `run` does things there."""

    local: LocalAws
    folder: Path
    thread: ThreadPoolExecutor
    guest: subprocess.Popen[str]
    port: int = 0

    def run(self, what: Callable[..., T], *arguments: Any, **named: Any) -> T:  # noqa: ANN401  the call's own
        return self.thread.submit(what, *arguments, **named).result(PATIENCE_S * 3)

    def sagelet(self, *arguments: str, code: int = 0) -> str:
        done = self.run(self.local.sagelet, *arguments, code=code)
        return done.stdout + done.stderr

    @property
    def api(self) -> LocalApi:
        key = credentials.load_or_create(self.local.home)
        return LocalApi(self.local.info.address, key, REGION)

    def share(self, access: str, per_minute: int = 1000) -> None:
        self.run(self.api.publish, NAME, {"access": access, "per_minute": per_minute})

    def open(self, **settings: Any) -> None:  # noqa: ANN401  the document's
        asked = {"address": f"{OURS}:0", **settings}
        self.port = self.run(self.api.open_public_listener, asked)["port"]

    def close(self) -> None:
        self.run(self.api.close_public_listener)

    def ask(
        self,
        path: str,
        fields: Mapping[str, str] | None = None,
        *,
        method: str = "GET",
        body: bytes = b"",
        to: tuple[str, int] | None = None,
        source: str = OURS,
    ) -> tuple[int, bytes]:
        """Ask the public listener, or whoever listens at `to`, from an address."""
        at = to or (OURS, self.port)
        head = {"host": f"{at[0]}:{at[1]}", "connection": "close", **(fields or {})}
        if body or method == "POST":
            head["content-length"] = str(len(body))
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        raw = f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body
        [answer] = self.exchange(at, raw, source=source)
        return int(answer.split()[1]), answer

    def predict(self, source: str = OURS, **fields: str) -> int:
        """Return the status of a prediction."""
        head = {name.replace("_", "-"): value for name, value in fields.items()}
        return self.ask(PREDICT, {**JSON, **head}, method="POST", body=BODY, source=source)[0]

    def exchange(
        self,
        at: tuple[str, int],
        raw: bytes,
        *,
        source: str = OURS,
        count: int = 1,
        is_whole: bool = True,
    ) -> list[bytes]:
        """Send bytes on some connections at a time; return what came, to the end or at first."""
        asked = [at, source, base64.b64encode(raw).decode(), count, is_whole]
        assert self.guest.stdin is not None
        assert self.guest.stdout is not None
        self.guest.stdin.write(json.dumps(asked) + "\n")
        self.guest.stdin.flush()
        told = json.loads(self.guest.stdout.readline())
        if told is None:
            raise NobodyThere
        return [base64.b64decode(each) for each in told]


def a_guest() -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", GUEST], stdin=pipe, stdout=pipe, text=True)


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Net]:
    root = tmp_path_factory.mktemp("public")
    with ThreadPoolExecutor(max_workers=1) as thread:
        try:
            thread.submit(leave_the_network).result()
        except OSError as error:
            pytest.skip(f"this system lets nobody have a network of their own: {error}")
        local = LocalAws(Home(root / "home"))
        guest = thread.submit(a_guest).result()
        net = Net(local, a_model_folder(root / "model"), thread, guest)
        net.sagelet("up", "--port", "0")
        net.run(local.deploy, NAME, net.folder)
        net.run(local.wait_in_service, NAME)
        yield net
        net.sagelet("down")
        guest.communicate()
        eventually(lambda: not local.processes(), "every process has ended")
        log = local.home.daemon_log.read_text()
        assert "Traceback" not in log, log[log.find("Traceback") - 500 :][:4000]


@pytest.fixture
def public(net: Net) -> Iterator[Net]:
    """The listener is open, and the endpoint is public."""
    net.share("open")
    net.open()
    yield net
    net.close()
    net.share("off")


def test_the_daemons_own_port_is_not_there_and_nothing_of_it_on_the_other(public: Net) -> None:
    _, own = public.local.place
    with pytest.raises(NobodyThere):
        public.ask("/healthz", to=(OURS, own))
    assert public.ask("/healthz")[1].endswith(b"\r\n\r\nok\n")
    status, page = public.ask(f"/p/{NAME}")
    assert (status, b"<form" in page) == (200, True)
    status, answer = public.ask(PREDICT, JSON, method="POST", body=BODY)
    assert (status, b"probabilities" in answer) == (200, True)
    for path in ("/", "/login", "/keys", "/settings", f"/endpoints/{NAME}", "/api/v1/endpoints"):
        for method in ("GET", "POST", "DELETE", "PUT"):
            status, answer = public.ask(path, method=method)
            assert status in (404, 405), f"{method} {path}"
            assert str(public.local.home.root).encode() not in answer


def test_no_route_of_the_owners_is_there(public: Net, tmp_path: Path) -> None:
    async def routes() -> Sequence[Known]:
        async with a_web_bench(tmp_path) as bench:
            return known_routes(bench.app.site)

    asked = 0
    for route in asyncio.run(routes()):
        if route.path.startswith("/p/") or str(route) in SHARED:
            continue
        status, answer = public.ask(route.filled(_Named()), method=route.method)
        assert status in (404, 405), f"{route}: {status}"
        assert str(public.local.home.root).encode() not in answer, str(route)
        asked += 1
    assert asked > 50
    assert public.predict() == 200


class _Named(dict[str, str]):
    """What is public, for each parameter."""

    def __missing__(self, _parameter: str) -> str:
        return NAME


def test_a_signature_of_the_owners_opens_nothing(public: Net) -> None:
    key = credentials.load_or_create(public.local.home)

    def by_owner(path: str, body: bytes, method: str, service: str) -> dict[str, str]:
        target = {"x-amz-target": "SageMaker.DeleteEndpoint"} if path == "/" else None
        fields = signed(
            path,
            body,
            target,
            method=method,
            key=key.access_key_id,
            secret=key.secret_access_key,
            service=service,
        )
        return {name.lower(): value for name, value in fields}

    body = json.dumps({"EndpointName": NAME}).encode()
    invoke = f"/endpoints/{NAME}/invocations"
    for path, sent in (("/", body), (invoke, BODY)):
        fields = by_owner(path, sent, "POST", "sagemaker")
        assert public.ask(path, fields, method="POST", body=sent)[0] == 404
    for path, method in (
        ("/api/v1/public-listener", "DELETE"),
        (f"/api/v1/publications/{NAME}", "DELETE"),
        ("/api/v1/login-tokens", "POST"),
        ("/api/v1/keys", "GET"),
        ("/api/v1/events", "GET"),
    ):
        fields = by_owner(path, b"", method, "sagelet")
        assert public.ask(path, fields, method=method)[0] == 404, path
    assert public.predict() == 200


def test_the_command_line_opens_shares_tells_and_closes(net: Net) -> None:
    said = net.sagelet("ui", "--public", f"{OURS}:0")
    assert f"http://{OURS}:" in said
    assert "no endpoint yet" in said
    assert "TLS is for a proxy" in said
    assert f"http://{OURS}:" in net.sagelet("status")
    assert f"/p/{NAME}" in net.sagelet("ui", NAME, "--share", "open")
    net.sagelet("ui", "--public", "off")
    assert "is private" in net.sagelet("ui", NAME, "--share", "off")


def test_a_listener_that_cannot_be_had_is_told(public: Net) -> None:
    def refusal(address: str) -> str:
        with pytest.raises(SageletError) as refused:
            public.open(address=address)
        return str(refused.value)

    assert "open already" in refusal(f"{ANOTHER}:0")
    public.close()
    _, own = public.local.place
    assert "proxy" in refusal(f"{OURS}:80")
    assert "no address of this machine" in refusal("10.99.0.1:8080")
    assert "is used by" in refusal(f"127.0.0.1:{own}")
    assert "is not like" in refusal("everywhere")
    with pytest.raises(NobodyThere):
        public.ask("/healthz")
    assert public.run(public.api.public_listener) == {"is_open": False}


def test_private_again_it_is_gone_at_once(public: Net) -> None:
    assert public.ask(f"/p/{NAME}")[0] == 200
    public.share("off")
    for path in (f"/p/{NAME}", f"/api/v1/endpoints/{NAME}/schema"):
        assert public.ask(path)[0] == 404
    assert public.predict() == 404


def test_a_key_is_good_from_outside_until_it_is_revoked(public: Net) -> None:
    public.share("key")
    made = public.run(public.api.create_key, {"name": "guest", "endpoints": [NAME]})
    keys = {"none": "", "wrong": "Bearer sgl_live_wrong", "good": f"Bearer {made['key']}"}
    statuses = [public.predict(**({"authorization": key} if key else {})) for key in keys.values()]
    assert statuses == [401, 401, 200]
    public.run(public.api.revoke_key, made["id"])
    assert public.predict(authorization=keys["good"]) == 401


def test_limits_are_of_addresses_and_a_proxys_word_counts_where_it_is_named(public: Net) -> None:
    public.share("open", per_minute=2)
    assert [public.predict(x_forwarded_for=f"1.1.1.{n}") for n in range(3)] == [200, 200, 429]
    assert public.predict(ANOTHER) == 200
    public.close()
    public.open(trusted_proxies=[ANOTHER], public_url="https://models.example.com")
    named = [public.predict(ANOTHER, x_forwarded_for=f"2.2.2.{n}") for n in range(3)]
    assert named == [200, 200, 200]
    same = [public.predict(ANOTHER, x_forwarded_for="6.6.6.6, 3.3.3.3") for _ in range(3)]
    assert same == [200, 200, 429]
    page = public.ask(f"/p/{NAME}", {"host": "evil.example"})[1]
    assert b"https://models.example.com/api" in page
    assert b"evil.example" not in page


def test_large_requests_are_refused(public: Net) -> None:
    large = b"x" * (6 * 2**20 + 1)
    assert public.ask(PREDICT, JSON, method="POST", body=large)[0] == 413
    kind = {"content-type": "multipart/form-data; boundary=x"}
    part = b'--x\r\ncontent-disposition: form-data; name="f"; filename="f"\r\n\r\n' + large
    assert public.ask(f"/p/{NAME}/run", kind, method="POST", body=part)[0] == 413
    assert public.ask("/healthz", {f"x-{n}": "y" for n in range(120)})[0] == 431
    assert public.ask("/healthz")[0] == 200


@pytest.mark.full
def test_whoever_does_not_go_on_is_let_go(public: Net) -> None:
    [answer] = public.exchange((OURS, public.port), b"GET /healthz HT")
    assert b" 408 " in answer


def test_one_address_does_not_hold_every_connection(public: Net) -> None:
    raw = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
    answers = public.exchange((OURS, public.port), raw, count=40, is_whole=False)
    statuses = [int(answer.split()[1]) for answer in answers]
    assert (statuses.count(200), statuses.count(503)) == (32, 8)
    assert public.ask("/healthz", source=ANOTHER)[0] == 200


def test_another_sites_page_is_refused(public: Net) -> None:
    body = b"body.mode=raw&body.raw=x"
    for origin, status in ((f"http://{OURS}:{public.port}", 200), ("http://evil.example", 403)):
        fields = {**FORM, "origin": origin}
        assert public.ask(f"/p/{NAME}/run", fields, method="POST", body=body)[0] == status
    assert public.predict(origin="http://evil.example") == 403


def test_a_worker_that_is_killed_meanwhile_gives_a_calm_page(public: Net) -> None:
    handlers = public.folder / "code" / "inference.py"
    before = handlers.read_text()
    dying = "def input_fn(*_):\n    import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    body = b"body.mode=raw&body.raw=%5B%5B%22a%22%5D%5D&content_type=application%2Fjson"

    def ran() -> bytes | None:
        status, page = public.ask(f"/p/{NAME}/run", FORM, method="POST", body=body)
        assert status == 200
        return page if b'data-testid="failed"' in page else None

    try:
        handlers.write_text(f"{before}\n\n{dying}")
        page = eventually(ran, "the edit is served, and ends its worker")
        assert b"the model could not answer this" in page
        for secret in (b"inference.py", b"SIGKILL", b"Traceback", os.fsencode(public.folder)):
            assert secret not in page
    finally:
        handlers.write_text(before)
    eventually(lambda: public.predict() == 200, "the mended model answers")


def test_it_is_closed_when_the_daemon_comes_back_and_what_is_public_stays_so(public: Net) -> None:
    public.sagelet("down")
    public.sagelet("up", "--port", "0")
    with pytest.raises(NobodyThere):
        public.ask("/healthz")
    assert public.run(public.api.public_listener) == {"is_open": False}
    assert public.run(public.api.publication, NAME)["access"] == "open"
    public.run(public.local.wait_in_service, NAME)
