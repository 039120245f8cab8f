"""Running the daemon: uvicorn on sockets of ours, until a signal."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from types import FrameType
from typing import NoReturn, cast

import uvicorn

from sagelet.server.app import App
from sagelet.server.invocations import Invocations
from sagelet.server.shortcut import InvocationProtocol

KEEP_ALIVE_S = 75
SHUTDOWN_S = 5
FLUSH_S = 1.0
_LOOK_EVERY_S = 0.01

Hook = Callable[[], Awaitable[None]]


class DaemonServer(uvicorn.Server):
    """uvicorn with moments of ours: before the first request, and around the last."""

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        on_start: Hook,
        on_drain: Callable[[], None],
        on_stop: Hook,
    ) -> None:
        """Keep the hooks."""
        super().__init__(config)
        self._on_drain = on_drain
        self._on_start = on_start
        self._on_stop = on_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the parts, then listen, so that whoever finds the daemon finds it ready."""
        await self._on_start()
        # What was made to start with is there to stay: the collector need not walk through it.
        gc.freeze()
        await super().startup(sockets=sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening and drain, then stop the parts.

        Endpoints take longer to drain than uvicorn waits. Their connections close by themselves
        once they are answered, so that the last answers are not lost with the loop.
        """
        self._on_drain()
        await super().shutdown(sockets=sockets)
        await self._on_stop()
        deadline = time.monotonic() + FLUSH_S
        while self.server_state.connections and time.monotonic() < deadline:
            await asyncio.sleep(_LOOK_EVERY_S)


def serve(
    app: App,
    sockets: list[socket.socket],
    *,
    invocations: Invocations,
    on_start: Hook,
    on_stop: Hook,
) -> None:
    """Serve until SIGTERM or SIGINT. `invocations` takes the short path; `app` gets the rest.

    Raises:
        SystemExit: SIGTERM came, and everything has ended.
        KeyboardInterrupt: SIGINT did.
    """
    # When all has ended uvicorn raises the signal anew. The default would be to die of it at once;
    # this way whoever holds the home gives it back first.
    signal.signal(signal.SIGTERM, _leave)
    config = uvicorn.Config(
        app,
        # uvicorn calls it to make a protocol, and asks no more of a class than that.
        http=cast("type[InvocationProtocol]", partial(InvocationProtocol, invocations=invocations)),
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
    DaemonServer(config, on_start=on_start, on_drain=app.begin_to_stop, on_stop=on_stop).run(
        sockets
    )


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def log_to_stderr(level: int = logging.INFO) -> None:
    """Send our log, and the warnings of others, to standard error: `up` points it at daemon.log."""
    logging.basicConfig(
        level=level, format="%(asctime)s %(levelname)-7s %(name)s %(message)s", stream=sys.stderr
    )
    for chatty in ("uvicorn", "watchfiles"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
