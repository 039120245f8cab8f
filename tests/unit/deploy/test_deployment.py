from __future__ import annotations

from pathlib import Path

import pytest

from sagelet.deploy.deployment import Deployment, Instead, Prepared
from sagelet.deploy.executor import Executor, PrintingExecutor
from sagelet.deploy.pace import Pace
from sagelet.deploy.plan import Step, sentence
from sagelet.environments.deploy_env import DeployEnv
from sagelet.errors import (
    BadConfig,
    ModelDataMissing,
    OperationFailed,
    UnknownSetting,
    WrongAccount,
)
from tests.fakes import FakeRemote
from tests.unit.deploy.projects import Project

PACE = Pace(pause=lambda _seconds: None)


class Deploy:
    """Deploys a project to a fake API and remembers what was done and said."""

    def __init__(self, project: Project, environment: str, remote: FakeRemote) -> None:
        self.remote = remote
        self.project = project
        self.environment = environment
        self.steps: list[str] = []
        self.notes: list[str] = []
        self.instead = Instead()

    def prepare(self) -> tuple[Deployment, Prepared]:
        env = DeployEnv(environment=self.environment, start=self.project.root)
        deployment = Deployment(env, self.remote, on_note=self.notes.append, instead=self.instead)
        return deployment, deployment.prepare(pace=PACE)

    def __call__(self) -> Prepared:
        deployment, prepared = self.prepare()
        self.steps.clear()
        deployment.act(prepared, Executor(self.remote, on_step=self._hear, pace=PACE))
        deployment.wait(prepared, pace=PACE)
        return prepared

    def _hear(self, step: Step) -> None:
        self.steps.append(" ".join(sentence(step).split()[:2]))


@pytest.fixture
def remote() -> FakeRemote:
    return FakeRemote()


@pytest.fixture
def local(project: Project, remote: FakeRemote) -> Deploy:
    return Deploy(project, "local", remote)


@pytest.fixture
def production(project: Project, remote: FakeRemote) -> Deploy:
    return Deploy(project, "production", remote)


def test_a_first_local_deployment_links_and_creates(local: Deploy) -> None:
    prepared = local()
    assert local.steps == [
        "link 7",
        "create model",
        "create endpoint",
        "create endpoint",
    ]
    model = local.remote.models[prepared.wanted.model.name]
    folder = local.project.root / ".sagelet" / "local" / "model"
    assert model.data_url == folder.as_uri()
    assert model.environment["SAGEMAKER_PROGRAM"] == "serve.py"
    assert model.environment["DEPLOY_ENV"] == "local"
    assert (folder / "code" / "serve.py").exists()
    assert local.remote.uploads == []
    assert local.remote.asked_identity == 0
    assert prepared.standing is None


def test_a_second_deployment_of_the_same_does_nothing(local: Deploy, production: Deploy) -> None:
    for deploy in (local, production):
        first = deploy()
        second = deploy()
        assert second.plan.changes == ()
        assert second.wanted == first.wanted
        local.remote.endpoints.clear()


def test_planning_changes_nothing(local: Deploy, production: Deploy) -> None:
    said: list[str] = []
    for deploy in (local, production):
        deployment, prepared = deploy.prepare()
        deployment.act(prepared, PrintingExecutor(said.append))
    assert not (local.project.root / ".sagelet" / "local" / "model").exists()
    assert not local.remote.models
    assert not local.remote.buckets
    assert len(said) == 9


def test_an_edit_updates_the_endpoint_and_deletes_nothing(local: Deploy) -> None:
    first = local()
    local.project.write("train.py", "changed\n")
    second = local()
    assert local.steps == ["keep folder", "create model", "create endpoint", "update endpoint"]
    assert second.wanted.model.name != first.wanted.model.name
    assert first.wanted.model.name in local.remote.models
    assert local.remote.endpoints["clf"].config_name == second.wanted.config.name


