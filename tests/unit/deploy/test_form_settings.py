"""`ui:` goes with the model, and nothing else of the configuration does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sagelet.deploy.deployment import Deployment, Prepared
from sagelet.deploy.executor import Executor
from sagelet.deploy.form_settings import FORM_FILE, with_form
from sagelet.deploy.pace import Pace
from sagelet.deploy.packaging import Package, model_package
from sagelet.deploy.plan import sentence
from sagelet.deploy.staging import stage
from sagelet.environments.deploy_env import DeployEnv
from sagelet.errors import BadConfig
from sagelet.supervision.folder_files import files_below
from tests.fakes import FakeRemote
from tests.unit.deploy.projects import Project

PACE = Pace(pause=lambda _seconds: None)
UI = """
ui:
  title: Kinds of text
  fields: [{name: text, default: hello}]
"""


def with_ui(project: Project, text: str = UI) -> Project:
    file = project.root / "sagelet.yml"
    file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")
    return project


def packed(project: Project) -> Package:
    config = project.config
    return with_form(model_package(config), config, project.root / ".sagelet/local/ui")


def deployed(project: Project, environment: str, remote: FakeRemote) -> tuple[Prepared, list[str]]:
    steps: list[str] = []
    deployment = Deployment(
        DeployEnv(environment=environment, start=project.root), remote, on_note=steps.append
    )
    prepared = deployment.prepare(pace=PACE)
    executor = Executor(remote, on_step=lambda step: steps.append(sentence(step)), pace=PACE)
    deployment.act(prepared, executor)
    deployment.wait(prepared, pace=PACE)
    return prepared, steps


def test_the_file_holds_what_was_written_and_nothing_else_of_the_configuration(
    project: Project,
) -> None:
    package = packed(with_ui(project))
    assert json.loads(package.members[FORM_FILE].read_text(encoding="utf-8")) == {
        "ui": {"title": "Kinds of text", "fields": [{"name": "text", "default": "hello"}]},
        "examples": [],
    }


def test_without_settings_the_model_is_what_it_was(project: Project) -> None:
    assert FORM_FILE not in packed(project).members


def test_another_title_is_another_archive_and_the_same_local_model(project: Project) -> None:
    first = packed(with_ui(project))
    project.replace("Kinds of text", "Sorts of text")
    second = packed(project)
    assert first.content_hash != second.content_hash
    assert first.served_hash == second.served_hash


def test_an_example_that_is_in_the_model_is_named_and_another_is_added(project: Project) -> None:
    project.write("tests/payloads/one.json", "[1]")
    project.write("ignored.log", "{}")
    package = packed(with_ui(project, UI + "  examples: [tests/payloads/one.json, ignored.log]\n"))
    document = json.loads(package.members[FORM_FILE].read_text(encoding="utf-8"))
    places = ["code/tests/payloads/one.json", "code/sagelet-examples/ignored.log"]
    assert document["examples"] == places
    assert package.members[places[1]] == project.root / "ignored.log"


def test_an_example_that_is_not_there_is_a_mistake_in_its_line(project: Project) -> None:
    with_ui(project, UI + "  examples:\n    - gone.json\n")
    with pytest.raises(BadConfig, match=r"line 20, ui\.examples\.0: there is no file"):
        packed(project)


def test_a_file_of_the_projects_own_in_the_place_is_refused(project: Project) -> None:
    project.write("sagelet-ui.json", "{}")
    with pytest.raises(BadConfig, match="has the place of these settings"):
        packed(with_ui(project))


def test_no_worker_is_told_of_the_file(project: Project, tmp_path: Path) -> None:
    project.write("ignored.log", "{}")
    folder = stage(packed(with_ui(project, UI + "  examples: [ignored.log]\n")), tmp_path / "links")
    assert (folder / FORM_FILE).is_file()
    names = {path.name for path in files_below(folder)}
    assert "serve.py" in names
    assert not names & {"sagelet-ui.json", "ignored.log"}


def test_only_the_latest_few_files_are_kept(project: Project) -> None:
    with_ui(project)
    for number in range(8):
        project.replace("title: ", f"title: {number}")
        packed(project)
    assert len([*(project.root / ".sagelet/local/ui").iterdir()]) <= 5


def test_a_changed_form_is_staged_and_makes_no_new_model(project: Project) -> None:
    remote = FakeRemote()
    first, _ = deployed(with_ui(project), "local", remote)
    project.replace("Kinds of text", "Sorts of text")
    second, steps = deployed(project, "local", remote)
    assert first.wanted.model.name == second.wanted.model.name
    assert [step.split()[0] for step in steps] == ["link", "keep", "keep", "keep"]
    assert "Sorts" in (project.root / ".sagelet/local/model" / FORM_FILE).read_text("utf-8")


def test_for_aws_a_changed_form_is_a_new_model(project: Project) -> None:
    remote = FakeRemote()
    first, _ = deployed(with_ui(project), "production", remote)
    project.replace("Kinds of text", "Sorts of text")
    second, _ = deployed(project, "production", remote)
    assert first.wanted.model.name != second.wanted.model.name
