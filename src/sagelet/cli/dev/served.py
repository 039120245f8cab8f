"""The endpoint that `sagelet dev` serves, from its making to its end."""

from __future__ import annotations

import threading

from sagelet.cli.browsing import show
from sagelet.cli.context import App
from sagelet.cli.running import local_api
from sagelet.deploy.deployment import Deployment, Prepared
from sagelet.deploy.executor import Executor
from sagelet.deploy.plan import CreateEndpoint, sentence
from sagelet.deploy.remote import IN_SERVICE
from sagelet.deploy.waiting import DEFAULT_TIMEOUT_S, wait_until_settled
from sagelet.errors import OperationFailed, RemoteRefused

_SETTLES_WITHIN_S = 15.0


class Served:
    """One endpoint, with the model and the configuration behind it.

    It is removed in the end, unless it was there before.
    """

    def __init__(self, app: App, deployment: Deployment) -> None:
        """Plan; nothing is made yet."""
        self._app = app
        self._deployment = deployment
        self._prepared: Prepared = deployment.prepare()
        self._changing = threading.Lock()  # a key may ask for fresh workers while it is removed
        self._is_removed = False
        self.name = self._prepared.wanted.endpoint
        self.is_ours = any(isinstance(step, CreateEndpoint) for step in self._prepared.plan.steps)

    @property
    def url(self) -> str:
        """Where it is invoked."""
        return f"{self._deployment.remote.address}/endpoints/{self.name}/invocations"

    @property
    def region(self) -> str:
        """The region that its callers sign for."""
        return self._deployment.remote.region

    def make(self) -> None:
        """Bring it to what is wanted; workers may still be loading then."""
        say = self._app.output.say
        is_talkative = bool(self._app.output.verbosity)
        executor = Executor(
            self._deployment.remote,
            on_step=lambda step: say(sentence(step)) if is_talkative else None,
        )
        self._deployment.act(self._prepared, executor)

    def wait(self) -> str:
        """Wait until it serves; return why it does not, or nothing."""
        try:
            self._deployment.wait(
                self._prepared, timeout_s=self._app.timeout_s or DEFAULT_TIMEOUT_S
            )
        except OperationFailed as failed:
            return failed.reason
        return ""

    def browse(self) -> str:
        """Open its page in a browser that is signed in; return what to say of it.

        Raises:
            RemoteError: the daemon does not answer.
        """
        login = local_api(self._app).login(f"/endpoints/{self.name}")
        url = login["url"]
        is_shown = show(self._app.home(), url)
        return "opened the page" if is_shown else f"the page, signed in for a minute: {url}"

    def is_in_service(self) -> bool:
        """Tell whether it serves."""
        seen = self._deployment.remote.find_endpoint(self.name)
        return seen is not None and seen.status == IN_SERVICE

    def renew(self) -> None:
        """Have fresh workers load everything anew, beside those that serve.

        Raises:
            RemoteRefused: it is being changed, or does not serve.
        """
        remote = self._deployment.remote
        with self._changing:
            seen = remote.find_endpoint(self.name)
            if seen is not None and not self._is_removed:
                remote.update_endpoint(self.name, seen.config_name)

    def remove(self) -> None:
        """Delete it, with its configuration and model.

        Raises:
            WaitTimedOut: it is busy with something else.
        """
        wanted = self._prepared.wanted
        remote = self._deployment.remote
        with self._changing:
            self._is_removed = True
            if wait_until_settled(remote, self.name, timeout_s=_SETTLES_WITHIN_S) is not None:
                remote.delete_endpoint(self.name)
        self._forget("EndpointConfig", wanted.config.name)
        self._forget("Model", wanted.model.name)

    def _forget(self, kind: str, name: str) -> None:
        try:
            self._app.call("sagemaker", f"Delete{kind}", **{f"{kind}Name": name})
        except RemoteRefused as refused:
            if not refused.message.startswith("Could not find"):
                raise
