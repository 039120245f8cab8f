from __future__ import annotations

from pathlib import Path

import pytest

from sagelet.cli.context import App
from sagelet.cli.dev.served import Served
from sagelet.deploy.deployment import Deployment, Instead
from sagelet.deploy.remote import EndpointSeen
from sagelet.environments.deploy_env import DeployEnv
from tests.fakes import FakeRemote


class Api(FakeRemote):
    """Remembers what becomes of the endpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def update_endpoint(self, name: str, config_name: str) -> None:
        self.calls.append("update")
        super().update_endpoint(name, config_name)

    def delete_endpoint(self, name: str) -> None:
        self.calls.append("delete")
        super().delete_endpoint(name)


class Calls(App):
    """Takes the calls that go past the remote."""

    def __init__(self) -> None:
        super().__init__()
        self.deleted: list[str] = []

    def call(self, service: str, operation: str, **parameters: object) -> dict[str, object]:
        self.deleted.append(operation)
        return {}


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def app() -> Calls:
    return Calls()


def served(app: Calls, api: Api, folder: Path) -> Served:
    (folder / "serve.py").write_text("def model_fn(d): ...\n")
    env = DeployEnv(None, "local", start=folder, flags={"model_name": "dev"})
    instead = Instead(folder=folder, program="serve.py")
    return Served(app, Deployment(env, api, on_note=lambda _note: None, instead=instead))


def test_an_endpoint_is_made_renewed_and_removed(app: Calls, api: Api, tmp_path: Path) -> None:
    dev = served(app, api, tmp_path)
    dev.make()
    assert dev.wait() == ""
    assert (dev.is_ours, dev.is_in_service()) == (True, True)
    dev.renew()
    dev.remove()
    assert api.calls == ["update", "delete"]
    assert app.deleted == ["DeleteEndpointConfig", "DeleteModel"]


def test_one_that_is_removed_is_not_renewed(app: Calls, api: Api, tmp_path: Path) -> None:
    dev = served(app, api, tmp_path)
    dev.make()
    dev.wait()
    dev.remove()
    api.endpoints["dev"] = EndpointSeen("dev", "InService", "c", api._clock.now())
    dev.renew()
    assert api.calls == ["delete"]


def test_one_that_was_there_before_is_not_ours(app: Calls, api: Api, tmp_path: Path) -> None:
    served(app, api, tmp_path).make()
    assert not served(app, api, tmp_path).is_ours


def test_one_that_fails_says_why(app: Calls, api: Api, tmp_path: Path) -> None:
    api.outcomes = ["Creating", "Failed"]
    dev = served(app, api, tmp_path)
    dev.make()
    assert "ValueError" in dev.wait()
    assert not dev.is_in_service()
