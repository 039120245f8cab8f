"""The daemon's HTTP front on a port of its own, with a scripted host behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import uvicorn

from sagelet.buckets.service import S3
from sagelet.domain.clock import Clock
from sagelet.domain.home import Home
from sagelet.domain.invocation import Answer, Invocation
from sagelet.environments.credentials import LocalCredentials
from sagelet.environments.local_api import LocalApi
from sagelet.hosting.call_history import KeptCalls
from sagelet.server.app import App
from sagelet.server.aws import AwsFace
from sagelet.server.gate import Gate
from sagelet.server.invocations import Asked, Invocations
from sagelet.server.listening import listen
from sagelet.server.request_ids import RequestIds
from sagelet.server.shortcut import InvocationProtocol
from sagelet.server.web_door import WebDoor
from sagelet.web.front import Front
from sagelet.wire.quick_signatures import QuickVerifier
from sagelet.wire.signatures import Verifier
from tests.builders import ACCOUNT
from tests.control_bench import Bench, a_bench
from tests.fakes import HeldClock, ScriptedHost
from tests.signed_requests import KEY, REGION, SECRET
from tests.web_bench import a_backend

MAX_BODY_BYTES = 400_000
PATIENCE_S = 10.0


class HeldHost(ScriptedHost):
    """A host that answers when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[asyncio.Future[Answer]] = []

    def submit(self, invocation: Invocation) -> asyncio.Future[Answer]:
        self.invocations.append(invocation)
        self.held.append(asyncio.get_running_loop().create_future())
        return self.held[-1]


@dataclass
class Door:
    """A running front. `by_asgi` counts the requests that did not take the short path."""

    bench: Bench
    app: App
    host: ScriptedHost
    clock: HeldClock
    server: uvicorn.Server
    invocations: Invocations
    port: int
    by_asgi: int = 0
    opened: list[asyncio.StreamWriter] = field(default_factory=list)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection; the end of the test closes it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.opened.append(writer)
        return reader, writer

    async def exchange(self, request: bytes) -> bytes:
        """Send a request, and nothing more, on a connection of its own; return all that comes."""
        reader, writer = await self.connect()
        writer.write(request)
        is_head = request.startswith(b"HEAD ")
        answer = await asyncio.wait_for(read_answer(reader, is_head=is_head), PATIENCE_S)
        writer.close()
        return answer


def an_api(door: Door, secret: str = SECRET) -> LocalApi:
    """Return a client of the daemon's own API."""
    return LocalApi(f"http://127.0.0.1:{door.port}", LocalCredentials(KEY, secret), REGION)


async def read_answer(reader: asyncio.StreamReader, *, is_head: bool = False) -> bytes:
    """Return one answer as it came, or what came until the connection was closed."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = await reader.readline()
        head += line
        if not line:
            return head
    if is_head:
        return head
    lines = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
    if lines.get(b"transfer-encoding") == b"chunked":
        return head + await reader.readuntil(b"0\r\n\r\n")
    return head + await reader.readexactly(int(lines.get(b"content-length", 0)))


@asynccontextmanager
async def a_door(
    root: Path,
    *,
    host: ScriptedHost | None = None,
    clock: Clock | None = None,
    is_short: bool = True,
    lenient: bool = False,
) -> AsyncIterator[Door]:
    """Serve until the test is done; without the short path, everything goes by way of ASGI.

    Signatures are judged by `clock`, which is the bench's held one unless it is given.
    """
    bench = a_bench(root, host=host)
    clock = clock or bench.clock
    home, gate, ids = Home(root / "home"), Gate(), RequestIds()
    secret_of = {KEY: SECRET}.get
    verifier = Verifier(secret_of, clock, lenient=lenient)
    aws = AwsFace(
        plane=bench.plane,
        s3=S3(bench.buckets, bench.clock),
        verifier=verifier,
        request_ids=ids,
        max_body_bytes=MAX_BODY_BYTES,
    )
    backend = a_backend(
        bench,
        home,
        KeptCalls(bench.store, home.history),
        verifier,
        address="http://127.0.0.1",
        clock=clock,
        max_body_bytes=MAX_BODY_BYTES,
    )
    web = WebDoor(partial(Front, backend), max_body_bytes=MAX_BODY_BYTES)
    app = App(home=home, gate=gate, aws=aws, web=web)
    invocations = (Invocations if is_short else _Closed)(
        host=bench.host,
        gate=gate,
        verifier=QuickVerifier(secret_of, clock, service="sagemaker"),
        account=ACCOUNT,
        request_ids=ids,
        max_body_bytes=MAX_BODY_BYTES,
    )
    sockets = listen(0)
    port = sockets[0].getsockname()[1]

    async def counted(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401  ASGI's own
        door.by_asgi += 1
        await app(scope, receive, send)

    config = uvicorn.Config(
        counted,
        http=cast("type[InvocationProtocol]", partial(InvocationProtocol, invocations=invocations)),
        ws="none",
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=5,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    door = Door(bench, app, bench.host, bench.clock, server, invocations, port)
    await server.startup(sockets=sockets)
    server.server_state.default_headers = [(b"date", b"Fri, 02 Jan 2026 03:04:05 GMT")]
    try:
        yield door
    finally:
        await _close(door)


async def _close(door: Door) -> None:
    """End it all at once: uvicorn's own shutdown takes its time."""
    for writer in door.opened:
        writer.close()
    for listening in door.server.servers:
        listening.close()
    state = door.server.server_state
    for connection in list(state.connections):
        cast("InvocationProtocol", connection).transport.abort()
    async with asyncio.timeout(PATIENCE_S):
        while state.connections or state.tasks:
            await asyncio.sleep(0)


class _Closed(Invocations):
    """Takes no request."""

    def asked(self, path: bytes, fields: list[tuple[bytes, bytes]]) -> Asked | None:
        return None