def test_a_changed_setting_is_a_change_to_deploy(local: Deploy) -> None:
    first = local()
    local.project.replace("instance_type: local}", "instance_type: local, threads: 2}")
    second = local()
    assert second.wanted.model.name != first.wanted.model.name
    assert second.wanted.model.environment["SAGELET_THREADS"] == "2"


def test_the_sample_goes_to_a_local_container_and_nowhere_else(
    local: Deploy, production: Deploy
) -> None:
    local.project.replace("entry_point: deploy", "sample: tests/one.json\n  entry_point: deploy")
    with pytest.raises(BadConfig, match=r"serve\.sample: there is no file .*one\.json"):
        local()
    sample = local.project.write("tests/one.json", "[1]")
    assert local().wanted.model.environment["SAGELET_SAMPLE"] == str(sample)
    assert "SAGELET_SAMPLE" not in production().wanted.model.environment


def test_a_command_lines_sample_and_variables_win(local: Deploy) -> None:
    sample = local.project.write("other.json", "[2]")
    local.project.replace("entry_point: deploy", "sample: tests/gone.json\n  entry_point: deploy")
    local.instead = Instead(sample=sample, variables={"SAGEMAKER_BIND_TO_PORT": "8080"})
    environment = local().wanted.model.environment
    assert environment["SAGELET_SAMPLE"] == str(sample)
    assert environment["SAGEMAKER_BIND_TO_PORT"] == "8080"


def test_a_folder_is_served_from_where_it_is(local: Deploy, tmp_path: Path) -> None:
    folder = tmp_path / "bare"
    local.instead = Instead(folder=folder, program="serve.py")
    model = local().wanted.model
    assert local.steps == ["create model", "create endpoint", "create endpoint"]
    assert model.data_url == folder.as_uri()
    assert model.environment["SAGEMAKER_PROGRAM"] == "serve.py"
    assert "SAGEMAKER_SUBMIT_DIRECTORY" not in model.environment


def test_a_first_production_deployment_uploads_by_hash(production: Deploy) -> None:
    prepared = production()
    remote = production.remote
    assert production.steps[:2] == ["create bucket", "upload " + production.steps[1].split()[1]]
    assert remote.buckets == {"sagelet-us-east-1-123456789012"}
    (key,) = remote.uploads
    assert key.startswith("clf/")
    assert key.endswith("/model.tar.gz")
    model = remote.models[prepared.wanted.model.name]
    assert model.data_url == f"s3://sagelet-us-east-1-123456789012/{key}"
    assert model.image == "my/image"
    assert model.role == "AmazonSageMakerFullAccess"
    assert remote.tags["clf"]["sagelet:environment"] == "production"
    assert "SAGELET_PYTHON" not in model.environment


def test_only_new_content_is_uploaded(production: Deploy) -> None:
    production()
    production.project.replace("ml.m5.large", "ml.c5.large")
    production()
    assert len(production.remote.uploads) == 1
    production.project.write("train.py", "changed\n")
    production()
    assert len(production.remote.uploads) == 2


def test_production_shows_account_region_and_host(production: Deploy) -> None:
    _, prepared = production.prepare()
    assert prepared.standing is not None
    assert prepared.standing.account == "123456789012"
    assert prepared.standing.host == "api.sagemaker.us-east-1.amazonaws.com"


def test_another_account_is_refused_before_anything_else(production: Deploy) -> None:
    production.project.replace("image: my/image}", "account: '999999999999'}")
    with pytest.raises(WrongAccount, match=r"999999999999.*123456789012"):
        production.prepare()
    assert not (production.project.root / ".sagelet").exists()


def test_an_image_that_differs_from_the_project_is_told(production: Deploy) -> None:
    production.project.replace(", image: my/image", "")
    production()
    assert any("pytorch-inference" in note for note in production.notes)


