from __future__ import annotations

import os
from pathlib import Path

import pytest

from sagelet.environments.config import EnvironmentSettings, ProjectConfig, load
from sagelet.errors import BadConfig, ConfigNotFound, UnknownEnvironment

# The first article's file, as its repository has it.
ARTICLE = """\
environments:
  default: &default
    model_name: pytorch-text-classification
    aws_role: 'AmazonSageMakerFullAccess'
  local:
    <<: *default
    instance_type: local
    model_data_path: 'file://build/model.tar.gz'
  production:
    <<: *default
    instance_type: ml.t2.medium
    model_data_path: s3://sagemaker-pytorch-text-classification/model.tar.gz
"""

# The example of the configuration's own page.
WHOLE = """\
x-anchors: {unused: 1}
environments:
  default: &default {model_name: m, aws_role: AmazonSageMakerFullAccess}
  local:
    <<: *default
    python: .venv/bin/python
    s3: local
    contract: sane
    runtime: native
    workers: auto
    threads: 1
    max_batch: 32
    park_after: 600
    my_own: [1, 2]
  production:
    <<: *default
    region: eu-west-1
    profile: mlops
    account: "012345678901"
    bucket: my-models
    image: null
    endpoint_url: null
serve:
  source: .
  entry_point: deploy/sagemaker/serve.py
  model: experiments/latest
  sample: tests/payloads/wimbledon.json
train:
  entry_point: train.py
  channels: {training: data/}
  hyperparameters: {epochs: 10}
  hosts: 1
  metrics: {loss: 'loss: ([0-9.]+)'}
ui:
  fields: [{name: text, default: "The Wimbledon tennis tournament starts next week!"}]
"""


def config(tmp_path: Path, text: str) -> ProjectConfig:
    (tmp_path / "sagelet.yml").write_text(text, encoding="utf-8")
    return load(start=tmp_path, environ={})


def environment(
    read: ProjectConfig, name: str, flags: dict[str, str] | None = None, **environ: str
) -> EnvironmentSettings:
    return read.environment(name, flags=flags or {}, environ=environ)


def test_the_articles_own_file_is_valid_as_it_stands(tmp_path: Path) -> None:
    folder = tmp_path / "deploy" / "sagemaker"
    folder.mkdir(parents=True)
    (folder / "config.yml").write_text(ARTICLE, encoding="utf-8")
    read = load(beside=folder, environ={})
    assert read.environment_names == ("default", "local", "production")
    assert read.project == tmp_path
    local = environment(read, "local")
    assert local.raw["model_data_path"] == "file://build/model.tar.gz"
    assert local.model_name == "pytorch-text-classification"
    assert local.is_local
    production = environment(read, "production")
    assert production.instance_type == "ml.t2.medium"
    assert production.is_production
    assert not production.is_local


def test_the_whole_example_is_valid(tmp_path: Path) -> None:
    read = config(tmp_path, WHOLE)
    local = environment(read, "local")
    assert local.python == tmp_path / ".venv/bin/python"
    assert local.raw["my_own"] == [1, 2]
    assert environment(read, "production").account == "012345678901"
    assert read.require_serve().model == Path("experiments/latest")
    assert read.require_train().hyperparameters == {"epochs": 10}
    assert read.ui.fields[0].name == "text"


@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [
        ("enviroments: {}\n", "line 1, enviroments", "did you mean 'environments'?"),
        ("environments: {}\ntraining: {}\n", "line 2, training", "did you mean 'train'?"),
        ("environments: {}\nzzz: 1\n", "line 2, zzz", "there are: environments, serve"),
        ("serve: {entry_point: a.py}\n", "line 1", "no `environments:`"),
        ("environments: []\n", "line 1, environments", "must hold keys and values"),
        ("environments:\n  local: 3\n", "line 2, environments.local", "must hold keys and"),
        (
            "environments: {}\nserve:\n  entry_point: a\n  modle: b\n",
            "line 4, serve.modle",
            "did you mean 'model'?",
        ),
        ("environments: {}\nserve:\n  model: b\n", "line 2, serve", "`entry_point:` is missing"),
        (
            "environments: {}\ntrain:\n  entry_point: a\n  hosts: none\n",
            "line 4, train.hosts",
            "not 'none'",
        ),
        (
            "environments: {}\ntrain:\n  entry_point: a\n  metrics: {loss: 'loss: ['}\n",
            "line 4, train.metrics",
            "the expression of 'loss'",
        ),
        (
            "environments: {}\ntrain:\n  entry_point: a\n  metrics: {loss: 'loss'}\n",
            "line 4, train.metrics",
            "no group",
        ),
        (
            "environments:\n  local:\n    threads: many\n",
            "line 3, environments.local.threads",
            "not 'many'",
        ),
        (
            "environments:\n  production:\n    contract: strickt\n",
            "line 3, environments.production.contract",
            "'sane' or 'strict'",
        ),
        (
            "environments:\n  local:\n    max_batch: 0\n",
            "line 3, environments.local.max_batch",
            "greater than 0, not 0",
        ),
        (
            "environments:\n  local:\n    park_after: 10m\n",
            "line 3, environments.local.park_after",
            "not '10m'",
        ),
        (
            "environments:\n  local:\n    workers: few\n",
            "line 3, environments.local.workers",
            "not 'few'",
        ),
        (
            "environments:\n  production:\n    account: 12345\n",
            "line 3, environments.production.account",
            "in quotes",
        ),
        (
            "environments:\n  production:\n    endpoint_url: localhost:5000\n",
            "line 3, environments.production.endpoint_url",
            "",
        ),
        ("environments:\n  ../up: {}\n", "line 2, environments.../up", "letters, digits"),
    ],
)
def test_a_mistake_names_file_line_and_key(
    tmp_path: Path, text: str, where: str, problem: str
) -> None:
    with pytest.raises(BadConfig) as raised:
        config(tmp_path, text)
    assert raised.value.file == str(tmp_path / "sagelet.yml")
    assert raised.value.where == where
    assert problem in raised.value.problem


