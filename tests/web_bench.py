"""The web app in process, on a control plane with a scripted host, and a browser signed in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from sagelet.artifacts.files import Artifacts
from sagelet.domain.clock import Clock
from sagelet.domain.home import Home
from sagelet.hosting.call_history import KeptCalls
from sagelet.server.public_listener import PublicSockets
from sagelet.web.backend import Backend
from sagelet.web.front import Front
from sagelet.web.rendering import Rendering
from sagelet.wire.signatures import Verifier
from tests.builders import ACCOUNT
from tests.control_bench import Bench, a_bench
from tests.fakes import ScriptedHost
from tests.signed_requests import KEY, SECRET

ADDRESS = "http://127.0.0.1:7543"
_TEMPLATES = Rendering()


@dataclass(frozen=True)
class WebBench:
    """The app. `owner` is a browser that is signed in (with `csrf`), `visitor` one that is not."""

    bench: Bench
    app: Front
    owner: httpx.AsyncClient
    visitor: httpx.AsyncClient
    csrf: str
    history: KeptCalls


@asynccontextmanager
async def a_web_bench(root: Path, *, host: ScriptedHost | None = None) -> AsyncIterator[WebBench]:
    """Serve in process until the test is done."""
    bench = a_bench(root, host=host)
    home = Home(root / "home")
    home.root.mkdir(exist_ok=True)
    history = KeptCalls(bench.store, root / "history")
    verifier = Verifier({KEY: SECRET}.get, bench.clock)
    public = PublicSockets()
    app = Front(a_backend(bench, home, history, verifier, public=public))
    token = app.site.access.sessions.begin()
    session = app.site.access.sessions.find(token)
    assert session is not None
    transport = httpx.ASGITransport(app)
    async with (
        httpx.AsyncClient(
            transport=transport, base_url=ADDRESS, cookies={app.site.access.cookie: token}
        ) as owner,
        httpx.AsyncClient(transport=transport, base_url=ADDRESS) as visitor,
    ):
        yield WebBench(bench, app, owner, visitor, session.csrf, history)
        app.end_streams()
        await public.close(0)


def a_backend(
    bench: Bench,
    home: Home,
    history: KeptCalls,
    verifier: Verifier,
    *,
    public: PublicSockets | None = None,
    address: str = ADDRESS,
    clock: Clock | None = None,
    max_body_bytes: int = 6 * 2**20,
) -> Backend:
    """Return what a daemon on a bench offers to its web app; `clock` is the bench's, or another."""
    return Backend(
        plane=bench.plane,
        host=bench.host,
        store=bench.store,
        logs=bench.logs,
        artifacts=Artifacts(bench.buckets),
        home=home,
        account=ACCOUNT,
        clock=clock or bench.clock,
        verifier=verifier,
        history=history,
        kill_job=bench.plane.kill_training_job,
        public_ports=public or PublicSockets(),
        address=address,
        max_body_bytes=max_body_bytes,
    )
