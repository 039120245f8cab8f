"""Introduces the parts to each other; the only module that knows them all."""

from __future__ import annotations

import asyncio
import logging
import os
from functools import partial

from sagelet.artifacts.files import Artifacts
from sagelet.artifacts.objects import Buckets
from sagelet.buckets.service import S3
from sagelet.control.key_holders import KeyHolders
from sagelet.control.plane import ControlPlane
from sagelet.domain.account import Account
from sagelet.domain.clock import SystemClock
from sagelet.environments import credentials, scoped_keys
from sagelet.environments.scoped_keys import ScopedKeys
from sagelet.environments.script_keys import ScriptKeys
from sagelet.hosting.call_history import KeptCalls
from sagelet.hosting.host import HostingSettings, LocalEndpointHost
from sagelet.journal.metric_store import MetricStore
from sagelet.journal.streams import LogStreams
from sagelet.server import daemon
from sagelet.server.app import App
from sagelet.server.aws import AwsFace
from sagelet.server.container_ports import LoopbackPorts
from sagelet.server.gate import Gate
from sagelet.server.instance import Instance
from sagelet.server.invocations import Invocations
from sagelet.server.listening import address_of, listen
from sagelet.server.public_listener import PublicSockets
from sagelet.server.request_ids import RequestIds
from sagelet.server.settings import DaemonSettings
from sagelet.server.web_door import WebApp, WebDoor
from sagelet.store.store import Store
from sagelet.supervision import package_path
from sagelet.supervision.launcher import Launchers
from sagelet.training.jobs import LocalJobRunner, TrainingSettings
from sagelet.web.backend import Backend
from sagelet.wire.quick_signatures import QuickVerifier
from sagelet.wire.signatures import Verifier

log = logging.getLogger(__name__)

PUBLIC_CLOSE_S = 2.0


def run_daemon(settings: DaemonSettings) -> None:
    """Be the daemon of a home until a signal ends it.

    Raises:
        DaemonRunning: another one holds the home.
        PortTaken: the port that was asked for is in use.
        StateError: the home cannot be used.
    """
    os.umask(0o077)
    with Instance(settings.home) as instance:
        sockets = listen(settings.port)
        parts = Parts(settings, address_of(sockets))

        async def start() -> None:
            await parts.start()
            instance.announce(address_of(sockets))
            log.info("listening at %s", address_of(sockets))

        daemon.serve(
            parts.app,
            sockets,
            invocations=parts.invocations,
            on_start=start,
            on_stop=parts.stop,
        )


class Parts:
    """The daemon's parts, joined."""

    def __init__(self, settings: DaemonSettings, address: str) -> None:
        """Build each part from those below it; `address` is where clients find the daemon.

        Raises:
            StateError: the home cannot be used.
        """
        home, clock, account = settings.home, SystemClock(), Account(settings.region)
        home_key = credentials.load_or_create(home)
        script_keys = ScriptKeys(home_key, address, account.region)
        self._store = Store(home.database, account)
        logs = LogStreams(home.logs)
        self._buckets = Buckets(home.buckets)
        artifacts = Artifacts(self._buckets)
        self._launchers = Launchers(
            package_path=package_path.ensure(home.pythonpath),
            warm=settings.warm,
            on_note=log.info,
        )
        gate = Gate(allowed_hosts=settings.allowed_hosts)
        history, metrics = KeptCalls(self._store, home.history), MetricStore(home)
        self._host = LocalEndpointHost(
            store=self._store,
            logs=logs,
            artifacts=artifacts,
            launchers=self._launchers,
            ports=LoopbackPorts(gate=gate, max_body_bytes=settings.max_body_bytes),
            home=home,
            account=account,
            clock=clock,
            history=history,
            metrics=metrics.endpoints,
            settings=HostingSettings(
                park_after_s=settings.park_after_s,
                live_workers=settings.live_workers,
                keys_of=script_keys.of_endpoint,
            ),
        )
        self._runner = LocalJobRunner(
            store=self._store,
            logs=logs,
            launchers=self._launchers,
            home=home,
            account=account,
            clock=clock,
            settings=TrainingSettings(keys_of=script_keys.of_job),
        )
        plane = ControlPlane(
            store=self._store,
            logs=logs,
            metrics=metrics,
            runner=self._runner,
            host=self._host,
            artifacts=artifacts,
            account=account,
            clock=clock,
            hold_s=settings.hold_s,
        )
        secret_of, request_ids = credentials.KnownKeys(home).secret_of, RequestIds()
        scoped = ScopedKeys(home_key, secret_of, KeyHolders(self._store).holds)
        verifier = Verifier(
            scoped.secret_of, clock, allows=scoped_keys.allows, lenient=settings.lenient_auth
        )
        self._public = PublicSockets()
        backend = Backend(
            plane=plane,
            host=self._host,
            store=self._store,
            logs=logs,
            artifacts=artifacts,
            home=home,
            account=account,
            clock=clock,
            verifier=verifier,
            history=history,
            kill_job=plane.kill_training_job,
            public_ports=self._public,
            address=address,
            max_body_bytes=settings.max_body_bytes,
        )
        self.app = App(
            home=home,
            gate=gate,
            aws=AwsFace(
                plane=plane,
                s3=S3(self._buckets, clock),
                verifier=verifier,
                request_ids=request_ids,
                max_body_bytes=settings.max_body_bytes,
            ),
            web=WebDoor(partial(self._web, backend), max_body_bytes=settings.max_body_bytes),
        )
        self.invocations = Invocations(
            host=self._host,
            gate=gate,
            verifier=QuickVerifier(secret_of, clock, service="sagemaker"),
            account=account,
            request_ids=request_ids,
            max_body_bytes=settings.max_body_bytes,
        )

    @staticmethod
    def _web(backend: Backend) -> WebApp:
        """Build the web app, with libraries that a daemon which nobody looks at need not load."""
        from sagelet.web.front import Front  # noqa: PLC0415

        return Front(backend)

    async def start(self) -> None:
        """Warm the zygote, bring endpoints back and re-adopt jobs; drop what a crash left half."""
        await asyncio.to_thread(self._buckets.sweep)
        await self._launchers.for_python(None).start()
        await self._host.start()
        await self._runner.start_up()

    async def stop(self) -> None:
        """Drain and stop what serves; jobs go on by themselves."""
        await self._host.close()
        await self._public.close(PUBLIC_CLOSE_S)
        await self._runner.close()
        await self._launchers.close()
        self._store.close()
