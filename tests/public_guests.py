"""The public listener in process: a model that is served, and guests at addresses of the test's."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from sagelet.domain.facts import EndpointFacts, VariantFacts
from sagelet.domain.hosting import EndpointStatus
from sagelet.domain.invocation import Answer, Timing
from sagelet.web.public.app import PublicApp
from sagelet.web.public.arrivals import Proxies, network_of
from tests.fakes import ScriptedHost
from tests.web_bench import WebBench, a_web_bench

NAME = "Texts-1"
SLUG = "texts-1"
BODY = '[["The Wimbledon tennis tournament starts next week!"]]'
PREDICTION = [{"probabilities": {"Tweets": 0.7, "Reviews": 0.3}}]
TIMES = Timing(1.5, {"input_fn": 0.5, "predict_fn": 6.0, "output_fn": 0.5}, 10.0)
ANSWER = Answer(
    200, json.dumps(PREDICTION).encode(), "application/json", "AllTraffic", 3, timing=TIMES
)
GUEST = "203.0.113.7"
BASE = "http://198.51.100.1:8080"


@dataclass(frozen=True)
class Public:
    """A bench with an endpoint that serves and is not public yet."""

    web: WebBench
    folder: Path

    @property
    def host(self) -> ScriptedHost:
        return self.web.bench.host

    def guest(
        self, address: str = GUEST, *, proxies: tuple[str, ...] = (), public_url: str = ""
    ) -> httpx.AsyncClient:
        """A client of a public listener of its own."""
        networks = tuple(network_of(each) for each in proxies)
        app = PublicApp(self.web.app.site, Proxies(networks), public_url)
        transport = httpx.ASGITransport(app, client=(address, 50000))
        return httpx.AsyncClient(transport=transport, base_url=BASE)

    async def share(self, access: str = "open", **terms: Any) -> httpx.Response:  # noqa: ANN401  the document's
        return await self.web.owner.put(
            f"/api/v1/publications/{NAME}",
            json={"access": access, **terms},
            headers={"x-csrf-token": self.web.csrf},
        )

    def key(self, *endpoints: str, **terms: Any) -> str:  # noqa: ANN401  the key's
        keys = self.web.app.site.access.keys
        return keys.create("a program", endpoints=endpoints, **terms)[1]

    def ship(self, name: str, text: str) -> None:
        """Put a file beside the model's code."""
        file = self.folder / "code" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


@asynccontextmanager
async def a_public_bench(root: Path, *, host: ScriptedHost | None = None) -> AsyncIterator[Public]:
    """Serve in process until the test is done."""
    async with a_web_bench(root, host=host or ScriptedHost(ANSWER)) as web:
        await web.bench.create_model()
        await web.bench.create_config()
        await web.bench.ask("CreateEndpoint", EndpointName=NAME, EndpointConfigName="sentiment-1")
        web.bench.move_endpoint(NAME, EndpointStatus.IN_SERVICE)
        variant = VariantFacts("AllTraffic", 3, "sane", is_parked=False, waiting=0, workers=())
        web.bench.host.known[NAME] = EndpointFacts(NAME, (variant,), None)
        folder = root / "model"
        (folder / "code").mkdir(parents=True)
        web.bench.host.folders[NAME] = folder
        yield Public(web, folder)


def filled(body: str = BODY, **more: str) -> dict[str, str]:
    """Return what a browser submits whose raw editor holds a text."""
    return {"body.mode": "raw", "body.raw": body, "content_type": "application/json", **more}