def test_a_mistake_in_a_merged_key_names_the_line_where_it_stands(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="line 2, environments"):
        config(tmp_path, "environments:\n  default: &d {threads: x}\n  local: {<<: *d}\n")


def test_an_unknown_environment_names_the_file_and_the_environments(tmp_path: Path) -> None:
    with pytest.raises(UnknownEnvironment) as raised:
        environment(config(tmp_path, ARTICLE), "prodution")
    assert raised.value.known == ("default", "local", "production")
    assert raised.value.file == str(tmp_path / "sagelet.yml")


def test_an_environment_with_nothing_in_it_is_valid(tmp_path: Path) -> None:
    assert environment(config(tmp_path, "environments:\n  local:\n"), "local").is_local


@pytest.mark.parametrize(
    ("name", "text", "is_local"),
    [
        ("local", "{}", True),
        ("local", "{instance_type: ml.m5.large}", True),
        ("gpu", "{instance_type: local_gpu}", True),
        ("staging", "{instance_type: local}", True),
        ("staging", "{}", False),
        ("staging", "{instance_type: ml.m5.large}", False),
        ("local", "{endpoint_url: 'http://127.0.0.1:5000'}", False),
        ("production", "{instance_type: local, endpoint_url: 'https://x'}", False),
    ],
)
def test_what_makes_an_environment_local(
    tmp_path: Path, name: str, text: str, is_local: bool
) -> None:
    read = config(tmp_path, f"environments:\n  {name}: {text}\n")
    assert environment(read, name).is_local is is_local


def test_a_flag_beats_a_variable_and_a_variable_beats_the_file(tmp_path: Path) -> None:
    read = config(tmp_path, "environments: {local: {threads: 1, region: a}}\n")
    assert environment(read, "local").threads == 1
    assert environment(read, "local", SAGELET_THREADS="2").threads == 2
    assert environment(read, "local", {"threads": "3"}, SAGELET_THREADS="2").threads == 3
    assert environment(read, "local", SAGELET_THREADS="2").raw["threads"] == "2"
    assert environment(read, "local", SAGELET_THREADS="").threads == 1


def test_a_bad_variable_or_flag_is_named(tmp_path: Path) -> None:
    read = config(tmp_path, "environments: {local: {}}\n")
    with pytest.raises(BadConfig, match="SAGELET_WORKERS"):
        environment(read, "local", SAGELET_WORKERS="few")
    with pytest.raises(BadConfig, match="--threads"):
        environment(read, "local", {"threads": "0"})


@pytest.mark.parametrize("key", ["endpoint_url", "account"])
def test_guards_are_not_overridden_by_variables(tmp_path: Path, key: str) -> None:
    read = config(tmp_path, "environments: {production: {}}\n")
    environ = {f"SAGELET_{key.upper()}": "http://x"}
    settings = read.environment("production", flags={}, environ=environ)
    assert getattr(settings, key) is None


def test_the_users_defaults_stand_under_the_projects_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    user = tmp_path / "xdg" / "sagelet" / "config.yml"
    user.parent.mkdir(parents=True)
    user.write_text(
        "environments: {production: {profile: mine, region: eu-west-1}}\n", encoding="utf-8"
    )
    read = config(tmp_path, "environments: {production: {region: us-east-2}}\n")
    production = environment(read, "production")
    assert (production.profile, production.region) == ("mine", "us-east-2")


def test_a_mistake_in_the_users_file_names_that_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    user = tmp_path / "xdg" / "sagelet" / "config.yml"
    user.parent.mkdir(parents=True)
    user.write_text("environments:\n  local:\n    threads: x\n", encoding="utf-8")
    with pytest.raises(BadConfig) as raised:
        config(tmp_path, "environments: {local: {}}\n")
    assert raised.value.file == str(user)
    assert raised.value.where.startswith("line 3")


def test_without_a_file_there_is_a_local_environment_and_nothing_else(tmp_path: Path) -> None:
    read = load(start=tmp_path, environ={})
    assert read.file is None
    assert environment(read, "local").is_local
    with pytest.raises(ConfigNotFound, match=r"sagelet\.yml"):
        environment(read, "production")
    with pytest.raises(ConfigNotFound):
        read.require_serve()


def test_a_file_that_says_nothing_of_serving_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="what to serve"):
        config(tmp_path, ARTICLE).require_serve()


def test_a_named_file_may_belong_to_a_project_elsewhere(tmp_path: Path) -> None:
    named = tmp_path / "configs" / "test.yml"
    named.parent.mkdir()
    named.write_text(ARTICLE, encoding="utf-8")
    project = tmp_path / "project"
    assert load(named, start=project, environ={}).project == project
    assert load(named, environ={}).project == named.parent


def test_the_interpreter_is_not_resolved(tmp_path: Path) -> None:
    (tmp_path / "python").symlink_to(os.path.realpath("/bin/sh"))
    read = config(tmp_path, "environments: {local: {python: python}}\n")
    assert environment(read, "local").python == tmp_path / "python"
