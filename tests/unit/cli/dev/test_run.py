from __future__ import annotations

from pathlib import Path

import click
import pytest

from sagelet.cli.context import App
from sagelet.cli.dev.run import Wishes, target
from sagelet.cli.dev.tips import tips
from sagelet.cli.payloads import Payload
from sagelet.errors import BadConfig

HANDLERS = "def model_fn(model_dir):\n    return 1\n"
CONFIG = "environments: {local: {model_name: clf}}\nserve: {entry_point: serve.py}\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a configuration, handlers, and a folder with handlers of its own."""
    root = tmp_path / "my project"
    for folder in (root, root / "other"):
        folder.mkdir()
        (folder / "serve.py").write_text(HANDLERS)
    (root / ".git").mkdir()
    (root / "sagelet.yml").write_text(CONFIG)
    monkeypatch.chdir(root)
    return root


def chosen(wishes: Wishes | None = None) -> tuple[Path | None, str | None]:
    """Return the bare folder that is served, if one is, and the endpoint's name."""
    app = App()
    bare = target(app, wishes or Wishes())
    return bare.folder if bare else None, app.deploy_env().settings.model_name


def test_a_project_is_served_under_its_own_name(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert chosen() == (None, "clf")
    assert chosen(Wishes(folder=Path())) == (None, "clf")
    monkeypatch.chdir(project / "other")
    assert chosen() == (None, "clf")


def test_a_folder_that_is_named_is_served_though_a_project_is_around_it(project: Path) -> None:
    assert chosen(Wishes(folder=Path("other"))) == (project / "other", "other")


def test_a_folder_without_configuration_is_served_under_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "inference.py").write_text(HANDLERS)
    monkeypatch.chdir(tmp_path / "bare")
    assert chosen() == (tmp_path / "bare", "bare")


def test_a_configuration_that_says_nothing_of_serving_keeps_its_keys(project: Path) -> None:
    (project / "sagelet.yml").write_text("environments: {local: {model_name: clf, threads: 2}}\n")
    app = App()
    bare = target(app, Wishes())
    assert bare is not None
    assert bare.folder == project
    settings = app.deploy_env().settings
    assert (settings.model_name, settings.threads) == ("clf", 2)


def test_a_project_without_a_name_has_its_folders(project: Path) -> None:
    (project / "sagelet.yml").write_text(CONFIG.replace("{model_name: clf}", "{}"))
    assert chosen() == (None, "my-project")


def test_what_the_command_line_says_counts_and_is_checked(project: Path) -> None:
    app = App()
    target(app, Wishes(flags={"contract": "strict", "workers": None, "threads": "3"}, debug=True))
    settings = app.deploy_env().settings
    assert (settings.contract, settings.workers, settings.threads) == ("strict", 1, 3)
    with pytest.raises(BadConfig, match="--workers"):
        target(App(), Wishes(flags={"workers": "few"}))


def test_only_this_machine_is_served(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "sagelet.yml").write_text("environments: {production: {model_name: clf}}\n")
    monkeypatch.setenv("DEPLOY_ENV", "production")
    with pytest.raises(click.UsageError, match="'production' is AWS's"):
        target(App(), Wishes())


def test_lines_to_copy_have_the_projects_payload() -> None:
    payload = Payload(b"1,2", "text/csv", "my payloads/a.csv")
    ours, curl, boto3 = tips("e", "http://127.0.0.1:1/endpoints/e/invocations", "r", payload)
    assert ours == "sagelet invoke e -f 'my payloads/a.csv'"
    assert "--aws-sigv4 aws:amz:r:sagemaker" in curl
    assert curl.endswith(
        "-H 'Content-Type: text/csv' --data-binary @'my payloads/a.csv' "
        "http://127.0.0.1:1/endpoints/e/invocations"
    )
    assert "ContentType='text/csv', Body=open('my payloads/a.csv', 'rb')" in boto3


def test_lines_to_copy_have_the_containers_port_and_the_patience_to_debug() -> None:
    ours, _, container, _ = tips("e", "http://x", "r", None, port=8080, waits=True)
    assert ours == "sagelet invoke e -d '[[0.5]]' --timeout 3600"
    assert container.endswith("--data-binary '[[0.5]]' http://127.0.0.1:8080/invocations")