def test_the_configured_bucket_is_used(production: Deploy) -> None:
    production.project.replace("image: my/image}", "image: i, bucket: mine}")
    production()
    assert production.remote.buckets == {"mine"}


def test_a_failed_update_keeps_the_old_and_says_why(local: Deploy) -> None:
    first = local()
    local.project.write("train.py", "changed\n")
    local.remote.outcomes = ["Updating", "rolled back"]
    with pytest.raises(OperationFailed, match="ValueError: no such file"):
        local()
    assert local.remote.endpoints["clf"].config_name == first.wanted.config.name


def test_a_failed_endpoint_is_replaced(local: Deploy) -> None:
    local.remote.outcomes = ["Creating", "Failed"]
    with pytest.raises(OperationFailed):
        local()
    local.remote.outcomes = ["Creating", "InService"]
    local()
    assert local.steps[-2:] == ["delete endpoint", "create endpoint"]


def test_an_endpoint_in_progress_is_waited_for_and_then_kept(local: Deploy) -> None:
    local.remote.outcomes = ["Creating", "Creating", "Creating", "InService"]
    deployment, prepared = local.prepare()
    deployment.act(prepared, Executor(local.remote, on_step=lambda _step: None, pace=PACE))
    _, again = local.prepare()
    assert any("waiting" in note for note in local.notes)
    assert again.plan.changes == ()


def test_the_articles_file_deploys_its_archive(project: Project, remote: FakeRemote) -> None:
    project.write(
        "sagelet.yml",
        "environments:\n"
        "  local: {model_name: m, instance_type: local, "
        "model_data_path: 'file://build/model.tar.gz'}\n"
        "  production: {model_name: m, aws_role: R, instance_type: ml.t2.medium, "
        "model_data_path: s3://madewithml/model.tar.gz}\n",
    )
    with pytest.raises(ModelDataMissing, match="build/model"):
        Deploy(project, "local", remote)()
    archive = project.write("build/model.tar.gz", "one")
    first = Deploy(project, "local", remote)()
    assert first.wanted.model.data_url == archive.as_uri()
    assert "SAGEMAKER_PROGRAM" not in first.wanted.model.environment
    project.write("build/model.tar.gz", "two")
    assert Deploy(project, "local", remote)().wanted.model.name != first.wanted.model.name

    with pytest.raises(ModelDataMissing, match="madewithml"):
        Deploy(project, "production", remote)()
    remote.objects["madewithml", "model.tar.gz"] = b"archive"
    in_production = Deploy(project, "production", remote)()
    assert in_production.wanted.model.data_url == "s3://madewithml/model.tar.gz"


def test_a_local_archive_is_uploaded_for_production(project: Project, remote: FakeRemote) -> None:
    project.write(
        "sagelet.yml",
        "environments:\n  production: {model_name: m, aws_role: R, instance_type: ml.t2.medium, "
        "model_data_path: 'file://build'}\n",
    )
    project.write("build/model.tar.gz", "one")
    with pytest.raises(BadConfig, match="`serve:`"):
        Deploy(project, "production", remote)()
    project.replace("file://build", "file://build/model.tar.gz")
    Deploy(project, "production", remote)()
    assert len(remote.uploads) == 1


@pytest.mark.parametrize(
    ("text", "error", "problem"),
    [
        ("{aws_role: R, instance_type: ml.m5.large}", UnknownSetting, "model_name"),
        ("{model_name: m, instance_type: ml.m5.large}", BadConfig, "aws_role"),
        ("{model_name: m, aws_role: R}", BadConfig, "instance_type"),
    ],
)
def test_what_production_needs_is_named(
    project: Project, remote: FakeRemote, text: str, error: type[Exception], problem: str
) -> None:
    project.write(
        "sagelet.yml",
        f"environments:\n  production: {text}\nserve: {{entry_point: train.py}}\n",
    )
    with pytest.raises(error, match=problem):
        Deploy(project, "production", remote).prepare()
