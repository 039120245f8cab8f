"""What the pages and the JSON API ask: AWS's operations by name, and what only we can tell.

Pages read and change resources through `call`, as every other client does, so that the same page
can stand in front of SageMaker itself. The rest (facts, notes, files) is what a local daemon adds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from sagelet.artifacts.files import Artifacts
from sagelet.control.context import Caller, Document
from sagelet.control.plane import ControlPlane
from sagelet.domain.account import Account
from sagelet.domain.calls import CallHistory
from sagelet.domain.clock import Clock
from sagelet.domain.home import Home
from sagelet.domain.seams import EndpointFactsSource, EndpointHost
from sagelet.journal.streams import LogStreams
from sagelet.store.store import Store
from sagelet.web.public.ports import PublicPorts
from sagelet.wire.signatures import Verifier

CALLER = Caller("web")


class ServingHost(EndpointHost, EndpointFactsSource, Protocol):
    """An endpoint host that also tells what it knows."""


@dataclass(frozen=True, slots=True)
class Backend:
    """What a local daemon offers to its web app. `address` is its URL, without a slash at its end.

    `kill_job` ends a training job, by its name, without its grace; `public_ports` opens the socket
    of the public listener.
    """

    plane: ControlPlane
    host: ServingHost
    store: Store
    logs: LogStreams
    artifacts: Artifacts
    home: Home
    account: Account
    clock: Clock
    verifier: Verifier
    history: CallHistory
    kill_job: Callable[[str], Awaitable[None]]
    public_ports: PublicPorts
    address: str
    max_body_bytes: int

    async def call(self, service: str, operation: str, /, **document: Any) -> Document:  # noqa: ANN401  AWS's members
        """Answer one of AWS's operations, such as `call("sagemaker", "ListEndpoints")`.

        Raises:
            SageletError: what was asked for cannot be done.
            Fault: the operation is not served.
        """
        return await self.plane.answer(service, operation, document, CALLER)

    async def endpoint_named(self, name: str) -> str:
        """Return an endpoint's name as it was created, whatever the case it is asked for in.

        Raises:
            EndpointNotFound: there is none.
        """
        described = await self.call("sagemaker", "DescribeEndpoint", EndpointName=name)
        return str(described["EndpointName"])
